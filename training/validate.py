"""Figures on held-out clips: windows within one frame of the clip's own offset, in-sync against other sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.models.features import MOUTH_SIZE_PX, log_mel, normalise_bands
from syncnet.models.lite_network import CONTEXT_FRAMES, LiteNetwork
from training.corpus import MARGIN, Corpus, CorpusClip

SHIFTS = 2 * MAX_SHIFT_FRAMES + 1


@torch.inference_mode()
def embed_clip(
    network: LiteNetwork, corpus: Corpus, clip: CorpusClip, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """Lip (W, 128) and sound (W or one fewer, 128) embeddings of a corpus clip, both for the same frames."""
    network.eval()
    inner = slice(MARGIN, MARGIN + MOUTH_SIZE_PX)
    mouths = torch.from_numpy(np.ascontiguousarray(corpus.clip_mouths(clip)[:, inner, inner]))
    frames = [
        network.frame_network(mouths[None, max(0, at - 2) : at + 128].to(device).float())
        for at in range(2, len(mouths), 128)
    ]
    lips = network.embed_lips(torch.cat(frames, dim=1))[0]
    mel = normalise_bands(log_mel(corpus.clip_samples(clip)))
    sound = network.embed_sound(torch.from_numpy(mel)[None].to(device))[0]
    return lips.cpu().numpy(), sound.cpu().numpy()


def pair_scores(lips: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """(W, 31) scalar products of lip t and sound t + k; NaN where the sound does not exist."""
    scores = np.full((len(lips), SHIFTS), np.nan, np.float32)
    products = lips @ sound.T
    for column in range(SHIFTS):
        shift = column - MAX_SHIFT_FRAMES
        first, end = max(0, -shift), min(len(lips), len(sound) - shift)
        if end > first:
            rows = np.arange(first, end)
            scores[rows, column] = products[rows, rows + shift]
    return scores


def mean_curve(scores: np.ndarray) -> np.ndarray:
    """Mean score per shift over the pairs that exist, (31,)."""
    counts = np.isfinite(scores).sum(axis=0)
    return np.where(counts > 0, np.nansum(scores, axis=0) / np.maximum(counts, 1), -1.0)


def raw_confidence(curve: np.ndarray) -> float:
    return float(curve.max() - np.median(curve))


def validate(
    network: LiteNetwork, corpus: Corpus, clips: Sequence[CorpusClip], device: str = "cpu"
) -> dict[str, float]:
    """Shares of 2 s and 4 s windows right within one frame, and the AUC of in-sync against other sound at 4 s."""
    embedded = [embed_clip(network, corpus, c, device) for c in clips if c.frame_count >= 60 + CONTEXT_FRAMES]
    right: dict[int, list[bool]] = {50: [], 100: []}
    in_sync, wrong = [], []
    for index, (lips, sound) in enumerate(embedded):
        scores = pair_scores(lips, sound)
        offset = mean_curve(scores).argmax()
        for length, hits in right.items():
            for start in range(0, len(scores) - length + CONTEXT_FRAMES, length // 2):
                curve = mean_curve(scores[start : start + length - CONTEXT_FRAMES + 1])
                hits.append(abs(int(curve.argmax()) - int(offset)) <= 1)
                if length == 100:
                    in_sync.append(raw_confidence(curve))
        other = embedded[(index + 7) % len(embedded)][1]
        mixed = pair_scores(lips[: len(other)], other[: len(lips)])
        starts = range(0, len(mixed) - 89, 50)
        wrong += [raw_confidence(mean_curve(mixed[start : start + 90])) for start in starts]
    auc = float(np.mean(np.array(in_sync)[:, None] > np.array(wrong)[None, :]))
    return {
        "within_1_at_2s": round(float(np.mean(right[50])), 4),
        "within_1_at_4s": round(float(np.mean(right[100])), 4),
        "auc_4s": round(auc, 4),
        "raw_in_sync": round(float(np.median(in_sync)), 4),
        "raw_wrong": round(float(np.median(wrong)), 4),
        "score": round(float(np.mean(right[50])) + auc, 4),
    }
