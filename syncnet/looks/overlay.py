"""A scored video -> the same with what the score saw drawn into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from syncnet.conventions import FPS
from syncnet.keepsake.file import Keepsake
from syncnet.looks.drawing import DrawnTrack, draw_tracks
from syncnet.looks.movie import open_movie
from syncnet.looks.source import frame_at, source_frames
from syncnet.looks.strip import HEIGHT_PX, Strip
from syncnet.looks.whole import whole_file
from syncnet.media.opening import Media
from syncnet.results import VideoResult, with_share
from syncnet.scoring.score import SyncScore
from syncnet.system.interruption import StopFlag
from syncnet.verdict import describe_passing, describe_score

WIDEST_PX, NARROWEST_PX = 1280, 480
"""Larger pictures are drawn smaller, and small ones larger, so that words fit and stay readable."""


@dataclass(frozen=True)
class Canvas:
    """How a frame lies in the movie."""

    scale: float
    picture_px: tuple[int, int]
    """Width and height, both even."""


def draw_overlay(
    media: Media,
    result: VideoResult,
    keepsake: Keepsake | None,
    target: Path,
    stop: StopFlag,
    *,
    min_confidence: float | None,
    comment: str = "",
) -> None:
    """Writes the video with a box around each track, at its own frame rate and with the sound that was scored.

    ``min_confidence`` is drawn into the strip below the picture; None leaves the strip out. Raises OSError, VideoError
    and Interrupted, leaving nothing half-written.
    """
    info = media.info
    tracks = drawn_tracks(result, keepsake)
    canvas = plan_canvas(info.width, info.height)
    width, height = canvas.picture_px
    strip = None
    if min_confidence is not None:
        curve = result.best.curve if result.best else None
        whole = whole_file(result, keepsake)
        strip = Strip(width, describe_verdict(result), curve, tracks, info.duration_seconds, min_confidence, whole)
    size = (width, height + HEIGHT_PX if strip else height)
    fps = info.source_fps or FPS
    with open_movie(target, size, fps, media.samples, threads=media.threads, comment=comment) as movie:
        stop.enter("drawing", round(info.duration_seconds * fps))
        for seconds, frame_bgr in source_frames(media):
            stop.check()
            picture = cv2.resize(frame_bgr, canvas.picture_px, interpolation=cv2.INTER_AREA)
            draw_tracks(picture, tracks, frame_at(seconds), canvas.scale)
            movie.add(seconds, np.concatenate([picture, strip.draw(float(seconds))]) if strip else picture)


def plan_canvas(width: int, height: int) -> Canvas:
    """Room for a picture of so many pixels."""
    scale = min(WIDEST_PX / max(width, height), max(1.0, NARROWEST_PX / width))
    # H.264 keeps colours for two pixels at once.
    even = (max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2)))
    return Canvas(scale, even)


def drawn_tracks(result: VideoResult, keepsake: Keepsake | None) -> list[DrawnTrack]:
    """The tracks with their boxes; without a keepsake each has its mean box and one confidence from end to end."""
    kept = keepsake.tracks if keepsake and len(keepsake.tracks) == len(result.tracks) else None
    drawn = []
    for number, track in enumerate(result.tracks):
        score = track.score
        boxes = kept[number].boxes if kept else np.tile(np.array(track.mean_box), (track.frame_count, 1))
        whole = score.confidence if score else np.nan
        confidence = kept[number].confidence if kept else np.full(track.frame_count, whole)
        label, brief = _labels(score)
        chosen, turns = is_chosen(result, number), turns_of(result, number)
        drawn.append(DrawnTrack(number, chosen, track.first_frame, boxes, confidence, label, brief, turns))
    return drawn


def _labels(score: SyncScore | None) -> tuple[str, str]:
    """A track's score in a line and in a few letters; no offset where nothing supports it."""
    if score is None:
        return "no score", "no score"
    offset = f", {score.offset_frames:+d} fr" if score.rests_on_evidence else ""
    return f"{score.confidence:.1f}, {describe_score(score)}", f"{score.confidence:.1f}{offset}"


def is_chosen(result: VideoResult, number: int) -> bool:
    """Whether the video's score is that of this track, or of faces of which it is one."""
    return bool(turns_of(result, number)) or (result.best is not None and result.tracks[number].score is result.best)


def turns_of(result: VideoResult, number: int) -> tuple[tuple[float, float], ...]:
    """From when to when the track speaks, in seconds, where faces that speak in turns made the score."""
    turns = result.conversation.turns if result.conversation else ()
    return tuple((turn.start_seconds, turn.end_seconds) for turn in turns if turn.track == number)


def describe_verdict(result: VideoResult) -> str:
    """``PASSES: confidence 7.9, in sync``, or ``DOES NOT PASS`` with the reasons."""
    if result.best is None or result.verdict is None:
        return f"NO SCORE: {result.error}"
    words = describe_passing(passed=result.passed).upper()
    if result.passed:
        return f"{words}: confidence {result.best.confidence:.1f}, {with_share(describe_score(result.best), result)}"
    return f"{words}: {'; '.join(result.verdict.reasons)}"
