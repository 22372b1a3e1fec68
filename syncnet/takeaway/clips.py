"""Ranges of videos -> the clips that are to be cut of them: where each goes, and what it is made from."""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av

from syncnet.conventions import FPS
from syncnet.engines.failures import DISK_FULL, FREE_SPACE
from syncnet.errors import VideoError
from syncnet.inputs.discovery import FileIdentity
from syncnet.looks.making import MADE_BY
from syncnet.placement.folders import OutputFolders
from syncnet.settings import CutOptions, MediaSettings
from syncnet.takeaway.ranges import Range, RangedVideo

CUTS_VERSION = 1
"""Raised whenever the same segment is cut in another way; what earlier versions cut is cut again."""
How = Literal["exact", "copy", "face"]


@dataclass(frozen=True)
class CutJob:
    """What is cut, and from where to where."""

    options: CutOptions
    folders: OutputFolders
    identity_of: Callable[[str], FileIdentity | None]
    """Of the file that was scored under a relative path; None where nobody knows."""
    uris: Mapping[str, str] = field(default_factory=dict)
    """Of remote videos, by relative path: those in the results have no secrets."""
    media: MediaSettings = field(default_factory=MediaSettings)
    threads: int = 1


@dataclass(frozen=True)
class Clip:
    """One file that is cut of one segment."""

    one: Range
    how: How
    target: Path
    made_from: str
    """Of all that it depends on: a clip that was made from the same is not cut again."""
    delay: Fraction
    """Seconds by which its sound comes later than in the video."""
    face_px: int = 0
    rival: Path | None = None
    """Another clip that has the same file."""

    @property
    def start(self) -> Fraction:
        """In seconds on the video's clock."""
        return _exactly(self.one.start_seconds)

    @property
    def end(self) -> Fraction:
        return _exactly(self.one.end_seconds)


@dataclass(frozen=True)
class CutSegment:
    """The clips of one segment: the plain one first."""

    one: Range
    clips: tuple[Clip, ...]


@dataclass(frozen=True)
class CutVideo:
    """The clips of one video."""

    video: RangedVideo
    identity: FileIdentity | None
    """Of its file when it was scored."""
    segments: tuple[CutSegment, ...]

    @property
    def clips(self) -> tuple[Clip, ...]:
        return tuple(clip for segment in self.segments for clip in segment.clips)


def plan_clips(videos: Iterable[RangedVideo], job: CutJob) -> list[CutVideo]:
    """What should stand in ``segments`` in the end, in the order of the videos."""
    names = _Names(job.folders.segments_dir)
    return [_plan_video(video, job, names) for video in videos]


class _Names:
    """Which files of the folder are spoken for."""

    def __init__(self, folder: Path) -> None:
        minds_case = not os.path.lexists(folder.with_name(folder.name.swapcase()))
        self._as_named = os.fspath if minds_case else _folded
        self._taken: dict[str, Path] = {}

    def claim(self, target: Path) -> Path | None:
        """The clip that has the file already, on the disk that the folder is on; None where it is free."""
        earlier = self._taken.setdefault(self._as_named(target), target)
        return None if earlier is target else earlier


def _plan_video(video: RangedVideo, job: CutJob, names: _Names) -> CutVideo:
    identity = job.identity_of(str(video.relative_path))
    folder = job.folders.segments_dir / video.relative_path
    used: dict[str, int] = {}
    segments = []
    for one in video.ranges:
        name = f"{one.start_seconds:.2f}-{one.end_seconds:.2f}"
        used[name] = used.get(name, 0) + 1
        # Two faces at the same time.
        name += f"~{used[name]}" if used[name] > 1 else ""
        kinds: list[tuple[How, str]] = [("copy" if job.options.copy else "exact", "")]
        if job.options.face_px is not None and one.fields["box"] is not None:
            kinds.append(("face", "_face"))
        clips = [_plan_clip(video, identity, one, job, how, folder / f"{name}{end}.mp4") for how, end in kinds]
        segments.append(CutSegment(one, tuple(replace(clip, rival=names.claim(clip.target)) for clip in clips)))
    return CutVideo(video, identity, tuple(segments))


def _plan_clip(
    video: RangedVideo, identity: FileIdentity | None, one: Range, job: CutJob, how: How, target: Path
) -> Clip:
    delay = offset_seconds(one) if job.options.without_offset else Fraction(0)
    face_px = (job.options.face_px or 0) if how == "face" else 0
    depends_on = {
        "version": CUTS_VERSION,
        "video": str(video.relative_path),
        "bytes": identity and identity.size,
        "mtime_ns": identity and identity.mtime_ns,
        "audio_track": video.audio_track,
        "size": video.size_px,
        "range": (one.start_seconds, one.end_seconds),
        "how": how,
        "delay": float(delay),
        "face": (face_px, one.fields["track"], one.fields["box"]) if face_px else None,
    }
    digest = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()
    return Clip(one, how, target, f"{MADE_BY}{digest}", delay, face_px)


def cannot_write(target: Path, error: OSError | av.FFmpegError) -> VideoError:
    """What the system, or FFmpeg, says about a file of the folder."""
    cure = FREE_SPACE if error.errno in DISK_FULL else "check that the output folder can be written to, then run again"
    return VideoError(f"cannot write {target}: {error.strerror}", path=target, cure=cure)


def offset_seconds(one: Range) -> Fraction:
    """By which the sound comes early in a segment, as finely as it is known; 0 where nothing is known."""
    offset, fine_ms = one.fields["offset"], one.fields["offset_fine_ms"]
    if offset is None or one.fields["evidence"] == "none":
        return Fraction(0)
    return Fraction(offset, FPS) if fine_ms is None else Fraction(str(fine_ms)) / 1000


def _exactly(seconds: float) -> Fraction:
    """As it was written, in hundredths of a second."""
    return Fraction(round(seconds * 100), 100)


def _folded(path: Path) -> str:
    return unicodedata.normalize("NFC", str(path)).casefold()
