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
from syncnet.conventions import (
    FEATURE_STEPS_PER_FRAME,
    FPS,
    MAX_SHIFT_FRAMES,
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Rows,
    Samples,
)
from syncnet.errors import ModelFileError
from syncnet.models.checkpoint import check_finite
from syncnet.models.features import (
    MEL_BANDS,
    MOUTH_SIZE_PX,
    WINDOW_SAMPLES,
    count_mel_steps,
    cut_mouths,
    normal_blocks,
)
from syncnet.models.folding import fold_norms
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
from syncnet.models.protocol import MIN_TRACK_FRAMES, MOST_HELD_BYTES, Embeddings, FaceEncoder
from syncnet.system.byte_store import ByteStore
from syncnet.system.shared_batch import SharedBatch

SAMPLES_PER_MS = SAMPLE_RATE // 1000
NEIGHBOURS = 2
"""A frame's features need the frame before and the one after."""
LIP_REACH = CONTEXT_FRAMES - 1 - NEIGHBOURS
"""So many frame features less come out as embeddings."""
ROWS_AT_ONCE = 5 * 60 * FPS
"""A layer of the network takes some 5 kB for each."""

_QUEUED_PIECES = 16
"""Of all threads, that a GPU works on at once: 4 MB of mouths."""


class LiteFaceEncoder:
    """Frame features of one track, 128 numbers a frame; of the pictures only the last two are kept."""

    grey = True

    def __init__(self, model: LiteModel) -> None:
        self._model = model
        self._tail = np.empty((0, MOUTH_SIZE_PX, MOUTH_SIZE_PX), np.uint8)
        self._store = ByteStore(MOST_HELD_BYTES)
        """One piece that grows: small ones, kept for as long as the track lasts, would lie scattered between what the
        network takes and frees, and hold that."""

    def push(self, crops: np.ndarray) -> None:
        self.push_mouths(cut_mouths(crops))

    def push_mouths(self, mouths: np.ndarray) -> None:
        """As ``push``, from mouth squares, shape (n, 64, 64), uint8 grey."""
        mouths = np.concatenate([self._tail, mouths])
        self._tail = mouths[-NEIGHBOURS:]
        if len(mouths) > NEIGHBOURS:
            self._store.append(self._model.encode_mouths(mouths))

    def features(self) -> Rows:
        """(track frames - 2, members * 128). No crops may follow."""
        return self._store.rows(np.float32, self._model.feature_count)


