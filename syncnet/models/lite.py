"""The embedded model ``lite``: small, ours, and always at hand."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

import weights
from syncnet.conventions import FEATURE_STEPS_PER_FRAME, FPS, MAX_SHIFT_FRAMES, SAMPLE_RATE, SAMPLES_PER_FRAME, Samples
from syncnet.errors import ModelFileError
from syncnet.models.checkpoint import check_finite
from syncnet.models.features import MOUTH_SIZE_PX, WINDOW_SAMPLES, cut_mouths, log_mel, normalise_bands
from syncnet.models.lite_calibration import Calibration, read_calibration
from syncnet.models.lite_files import find_lite, lite_identity
from syncnet.models.lite_network import (
    CONTEXT_FRAMES,
    CONTEXT_STEPS,
    EMBEDDING_SIZE,
    FRAME_FEATURES,
    MIDDLE_FRAME,
    LiteNetwork,
)
from syncnet.models.odds import Odds
from syncnet.models.protocol import MIN_TRACK_FRAMES, Embeddings, FaceEncoder

SAMPLES_PER_MS = SAMPLE_RATE // 1000
NEIGHBOURS = 2
"""A frame's features need the frame before and the one after."""


class LiteFaceEncoder:
    """Frame features of one track, 128 numbers a frame; of the pictures only the last two are kept."""

    grey = True

    def __init__(self, model: LiteModel) -> None:
        self._model = model
        self._tail = np.empty((0, MOUTH_SIZE_PX, MOUTH_SIZE_PX), np.uint8)
        self._features: list[torch.Tensor] = []

    def push(self, crops: np.ndarray) -> None:
        self.push_mouths(cut_mouths(crops))

    def push_mouths(self, mouths: np.ndarray) -> None:
        """As ``push``, from mouth squares, shape (n, 64, 64), uint8 grey."""
        mouths = np.concatenate([self._tail, mouths])
        self._tail = mouths[-NEIGHBOURS:]
        if len(mouths) > NEIGHBOURS:
            self._features.append(self._model.encode_mouths(mouths))

    def features(self) -> torch.Tensor:
        """(track frames - 2, members * 128), on the model's device."""
        return torch.cat(self._features) if self._features else torch.empty(0, FRAME_FEATURES)


class LiteModel:
    """See syncnet.models.SyncModel. Distances are 1 - cosine, on a scale of their own: no LSE-D.

    Holds one or more networks that were trained apart; their cosines are averaged.
    """

    name = "lite"
    min_track_frames = MIN_TRACK_FRAMES["lite"]

    def __init__(self, networks: Sequence[LiteNetwork], calibration: Calibration, identity: str, device: str) -> None:
        self.identity = identity
        for network in networks:
            # torch's annotations do not know memory_format here, its documentation does.
            network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            network.eval().requires_grad_(False)
        self._networks = networks
        self._calibration = calibration
        self._delay = round(calibration.zero_ms * SAMPLES_PER_MS)
        self._device = device

    def face_encoder(self) -> LiteFaceEncoder:
        return LiteFaceEncoder(self)

    @torch.inference_mode()
    def encode_mouths(self, mouths: np.ndarray) -> torch.Tensor:
        """(n, 64, 64) uint8 -> (n - 2, members * 128)."""
        batch = torch.from_numpy(mouths)[None].to(self._device).float()
        return torch.cat([network.frame_network(batch)[0] for network in self._networks], dim=1)

    def embed(
        self,
        encoder: FaceEncoder,
        samples: Samples,
        first_frame: int,
        frame_count: int,
        counts: np.ndarray | None = None,
    ) -> Embeddings:
        if not isinstance(encoder, LiteFaceEncoder):
            raise TypeError("lite embeds what its own face encoder took in")
        return self.embed_features(encoder.features(), samples, first_frame, frame_count, counts)

    @torch.inference_mode()
    def embed_features(
        self,
        features: torch.Tensor,
        samples: Samples,
        first_frame: int,
        frame_count: int,
        counts: np.ndarray | None = None,
    ) -> Embeddings:
        """As ``embed``, from the frame features, shape (frame_count - 2, members * 128), of the track."""
        video = self._embed_lips(features) if len(features) >= CONTEXT_FRAMES - 2 else None
        sound_first = max(0, first_frame - MAX_SHIFT_FRAMES)
        audio = self._embed_sound(samples, sound_first, first_frame + frame_count + MAX_SHIFT_FRAMES, counts)
        nothing = np.empty((0, EMBEDDING_SIZE * len(self._networks)), np.float32)
        return Embeddings(
            video=nothing if video is None else video.cpu().numpy(),
            audio=nothing if audio is None else audio.cpu().numpy(),
            audio_lead=first_frame - sound_first,
            metric="cosine",
            zero_pad_ends=False,
            middle_frame=MIDDLE_FRAME,
        )

    def _embed_lips(self, features: torch.Tensor) -> torch.Tensor:
        parts = torch.split(features, FRAME_FEATURES, dim=1)
        lips = [network.embed_lips(part[None])[0] for network, part in zip(self._networks, parts, strict=True)]
        return _joined(lips)

    def _embed_sound(
        self, samples: Samples, first_frame: int, end_frame: int, counts: np.ndarray | None
    ) -> torch.Tensor | None:
        # The last step of a frame starts 480 samples into it and is 400 long: it reaches into the next frame.
        reach = WINDOW_SAMPLES - SAMPLES_PER_FRAME // FEATURE_STEPS_PER_FRAME
        mel = log_mel(
            _delayed(samples, first_frame * SAMPLES_PER_FRAME, end_frame * SAMPLES_PER_FRAME + reach, self._delay)
        )
        if len(mel) < CONTEXT_STEPS:
            return None
        steps = None if counts is None else _steps_of(counts[first_frame:end_frame], len(mel))
        batch = torch.from_numpy(normalise_bands(mel, steps))[None].to(self._device)
        return _joined([network.embed_sound(batch)[0] for network in self._networks])

    def confidence(self, raw: float, embedding_count: int) -> float:
        return self._calibration.confidence_of(raw, embedding_count / FPS)

    def odds(self, signs: np.ndarray) -> Odds | None:
        table = self._calibration.odds
        return table.odds_of(signs) if table else None


