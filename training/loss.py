"""What the network is asked: which of the 31 shifts of its own sound, or of other clips' sounds, is the right one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.models.lite_network import CONTEXT_FRAMES

SHIFTS = 2 * MAX_SHIFT_FRAMES + 1
NEVER = -1e4


def whole_context(frame_valid: Tensor) -> Tensor:
    """(batch, T) -> (batch, T - 10): embeddings all of whose 11 frames exist.

    One that saw the end of a clip would be known by it, and the middle shift by having the fewest of them.
    """
    return frame_valid.unfold(1, CONTEXT_FRAMES, 1).all(dim=2)


def shift_scores(lips: Tensor, sound: Tensor) -> Tensor:
    """Scalar products, shape (batch, V, 31), of lip t with sound t + k, both given from the earliest pair on.

    lips: (batch, V, D); sound: (batch, V + 30, D).
    """
    windows = sound.unfold(1, SHIFTS, 1)
    return torch.einsum("bvd,bvdk->bvk", lips, windows)


def sync_loss(
    lips: Tensor, sound: Tensor, lips_valid: Tensor, sound_valid: Tensor, scale: Tensor, others: int = 4
) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy per frame plus that of the time-averaged scores; and the share of right averages.

    A twentieth of the target goes to each neighbouring shift: labels are good to about a frame only.
    """
    scores = shift_scores(lips, sound) * scale
    pair_valid = sound_valid.unfold(1, SHIFTS, 1) & lips_valid[:, :, None]
    pair_valid[:, :, MAX_SHIFT_FRAMES] |= ~lips_valid
    target = torch.zeros(SHIFTS, device=scores.device)
    target[MAX_SHIFT_FRAMES - 1 : MAX_SHIFT_FRAMES + 2] = torch.tensor([0.05, 0.9, 0.05])

    strangers = _strangers_scores(lips, sound, sound_valid, others) * scale
    logits = torch.cat([scores.masked_fill(~pair_valid, NEVER), strangers], dim=2)
    log_chance = functional.log_softmax(logits, dim=2)[:, :, :SHIFTS].clamp_min(-50)
    right = pair_valid[:, :, MAX_SHIFT_FRAMES] & lips_valid
    per_frame = -(log_chance * target * pair_valid).sum(dim=2)
    frame_loss = (per_frame * right).sum() / right.sum().clamp_min(1)

    counts = pair_valid.sum(dim=1)
    averages = (scores * pair_valid).sum(dim=1) / counts.clamp_min(1)
    averages = averages.masked_fill(counts < 8, NEVER)
    clip_log_chance = functional.log_softmax(averages * 2.0, dim=1).clamp_min(-50)
    clip_loss = -(clip_log_chance * target).sum(dim=1).mean()
    hits = ((averages.argmax(dim=1) - MAX_SHIFT_FRAMES).abs() <= 1).float().mean()
    return frame_loss + clip_loss, hits


def _strangers_scores(lips: Tensor, sound: Tensor, sound_valid: Tensor, others: int) -> Tensor:
    """(batch, V, others * batch) products with random sound frames of the other clips; one's own never count."""
    batch, steps, size = sound.shape
    chosen = torch.randint(steps, (batch, others), device=sound.device)
    rows = torch.arange(batch, device=sound.device)[:, None]
    negatives = sound[rows, chosen]
    usable = sound_valid[rows, chosen].flatten()
    products = torch.einsum("bvd,nd->bvn", lips, negatives.reshape(batch * others, size))
    own = torch.arange(batch, device=sound.device).repeat_interleave(others)[None, :] == rows
    return products.masked_fill((own | ~usable[None, :])[:, None, :], NEVER)