class LiteModel:
    """See syncnet.models.SyncModel. Distances are 1 - cosine, on a scale of their own: no LSE-D.

    Holds one or more networks that were trained apart; their cosines are averaged.
    """

    name = "lite"
    min_track_frames = MIN_TRACK_FRAMES["lite"]

    def __init__(self, networks: Sequence[LiteNetwork], calibration: Calibration, identity: str, device: str) -> None:
        self.identity = identity
        for network in networks:
            fold_norms(network.requires_grad_(False))
            # torch's annotations do not know memory_format here, its documentation does.
            network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._networks = networks
        self.feature_count = FRAME_FEATURES * len(networks)
        self._calibration = calibration
        self._delay = round(calibration.zero_ms * SAMPLES_PER_MS)
        self.device = device
        self._queue = None if device == "cpu" else SharedBatch(self._encode_pieces, _QUEUED_PIECES)

    def face_encoder(self) -> LiteFaceEncoder:
        return LiteFaceEncoder(self)

    def encode_mouths(self, mouths: np.ndarray) -> np.ndarray:
        """(n, 64, 64) uint8 -> (n - 2, members * 128) float32."""
        return self._encode_pieces(mouths[None])[0] if self._queue is None else self._queue.ask(mouths)

    @torch.inference_mode()
    def _encode_pieces(self, pieces: np.ndarray) -> list[np.ndarray]:
        batch = torch.from_numpy(pieces).to(self.device).float()
        features = torch.cat([network.frame_network(batch) for network in self._networks], dim=2)
        return list(features.cpu().numpy())

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
        features: Rows,
        samples: Samples,
        first_frame: int,
        frame_count: int,
        counts: np.ndarray | None = None,
    ) -> Embeddings:
        """As ``embed``, from the frame features, shape (frame_count - 2, members * 128), of the track."""
        video = self._embed_lips(features)
        sound_first = max(0, first_frame - MAX_SHIFT_FRAMES)
        audio = self._embed_sound(samples, sound_first, first_frame + frame_count + MAX_SHIFT_FRAMES, counts)
        return Embeddings(
            video=video,
            audio=audio,
            audio_lead=first_frame - sound_first,
            metric="cosine",
            zero_pad_ends=False,
            middle_frame=MIDDLE_FRAME,
        )

    def _embed_lips(self, features: Rows) -> Rows:
        lips = ByteStore(MOST_HELD_BYTES)
        for first in range(0, len(features) - LIP_REACH, ROWS_AT_ONCE):
            some = torch.from_numpy(features[first : first + ROWS_AT_ONCE + LIP_REACH]).to(self.device)
            parts = torch.split(some, FRAME_FEATURES, dim=1)
            own = [network.embed_lips(part[None])[0] for network, part in zip(self._networks, parts, strict=True)]
            lips.append(_joined(own))
        return self._rows(lips)

    def _embed_sound(self, samples: Samples, first_frame: int, end_frame: int, counts: np.ndarray | None) -> Rows:
        # The last step of a frame starts 480 samples into it and is 400 long: it reaches into the next frame.
        reach = WINDOW_SAMPLES - SAMPLES_PER_FRAME // FEATURE_STEPS_PER_FRAME
        sound = _Delayed(samples, first_frame * SAMPLES_PER_FRAME, end_frame * SAMPLES_PER_FRAME + reach, self._delay)
        step_count = count_mel_steps(len(sound))
        steps = None if counts is None else _steps_of(counts[first_frame:end_frame], step_count)
        embedded, mel = ByteStore(MOST_HELD_BYTES), np.empty((0, MEL_BANDS), np.float32)
        for block in normal_blocks(sound, steps):
            mel = np.concatenate([mel, block])
            rows = _rows_of(len(mel))
            if rows > 0:
                batch = torch.from_numpy(mel)[None].to(self.device)
                embedded.append(_joined([network.embed_sound(batch)[0] for network in self._networks]))
                mel = mel[rows * FEATURE_STEPS_PER_FRAME :]
        return self._rows(embedded)

    def _rows(self, store: ByteStore) -> Rows:
        return store.rows(np.float32, EMBEDDING_SIZE * len(self._networks))

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


class _Delayed:
    """Samples ``first`` to ``end`` of the sound as if it came so many samples later; its first ones fill the gap."""

    def __init__(self, samples: Samples, first: int, end: int, delay: int) -> None:
        self._samples = samples
        self._first = max(0, first - delay)
        there = max(0, min(len(samples), end - delay) - self._first)
        lead = max(0, delay - first) if there else 0
        self._lead = np.pad(samples[self._first : self._first + min(lead, there)], (lead, 0), mode="symmetric")[:lead]
        self._length = lead + there

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice, /) -> np.ndarray:
        first, end, _ = part.indices(self._length)
        lead = len(self._lead)
        behind = self._samples[self._first + max(first - lead, 0) : self._first + max(end - lead, 0)]
        return np.concatenate([self._lead[first:end], behind])


def _steps_of(frames: np.ndarray, step_count: int) -> np.ndarray:
    """Bool of frames -> bool of their mel steps, (step_count,); nothing counts beyond the last frame."""
    steps = np.repeat(frames, FEATURE_STEPS_PER_FRAME)[:step_count]
    return np.pad(steps, (0, step_count - len(steps)))


def _rows_of(step_count: int) -> int:
    """Embeddings of so many mel steps; below one where there is none."""
    return (step_count - CONTEXT_STEPS) // FEATURE_STEPS_PER_FRAME + 1


def _joined(embeddings: Sequence[torch.Tensor]) -> np.ndarray:
    """(T, 128) of each member -> (T, members * 128) of unit length: its cosine is the mean of the members' cosines."""
    return np.asarray((torch.cat(list(embeddings), dim=1) / math.sqrt(len(embeddings))).cpu().numpy())
