"""The published network: SyncNet v2, whose confidence and distance are the LSE-C and LSE-D of the papers.

A track is embedded as its authors do it: the sound is cut to the track's own frames, and sound beyond them counts as
zero vectors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import python_speech_features as psf
import torch

from syncnet.conventions import CROP_SIZE_PX, FEATURE_STEPS_PER_FRAME, SAMPLES_PER_FRAME, Rows, Samples
from syncnet.models.checkpoint import load_checkpoint
from syncnet.models.features import SAMPLES_PER_STEP, STEPS_PER_BLOCK, WINDOW_SAMPLES, count_mel_steps
from syncnet.models.precision import dtype_of
from syncnet.models.protocol import MIN_TRACK_FRAMES, MOST_HELD_BYTES, Embeddings, FaceEncoder
from syncnet.models.syncnet_v2_network import (
    EMBEDDING_SIZE,
    SOUND_WINDOWS_AT_ONCE,
    WINDOW_FRAMES,
    WINDOW_STEPS,
    SyncNetV2Layers,
    SyncNetV2Streams,
)
from syncnet.settings import Precision
from syncnet.system.byte_store import ByteStore

COEFFICIENTS = 13
_PRE_EMPHASIS = 0.97


class SyncNetV2FaceEncoder:
    """Lip embeddings of one track; of the crops only the last four are kept."""

    grey = False

    def __init__(self, model: SyncNetV2) -> None:
        self._model = model
        self._tail = np.empty((0, CROP_SIZE_PX, CROP_SIZE_PX, 3), np.uint8)
        self._store = ByteStore(MOST_HELD_BYTES)

    def push(self, crops: np.ndarray) -> None:
        crops = np.concatenate([self._tail, crops])
        self._tail = crops[1 - WINDOW_FRAMES :].copy()
        if len(crops) >= WINDOW_FRAMES:
            self._store.append(self._model.embed_lips(crops))

    def embeddings(self, count: int | None = None) -> Rows:
        """The first ``count``, (count, 1024) float32; without it all, (crops - 4, 1024). No crops may follow."""
        return self._store.rows(np.float32, EMBEDDING_SIZE, end=count)


class SyncNetV2:
    """See syncnet.models.SyncModel. Distances are Euclidean."""

    name = "syncnet_v2"
    min_track_frames = MIN_TRACK_FRAMES["syncnet_v2"]

    def __init__(self, streams: SyncNetV2Streams, identity: str, device: str) -> None:
        self.identity = identity
        self._streams = streams.to(device)
        self._device = device

    def face_encoder(self) -> SyncNetV2FaceEncoder:
        return SyncNetV2FaceEncoder(self)

    @torch.inference_mode()
    def embed_lips(self, crops: np.ndarray) -> np.ndarray:
        """(n, 224, 224, 3) uint8 BGR -> (n - 4, 1024) float32, for n of 5 and more."""
        embeddings: np.ndarray = self._streams.embed_lips(torch.from_numpy(crops).to(self._device)).cpu().numpy()
        return embeddings

    @torch.inference_mode()
    def embed_sound(self, samples: np.ndarray, count: int) -> Rows:
        """int16 samples -> float32, one row of 1024 for each of the first ``count`` frames with 20 steps of sound."""
        steps, store = torch.from_numpy(mfcc(samples)).float(), ByteStore(MOST_HELD_BYTES)
        for first in range(0, (len(steps) - WINDOW_STEPS) // FEATURE_STEPS_PER_FRAME + 1, SOUND_WINDOWS_AT_ONCE):
            begin = first * FEATURE_STEPS_PER_FRAME
            some = steps[begin : begin + (SOUND_WINDOWS_AT_ONCE - 1) * FEATURE_STEPS_PER_FRAME + WINDOW_STEPS]
            store.append(self._streams.embed_sound(some.to(self._device)).cpu().numpy())
        return store.rows(np.float32, EMBEDDING_SIZE, end=count)

    def embed(
        self,
        encoder: FaceEncoder,
        samples: Samples,
        first_frame: int,
        frame_count: int,
        counts: np.ndarray | None = None,
    ) -> Embeddings:
        if not isinstance(encoder, SyncNetV2FaceEncoder):
            raise TypeError("syncnet_v2 embeds what its own face encoder took in")
        start = first_frame * SAMPLES_PER_FRAME
        sound = samples[start : start + frame_count * SAMPLES_PER_FRAME]
        # As published: one window less than the pictures alone would give.
        count = max(0, min(frame_count, len(sound) // SAMPLES_PER_FRAME) - WINDOW_FRAMES)
        return Embeddings(
            video=encoder.embeddings(count),
            audio=self.embed_sound(sound, count),
            audio_lead=0,
            metric="euclidean",
            zero_pad_ends=True,
            middle_frame=WINDOW_FRAMES // 2,
        )

    def confidence(self, raw: float, embedding_count: int) -> float:
        return raw

    def odds(self, signs: np.ndarray) -> None:
        """Not known: nobody has fitted them to this network."""


def load_syncnet_v2(path: Path, device: str, precision: Precision = "float32") -> SyncNetV2:
    """The published network from a file that the caller trusts; ModelFileError where it is of another shape."""
    layers = SyncNetV2Layers()
    identity = load_checkpoint(layers, path)
    return SyncNetV2(SyncNetV2Streams(layers, dtype_of(precision)), identity, device)


def mfcc(samples: np.ndarray, steps_per_block: int = STEPS_PER_BLOCK) -> np.ndarray:
    """``python_speech_features.mfcc`` with its defaults, shape (steps, 13), float64, for each whole window of 25 ms.

    Long sound is worked through in blocks, because that library holds every window at once.
    """
    step_count = count_mel_steps(len(samples))
    coefficients = np.empty((step_count, COEFFICIENTS))
    for first in range(0, step_count, steps_per_block):
        end = min(first + steps_per_block, step_count)
        start = first * SAMPLES_PER_STEP
        # Pre-emphasis reaches one sample back; doing it here keeps block borders invisible.
        block = samples[max(start - 1, 0) : (end - 1) * SAMPLES_PER_STEP + WINDOW_SAMPLES].astype(np.float64)
        emphasised = np.append(block[:1], block[1:] - _PRE_EMPHASIS * block[:-1])
        coefficients[first:end] = psf.mfcc(emphasised[1 if start else 0 :], preemph=0)
    return coefficients
