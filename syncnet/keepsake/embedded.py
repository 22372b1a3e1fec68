"""What is kept of a scored video to try its faces with other sound: the embeddings of its lips and of its sound.

Only ``--calibrate`` asks for it. Nothing is decoded again then.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, cast

import numpy as np

from syncnet.conventions import FPS, SAMPLES_PER_FRAME, Samples
from syncnet.keepsake.arrays import read_arrays
from syncnet.keepsake.file import keepsake_path
from syncnet.models.protocol import Embeddings, Metric, SyncModel
from syncnet.scoring.speech import without_long_pauses
from syncnet.system.atomic import NewFile

MOST_SOUND_FRAMES = 120 * FPS
"""The sound of a longer file is kept from its start only: it is repeated beside faces that are seen for longer."""


@dataclass(frozen=True, eq=False)
class EmbeddedVideo:
    """One video."""

    first_frames: np.ndarray
    """(n,) int32: the video's frame at which each track starts, in the order of the tracks of the score."""
    lips: tuple[np.ndarray, ...]
    """Of each track (W, D) float16, one a frame."""
    sound: np.ndarray
    """(A, D) float16: of the whole file; ``sound[i]`` is in step with lip i of a track that starts at frame 0."""
    speech: np.ndarray
    """(F,) bool: whether somebody speaks in each frame."""
    metric: Metric
    zero_pad_ends: bool
    middle_frame: int
    """As of ``Embeddings``."""


def embed_video(
    tracks: Sequence[tuple[int, Embeddings]], model: SyncModel, samples: Samples, speech: np.ndarray
) -> EmbeddedVideo:
    """``tracks``: first frame and embeddings of each. ``samples`` and ``speech`` are those of the whole file."""
    frames = min(len(samples) // SAMPLES_PER_FRAME, MOST_SOUND_FRAMES)
    counts = without_long_pauses(speech)
    whole = model.embed(model.face_encoder(), samples[: frames * SAMPLES_PER_FRAME], 0, frames, counts)
    return EmbeddedVideo(
        np.array([first_frame for first_frame, _ in tracks], np.int32),
        tuple(embeddings.video[:].astype(np.float16) for _, embeddings in tracks),
        whole.audio[:].astype(np.float16),
        speech[:frames].astype(bool),
        whole.metric,
        whole.zero_pad_ends,
        whole.middle_frame,
    )


def embedded_path(state_dir: Path, relative_path: PurePath | str) -> Path:
    """Where the file of a video lies; ``relative_path`` is the video's below the input folder."""
    return state_dir / "embeddings" / keepsake_path(state_dir, relative_path).name


def write_embedded(path: Path, video: EmbeddedVideo) -> None:
    """Replaces the file at one stroke, and makes its folder. Raises OSError, leaving the old file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        "first_frames": video.first_frames,
        "sound": video.sound,
        "speech": video.speech,
        "metric": np.array(video.metric),
        "zero_pad_ends": np.array(video.zero_pad_ends),
        "middle_frame": np.array(video.middle_frame),
        **{f"lips_{number}": lips for number, lips in enumerate(video.lips)},
    }
    # What a loss of power makes of it is as if there were none.
    with NewFile(path, synced=False) as temporary, open(temporary, "xb") as writer:
        np.savez(writer, **arrays)


def read_embedded(path: Path) -> EmbeddedVideo | None:
    """What the file holds; None where there is none, or one that cannot be read."""
    try:
        arrays = read_arrays(path)
        first_frames, metric = arrays["first_frames"], str(arrays["metric"])
        if metric not in ("cosine", "euclidean"):
            return None
        lips = tuple(arrays[f"lips_{number}"] for number in range(len(first_frames)))
        sound, speech = arrays["sound"], arrays["speech"].astype(bool)
        if any(each.ndim != 2 or each.shape[1] != sound.shape[1] for each in (sound, *lips)) or speech.ndim != 1:
            return None
        padded, middle = bool(arrays["zero_pad_ends"]), int(arrays["middle_frame"])
    except (OSError, ArithmeticError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    return EmbeddedVideo(first_frames, lips, sound, speech, cast("Metric", metric), padded, middle)