def load_lite(device: str, policy: weights.WeightsPolicy) -> LiteModel:
    """The embedded model; ModelFileError where its files are missing or were changed."""
    weights_file, calibration_file = find_lite(policy)
    return read_lite(weights_file.path, calibration_file.path, device)


def read_lite(weights_path: Path, calibration_path: Path, device: str) -> LiteModel:
    """The model from two files that the caller trusts, such as fresh ones of a training."""
    networks = load_networks(weights_path)
    calibration = read_calibration(calibration_path)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (weights_path, calibration_path)]
    return LiteModel(networks, calibration, lite_identity(*digests), device)


def load_networks(path: Path) -> list[LiteNetwork]:
    """The members of the model in one file; ModelFileError where they are of another shape."""
    try:
        members: dict[str, dict[str, torch.Tensor]] = defaultdict(dict)
        for name, tensor in load_file(path).items():
            # A single network, as a training leaves it, has its tensors under their plain names.
            member, _, own_name = name.partition("/") if "/" in name else ("", "", name)
            members[member][own_name] = tensor
        if not members:
            raise RuntimeError("it holds no tensors")
        networks = [LiteNetwork() for _ in members]
        for network, member in zip(networks, sorted(members), strict=True):
            network.load_state_dict(members[member])
            check_finite(network, path)
    except (RuntimeError, OSError, SafetensorError) as error:
        raise ModelFileError(
            f"{path} does not fit this version ({str(error).splitlines()[0]})",
            path=path,
            cure="restore it with `git checkout weights/`",
        ) from error
    return networks


def _delayed(samples: Samples, first: int, end: int, delay: int) -> np.ndarray:
    """Samples ``first`` to ``end`` of the sound as if it came so many samples later; its first ones fill the gap."""
    start = first - delay
    moved = samples[max(0, start) : max(0, end - delay)]
    return np.pad(moved, (-start, 0), mode="symmetric") if start < 0 and len(moved) else moved


def _steps_of(frames: np.ndarray, step_count: int) -> np.ndarray:
    """Bool of frames -> bool of their mel steps, (step_count,); nothing counts beyond the last frame."""
    steps = np.repeat(frames, FEATURE_STEPS_PER_FRAME)[:step_count]
    return np.pad(steps, (0, step_count - len(steps)))


def _joined(embeddings: Sequence[torch.Tensor]) -> torch.Tensor:
    """(T, 128) of each member -> (T, members * 128) of unit length: its cosine is the mean of the members' cosines."""
    return torch.cat(list(embeddings), dim=1) / math.sqrt(len(embeddings))
