"""What the published pipeline has the ffmpeg program do, behind one protocol."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from syncnet.conventions import FPS, SAMPLE_RATE
from syncnet.system.interruption import StopFlag

FRAME_PATTERN = "%06d.jpg"
ALIGN_START = "async=1:min_hard_comp=0.100000:first_pts=0"
"""Of the filter aresample: what ffmpeg 5 and 6 make of the published ``-async 1``, byte for byte; later versions have
the filter only. Sound is padded or cut to start at zero, and gaps of 0.1 s and more become silence."""
WHOLE_FRAME_QUALITY = 2
"""Of the JPEG files of whole frames. Those of crops get none: the encoder's rate control decides, and it is coarse."""


@dataclass(frozen=True)
class ReferenceJob:
    """One video on its way through the published pipeline."""

    path: Path
    """The video itself: errors name it."""
    stop: StopFlag
    time_limit_seconds: float
    """For each call of a program."""
    audio_track: int | None = None
    """Of the video itself, counted from 0; None: the tool's own choice."""

    def track_of(self, video: Path) -> int | None:
        """The track to take of a file: those between the steps hold one only."""
        return self.audio_track if video == self.path else None


class ReferenceTools(Protocol):
    """Raises VideoError where a step fails, OSError where the disk does, Interrupted once the job's flag is set."""

    @property
    def name(self) -> str:
        """Program or library and its version."""

    def reencode(self, job: ReferenceJob, video: Path, avi: Path) -> None:
        """25 frames a second in MPEG-4 at quality 2, and the sound in AVI's usual codec, its start padded or cut."""

    def write_frames(self, job: ReferenceJob, video: Path, folder: Path, quality: int | None) -> None:
        """JPEG files ``000001.jpg`` and on, one for each 1/25 s."""

    def write_sound(self, job: ReferenceJob, video: Path, wav: Path, *, align_start: bool) -> None:
        """16 kHz mono int16. ``align_start``: pad or cut the sound so that it starts at the file's time zero."""

    def join(self, job: ReferenceJob, silent_avi: Path, wav: Path, avi: Path) -> None:
        """Picture and sound in one file, neither of them encoded again."""


def list_frames(folder: Path) -> list[Path]:
    """The JPEG files of ``write_frames`` in their order."""
    return sorted(folder.glob("*.jpg"))


def read_wav(wav: Path) -> np.ndarray:
    """The samples of a mono 16 kHz file, (S,) int16."""
    with wave.open(str(wav), "rb") as reader:
        return np.frombuffer(reader.readframes(reader.getnframes()), np.int16)


def write_wav(wav: Path, samples: np.ndarray) -> None:
    """(S,) int16 at 16 kHz, mono."""
    with wave.open(str(wav), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(samples.itemsize)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(samples.tobytes())


def cut_wav(wav: Path, part: Path, frames: Sequence[int]) -> np.ndarray:
    """Writes, and returns, the sound beside ``frames``: from the first to the end of the last, or of the sound.

    The published ``ffmpeg -ss START -to END`` on such a file cuts at the same samples and changes none.
    """
    first, end = (frame * SAMPLE_RATE // FPS for frame in (frames[0], frames[-1] + 1))
    samples = read_wav(wav)[first:end]
    write_wav(part, samples)
    return samples
