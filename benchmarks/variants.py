"""Variants of a talking clip whose timing is known: moved sound, frame rates, containers, starts, rotations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np

from benchmarks.media_timing import CONTAINERS, FRAME_RATES, STARTS, VARIABLE, base_clip
from syncnet.conventions import FPS
from synthetic.media import Clip, write_clip
from synthetic.source_clip import SourceClip

REFERENCE = "MP4/AAC, 25 fps"
WHOLE, HALVES, QUARTERS = (f"{REFERENCE}, {part}" for part in ("whole frames", "halves", "quarters"))
REFERENCE_KINDS = (WHOLE, HALVES, QUARTERS)
"""What every other kind is held against."""
EDIT_SECONDS = 0.48


@dataclass(frozen=True)
class Delays:
    """By how many frames of 1/25 s the sound is delayed; below zero it is moved ahead."""

    whole: tuple[float, ...]
    halves: tuple[float, ...]
    quarters: tuple[float, ...]
    others: tuple[float, ...]
    """For all kinds but the reference. An offset is a whole number of frames, so the fractions of the delays are spread
    evenly over a frame: the mean error then shows a bias far below a frame."""


FULL = Delays(
    whole=tuple(float(delay) for delay in range(-12, 13)),
    halves=(-11.5, -8.5, -5.5, -2.5, -0.5, 0.5, 2.5, 5.5, 8.5, 11.5),
    quarters=(-8.75, -4.25, -1.75, -0.25, 0.25, 1.75, 4.25, 8.75),
    others=(-7.0, -2.75, 1.5, 5.75),
)
QUICK = Delays(
    whole=(-12.0, -6.0, -1.0, 0.0, 1.0, 6.0, 12.0), halves=(-5.5, -0.5, 0.5, 5.5), quarters=(), others=(-7.0, 1.5)
)


@dataclass(frozen=True)
class Variant:
    """One file to be made of a source clip."""

    kind: str
    delay_frames: float
    extension: str
    clip: Clip
    """How it is written; its pictures and sound come from the source."""


def plan_variants(seconds: float, delays: Delays) -> list[Variant]:
    """Every variant of one clip, the reference first."""
    planned: list[Variant] = []
    for kind, group in zip(REFERENCE_KINDS, (delays.whole, delays.halves, delays.quarters), strict=True):
        planned += [Variant(kind, delay, *base_clip("MP4/AAC", "25", seconds)) for delay in group]
    kinds = {f"MP4/AAC, {rate} fps": base_clip("MP4/AAC", rate, seconds) for rate in FRAME_RATES if rate != "25"}
    kinds["MP4/AAC, variable frame rate"] = base_clip("MP4/AAC", VARIABLE, seconds)
    for container in CONTAINERS:
        if container not in ("MP4/AAC", "MPEG-TS/AAC"):
            kinds[f"{container}, 25 fps"] = base_clip(container, "25", seconds)
    kinds |= _unusual_starts(seconds)
    for kind, (extension, clip) in kinds.items():
        planned += [Variant(kind, delay, extension, clip) for delay in delays.others]
    extension, clip = base_clip("MP4/AAC", "25", seconds)
    for delay, degrees in zip(delays.others, (90, -90, 180, -90), strict=False):
        turned = replace(clip, counter_clockwise_degrees=degrees)
        planned.append(Variant("MP4/AAC, 25 fps, turned by a rotation flag", delay, extension, turned))
    return planned


def _unusual_starts(seconds: float) -> dict[str, tuple[str, Clip]]:
    kinds = {}
    for container, start in zip(("MP4/AAC", "Matroska/Opus", "MPEG-TS/MP2"), STARTS, strict=True):
        extension, clip = base_clip(container, "25", seconds - STARTS[start].get("video_start", 0.0))
        kinds[f"{container}, {start}"] = extension, replace(clip, **STARTS[start])
    extension, clip = base_clip("MP4/AAC", "25", seconds + EDIT_SECONDS)
    kinds[f"MP4/AAC, an edit list hides {EDIT_SECONDS} s of picture"] = (
        extension,
        replace(clip, video_start=-EDIT_SECONDS),
    )
    return kinds


def write_variant(path: Path, source: SourceClip, variant: Variant, sound_early_frames: float = 0.0) -> Path:
    """Write the variant of a source whose own sound is early by so much, which is taken off first.

    What is shown and heard at a time of the file is what the source shows and plays at that time, the sound delayed:
    a stream that starts later leaves its beginning out.
    """
    turned = variant.clip.counter_clockwise_degrees
    size_px = source.size_px[::-1] if turned % 180 else source.size_px
    clip = replace(variant.clip, size_px=size_px)
    times = [float(time) for time in clip.times_of_frames()]
    delay_seconds = (variant.delay_frames + sound_early_frames) / FPS
    sound = source.sound_delayed(delay_seconds, max(times) + 1 / FPS)
    return write_clip(path, clip, lambda number: _picture(source.frame_at(times[number]), turned), sound)


def _picture(packed: np.ndarray, turned_degrees: int) -> av.VideoFrame:
    """The picture as it is stored: turned against what players are asked to do."""
    frame = av.VideoFrame.from_ndarray(packed, format="yuv420p")
    if not turned_degrees:
        return frame
    stored = np.rot90(frame.to_ndarray(format="bgr24"), -turned_degrees // 90)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), format="bgr24")
