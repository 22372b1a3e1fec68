"""Scored videos -> what a protocol measures of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.evaluation.protocols import Faces
from syncnet.results import VideoResult
from syncnet.scoring.score import SyncScore

Kind = Literal["measured", "no_faces", "failed"]


@dataclass(frozen=True)
class Measure:
    """Of one face crop, or of a video."""

    confidence: float
    """LSE-C, or lite-C."""
    distance: float
    """LSE-D, or lite-D."""
    offset_frames: int

    @property
    def apart(self) -> float:
        """How far the confidence is above the distance."""
        return self.confidence - self.distance

    @property
    def abs_offset(self) -> int:
        return abs(self.offset_frames)


@dataclass(frozen=True)
class FileMeasures:
    """What a protocol has of one video."""

    name: str
    """Below the folder."""
    location: str
    kind: Kind
    faces: int
    """Face tracks with a score."""
    counted: tuple[Measure, ...] = ()
    """Those that count, each as much as another; empty unless it was measured."""
    over_faces: Measure | None = None
    """Mean over all of its face tracks."""
    error: str = ""

    @property
    def mean(self) -> Measure:
        """Of those that count."""
        return mean_of(self.counted)


def measure_files(results: Iterable[VideoResult], faces: Faces, *, from_curve: bool) -> list[FileMeasures]:
    """In the order of the results, without videos whose files are gone.

    ``from_curve``: the numbers are those of the mean curve alone, as published, and not those of the tool's own rules.
    """
    return [_measure(result, faces, from_curve=from_curve) for result in results if not result.missing]


def mean_of(measures: Sequence[Measure]) -> Measure:
    """Its offset is cut to a whole number, as in LatentSync's eval_sync_conf.py."""
    offset = int(fmean(each.offset_frames for each in measures))
    return Measure(fmean(m.confidence for m in measures), fmean(m.distance for m in measures), offset)


def measure_of(score: SyncScore, *, from_curve: bool) -> Measure:
    """The numbers of a score.

    From the curve (31,): the smallest mean distance, how far the median is above it, and where it is. The tool's own
    offset may be that of a stretch whose windows agree (docs/scores.md#stretches), at another place of the curve.
    """
    if not from_curve:
        return Measure(score.confidence, score.min_distance, score.offset_frames)
    least = float(np.nanmin(score.curve))
    place = int(np.nanargmin(score.curve))
    return Measure(float(np.nanmedian(score.curve)) - least, least, MAX_SHIFT_FRAMES - place)


def _measure(result: VideoResult, faces: Faces, *, from_curve: bool) -> FileMeasures:
    name, location = str(result.relative_path), result.location
    scores = [track.score for track in result.tracks if track.score is not None]
    if result.status == "no_faces":
        return FileMeasures(name, location, "no_faces", 0, error=result.error)
    if result.status == "failed" or result.best is None:
        return FileMeasures(name, location, "failed", len(scores), error=result.error or "no score")
    of_faces = [measure_of(score, from_curve=from_curve) for score in scores]
    counted = {
        "every": lambda: of_faces,
        "mean": lambda: [mean_of(of_faces)],
        "apart": lambda: [max(of_faces, key=lambda each: each.apart)],
        "best": lambda: [measure_of(result.best, from_curve=from_curve)] if result.best else [],
    }[faces]()
    if not all(math.isfinite(number) for each in counted for number in (each.confidence, each.distance)):
        return FileMeasures(name, location, "failed", len(scores), error="the score is not a number")
    return FileMeasures(name, location, "measured", len(scores), tuple(counted), mean_of(of_faces))
