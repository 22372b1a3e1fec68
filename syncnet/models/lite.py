"""The embedded model ``lite``: small, ours, and always at hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

import weights
from syncnet import FEATURE_STEPS_PER_FRAME, MAX_SHIFT_FRAMES, SAMPLES_PER_FRAME
from syncnet.errors import ModelFileError
from syncnet.features import MOUTH_SIZE_PX, WINDOW_SAMPLES, cut_mouths, log_mel, normalise_bands
from syncnet.models import Embeddings, FaceEncoder
from syncnet.models.lite_calibration import Calibration, read_calibration
from syncnet.models.lite_network import CONTEXT_FRAMES, CONTEXT_STEPS, EMBEDDING_SIZE, FRAME_FEATURES, LiteNetwork

WEIGHTS_FILE = "lite.safetensors"
CALIBRATION_FILE = "lite_calibration.json"
NEIGHBOURS = 2
"""A frame's features need the frame before and the one after."""


class LiteFaceEncoder:
    """Frame features of one track, 128 numbers a frame; of the pictures only the last two are kept."""

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
        """(track frames - 2, 128), on the model's device."""
        return torch.cat(self._features) if self._features else torch.empty(0, FRAME_FEATURES)


class LiteModel:
    """See syncnet.models.SyncModel. Distances are 1 - cosine, on a scale of their own: no LSE-D."""

    name = "lite"
    # Eleven frames make one embedding; with fewer than fifteen pairs the far shifts would have none left.
    min_track_frames = CONTEXT_FRAMES + MAX_SHIFT_FRAMES

    def __init__(self, network: LiteNetwork, calibration: Calibration, identity: str, device: str) -> None:
        self.identity = identity
        # torch's annotations do not know memory_format here, its documentation does.
        network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network.eval().requires_grad_(False)
        self._calibration = calibration
        self._device = device

    def face_encoder(self) -> LiteFaceEncoder:
        return LiteFaceEncoder(self)

    @torch.inference_mode()
    def encode_mouths(self, mouths: np.ndarray) -> torch.Tensor:
        """(n, 64, 64) uint8 -> (n - 2, 128)."""
        batch = torch.from_numpy(mouths)[None].to(self._device)
        features: torch.Tensor = self._network.frame_network(batch.float())[0]
        return features

    def embed(self, encoder: FaceEncoder, samples: np.ndarray, first_frame: int, frame_count: int) -> Embeddings:
        if not isinstance(encoder, LiteFaceEncoder):
            raise TypeError("lite embeds what its own face encoder took in")
        return self.embed_features(encoder.features(), samples, first_frame, frame_count)

    @torch.inference_mode()
    def embed_features(
        self, features: torch.Tensor, samples: np.ndarray, first_frame: int, frame_count: int
    ) -> Embeddings:
        """As ``embed``, from the frame features, shape (frame_count - 2, 128), of the track."""
        video = self._network.embed_lips(features[None])[0] if len(features) >= CONTEXT_FRAMES - 2 else None
        sound_first = max(0, first_frame - MAX_SHIFT_FRAMES)
        audio = self._embed_sound(samples, sound_first, first_frame + frame_count + MAX_SHIFT_FRAMES)
        nothing = np.empty((0, EMBEDDING_SIZE), np.float32)
        return Embeddings(
            video=nothing if video is None else video.cpu().numpy(),
            audio=nothing if audio is None else audio.cpu().numpy(),
            audio_lead=first_frame - sound_first,
            metric="cosine",
            zero_pad_ends=False,
        )

    def _embed_sound(self, samples: np.ndarray, first_frame: int, end_frame: int) -> torch.Tensor | None:
        # The last step of a frame starts 480 samples into it and is 400 long: it reaches into the next frame.
        reach = WINDOW_SAMPLES - SAMPLES_PER_FRAME // FEATURE_STEPS_PER_FRAME
        mel = log_mel(samples[first_frame * SAMPLES_PER_FRAME : end_frame * SAMPLES_PER_FRAME + reach])
        if len(mel) < CONTEXT_STEPS:
            return None
        embeddings = self._network.embed_sound(torch.from_numpy(normalise_bands(mel))[None].to(self._device))
        return embeddings[0]

    def confidence(self, raw: float, embedding_count: int) -> float:
        return self._calibration.confidence_of(raw, embedding_count + CONTEXT_FRAMES - 1)


def load_lite(device: str, weights_dir: Path | None) -> LiteModel:
    """The embedded model; ModelFileError where its files are missing or were changed."""
    return read_lite(_find(WEIGHTS_FILE, weights_dir), _find(CALIBRATION_FILE, weights_dir), device)


def read_lite(weights_path: Path, calibration_path: Path, device: str) -> LiteModel:
    """The model from two files that the caller trusts, such as fresh ones of a training."""
    network = LiteNetwork()
    try:
        network.load_state_dict(load_file(weights_path))
    except (RuntimeError, OSError, SafetensorError) as error:
        raise ModelFileError(
            f"{weights_path} does not fit this version ({str(error).splitlines()[0]})",
            path=weights_path,
            cure="restore it with `git checkout weights/`",
        ) from error
    calibration = read_calibration(calibration_path)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (weights_path, calibration_path)]
    return LiteModel(network, calibration, f"{digests[0]}+{digests[1][:12]}", device)


def _find(file_name: str, weights_dir: Path | None) -> Path:
    path = weights.find_weights(file_name, weights_dir)
    if path is None:
        raise ModelFileError(
            f"the embedded model's {file_name} is missing", cure="restore it with `git checkout weights/`"
        )
    return path
