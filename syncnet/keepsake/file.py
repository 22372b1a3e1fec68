"""What a scored video leaves behind for looking at: a small file of curves and pictures, beside no score's meaning.

A keepsake only shows what was seen while scoring. No verdict depends on it, and a video without one (the disk was full,
or its score was found again from before there were any) is shown without pictures.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from syncnet.keepsake.arrays import read_arrays
from syncnet.scoring.score import SHIFT_COUNT
from syncnet.system.atomic import NewFile

FORMAT = 1
"""Raised when a reader of today could not read the file; those of another format are as if there were none."""


@dataclass(frozen=True, eq=False)
class TrackKeepsake:
    """One face track."""

    first_frame: int
    """Of the video."""
    boxes: np.ndarray
    """(L, 4) float32 xyxy in pixels of the original frame, rounded to whole ones: the face in each frame."""
    confidence: np.ndarray
    """(L,) float32, on the scale of the track's confidence: how well each frame fits the sound at the track's offset.
    NaN where no sound stands beside the track."""
    windows: np.ndarray
    """(n, 3) float32, for each window of a second in which somebody speaks: its first frame in the video, its offset in
    frames, and its depth (median minus minimum of its curve, on the model's own scale)."""
    thumbnail: np.ndarray
    """JPEG of the sharpest of a few faces, (bytes,) uint8; empty where the video has too many tracks."""
    strip: np.ndarray
    """JPEG of up to 12 mouths side by side, squares as high as the picture, (bytes,) uint8; empty as above."""
    strip_frames: np.ndarray
    """(m,) int32: frames of the video that the mouths of the strip are from."""
    curves: np.ndarray = field(default_factory=lambda: np.empty((0, SHIFT_COUNT), np.float32))
    """(n, 31) float32, for each of the windows: mean distances on the model's own scale, NaN where there is no pair."""


@dataclass(frozen=True, eq=False)
class Keepsake:
    """One video."""

    tracks: tuple[TrackKeepsake, ...]
    """In the order of the tracks of the score."""
    shot_starts: np.ndarray
    """(s,) int32: first frame of each shot; empty where no shots were looked for."""
    loudness_db: np.ndarray
    """(F,) float32: of the sound beside each frame, in dB of full scale, -90 for silence."""
    speech: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    """(F,) bool: whether somebody speaks in each frame; empty in files of before."""


def keepsake_path(state_dir: Path, relative_path: PurePath | str) -> Path:
    """Where the keepsake of a video lies; ``relative_path`` is the video's below the input folder."""
    name = hashlib.sha256(os.fsencode(str(relative_path))).hexdigest()[:32]
    return state_dir / "keepsakes" / f"{name}.npz"


def write_keepsake(path: Path, keepsake: Keepsake) -> None:
    """Replaces the file at one stroke, and makes its folder. Raises OSError, leaving the old file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Its parts have checksums: what a loss of power makes of it is as if there were none.
    with NewFile(path, synced=False) as temporary, open(temporary, "xb") as writer:
        np.savez_compressed(writer, **_to_arrays(keepsake))


def read_keepsake(path: Path) -> Keepsake | None:
    """The keepsake of a file; None where there is none, or one that cannot be read."""
    try:
        return _from_arrays(read_arrays(path))
    except (OSError, ArithmeticError, ValueError, KeyError, TypeError, EOFError, RuntimeError, MemoryError):
        return None
    except (zipfile.BadZipFile, zlib.error):
        return None


def _to_arrays(keepsake: Keepsake) -> dict[str, Any]:
    """Everything of one kind in one array, with the lengths of its parts: each array of the file costs 250 bytes."""
    tracks = keepsake.tracks
    return {
        "format": np.array(FORMAT),
        "shot_starts": keepsake.shot_starts.astype(np.int32),
        "loudness_db": keepsake.loudness_db.astype(np.float16),
        "speech": np.packbits(keepsake.speech.astype(bool)),
        "first_frames": np.array([track.first_frame for track in tracks], np.int32),
        **_joined("boxes", [np.rint(track.boxes).astype(np.int32) for track in tracks], (0, 4)),
        **_joined("confidence", [track.confidence.astype(np.float16) for track in tracks], (0,)),
        **_joined("windows", [track.windows.astype(np.float32) for track in tracks], (0, 3)),
        **_joined("curves", [track.curves.astype(np.float16) for track in tracks], (0, SHIFT_COUNT)),
        **_joined("thumbnail", [track.thumbnail for track in tracks], (0,)),
        **_joined("strip", [track.strip for track in tracks], (0,)),
        **_joined("strip_frames", [track.strip_frames.astype(np.int32) for track in tracks], (0,)),
    }


def _joined(name: str, parts: Sequence[np.ndarray], empty: tuple[int, ...]) -> dict[str, np.ndarray]:
    lengths = np.array([len(part) for part in parts], np.int32)
    return {name: np.concatenate(parts) if parts else np.empty(empty, np.uint8), f"{name}_lengths": lengths}


def _from_arrays(arrays: Any) -> Keepsake:
    """Raises ValueError or KeyError for anything that is no whole keepsake of this format."""
    if int(arrays["format"]) != FORMAT:
        raise ValueError("a keepsake of another format")
    first_frames = arrays["first_frames"]
    names = ("boxes", "confidence", "windows", "thumbnail", "strip", "strip_frames")
    boxes, confidence, windows, thumbnails, strips, strip_frames = (
        _parts(arrays[name], arrays[f"{name}_lengths"], len(first_frames)) for name in names
    )
    # Files of before have neither curves nor speech.
    curves = _parts(arrays["curves"], arrays["curves_lengths"], len(first_frames)) if "curves" in arrays else None
    loudness_db = arrays["loudness_db"].astype(np.float32)
    packed = arrays["speech"] if "speech" in arrays else np.empty(0, np.uint8)
    tracks = [
        TrackKeepsake(
            int(first_frame),
            boxes[i].reshape(-1, 4).astype(np.float32),
            confidence[i].astype(np.float32),
            windows[i].reshape(-1, 3).astype(np.float32),
            thumbnails[i].astype(np.uint8),
            strips[i].astype(np.uint8),
            strip_frames[i],
            curves[i].reshape(-1, SHIFT_COUNT).astype(np.float32) if curves else np.empty((0, SHIFT_COUNT), np.float32),
        )
        for i, first_frame in enumerate(first_frames)
    ]
    whole = [arrays["shot_starts"], *(track.strip_frames for track in tracks)]
    finite = [array for track in tracks for array in (track.boxes, track.windows)]
    if any(array.dtype.kind not in "iu" or array.ndim != 1 for array in whole) or arrays["loudness_db"].ndim != 1:
        raise ValueError("frames that are no whole numbers")
    if not all(np.isfinite(array).all() for array in finite):
        raise ValueError("boxes or windows without numbers")
    speech = np.unpackbits(packed)[: len(loudness_db)].astype(bool)
    return Keepsake(tuple(tracks), arrays["shot_starts"], loudness_db, speech)


def _parts(joined: np.ndarray, lengths: np.ndarray, count: int) -> list[np.ndarray]:
    if len(lengths) != count or (lengths < 0).any() or lengths.sum() != len(joined):
        raise ValueError("parts that do not add up")
    return np.split(joined, np.cumsum(lengths)[:-1]) if count else []
