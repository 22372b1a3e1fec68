"""Keepsakes -> the pictures and time lines of the page, within a size that a browser opens at once."""

from __future__ import annotations

import base64
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncnet.conventions import FPS
from syncnet.keepsake.file import Keepsake, TrackKeepsake, keepsake_path, read_keepsake
from syncnet.report.content import ReportContent
from syncnet.report.page_data import deciding_track, nearness, shown_tracks
from syncnet.results import VideoResult
from syncnet.scoring.turns import Conversation

MOST_LOOKED_AT = 400
"""Videos whose keepsakes are read: each takes some milliseconds."""
MOST_THUMBNAIL_BYTES = 2_500_000
MOST_STRIP_BYTES = 5_000_000
MOST_FACES_BYTES = 2_500_000
"""Of videos with several faces, all but the best."""
MOST_STRIPS = 3
"""Of one video, beside that of its best track."""
LEAST_PAUSE_FRAMES = 5
MOST_RANGES, MOST_OFFSETS = 300, 600
"""Of the time line of a file."""
MOST_POINTS = 300
"""Of a time line."""


@dataclass
class Pictures:
    """By the number of the video in the page."""

    thumbnails: dict[int, str] = field(default_factory=dict)
    """JPEG in base64: of the best track's face."""
    faces: dict[int, dict[int, str]] = field(default_factory=dict)
    """The same of each face that the page shows, by number of track."""
    strips: dict[int, dict[int, str]] = field(default_factory=dict)
    """JPEG in base64: mouths, by number of track."""
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Windows, loudness, frame-wise confidence and shots."""
    left_out: int = 0
    """Videos that have a face track, but no picture in the page."""


def collect_pictures(content: ReportContent) -> Pictures:
    """Those of the videos nearest to the thresholds first, until the page is full."""
    pictures = Pictures()
    faces = [number for number, result in enumerate(content.results) if result.tracks]
    order = heapq.nsmallest(MOST_LOOKED_AT, faces, key=lambda n: (nearness(content.results[n], content.thresholds), n))
    thumbnail_bytes = strip_bytes = face_bytes = 0
    for number in order:
        result = content.results[number]
        keepsake = read_keepsake(keepsake_path(content.folders.state_dir, result.relative_path))
        if keepsake is None or len(keepsake.tracks) != len(result.tracks):
            continue
        shown = shown_tracks(result)
        best = deciding_track(result) or 0
        pictures.lines[number] = {
            **_lines(keepsake, shown, result.conversation),
            "offsets": _strong_offsets(result, keepsake),
        }
        thumbnail = keepsake.tracks[best].thumbnail
        if len(thumbnail) and thumbnail_bytes + len(thumbnail) <= MOST_THUMBNAIL_BYTES:
            thumbnail_bytes += len(thumbnail)
            pictures.thumbnails[number] = _base64(thumbnail)
        faces_of = {n: keepsake.tracks[n].thumbnail for n in shown if len(keepsake.tracks[n].thumbnail)}
        size = sum(map(len, faces_of.values()))
        if len(result.tracks) > 1 and face_bytes + size <= MOST_FACES_BYTES:
            face_bytes += size
            pictures.faces[number] = {n: _base64(face) for n, face in faces_of.items()}
        wanted = [best, *(n for n in shown if n != best)][: 1 + MOST_STRIPS]
        strips = {n: keepsake.tracks[n].strip for n in wanted if len(keepsake.tracks[n].strip)}
        size = sum(map(len, strips.values()))
        if strips and strip_bytes + size <= MOST_STRIP_BYTES:
            strip_bytes += size
            pictures.strips[number] = {n: _base64(strip) for n, strip in strips.items()}
    pictures.left_out = len(faces) - len(pictures.thumbnails)
    return pictures


def _lines(keepsake: Keepsake, shown: Sequence[int], talk: Conversation | None) -> dict[str, Any]:
    return {
        "shots": keepsake.shot_starts.tolist(),
        "loudness": thin_out(keepsake.loudness_db, 0),
        "frames": len(keepsake.loudness_db),
        "speech": _ranges(keepsake.speech),
        # Faces scored as one come first.
        "tracks": [
            *([_turn_lines(keepsake, talk)] if talk else []),
            *(_track_lines(keepsake.tracks[number]) for number in shown),
        ],
    }


def _ranges(speech: np.ndarray) -> list[list[int]]:
    """Half-open ranges of frames in which somebody speaks, pauses of a few frames left out; the longest of them."""
    borders = np.flatnonzero(np.diff(speech.astype(np.int8), prepend=0, append=0))
    if not len(borders):
        return []
    gaps = borders[2::2] - borders[1:-1:2] >= LEAST_PAUSE_FRAMES
    starts, ends = borders[::2][np.r_[True, gaps]], borders[1::2][np.r_[gaps, True]]
    longest = np.sort(np.argsort(starts - ends, kind="stable")[:MOST_RANGES])
    return np.stack([starts, ends], axis=1)[longest].tolist()  # type: ignore[no-any-return]


def _strong_offsets(result: VideoResult, keepsake: Keepsake) -> list[list[float]]:
    """Second and offset of windows within segments that have strong evidence, at most ``MOST_OFFSETS``."""
    points = []
    for one in result.over_time.segments if result.over_time else ():
        segment = one.segment
        if segment.evidence != "strong" or segment.track is None or segment.track >= len(keepsake.tracks):
            continue
        middles = keepsake.tracks[segment.track].windows[:, 0] / FPS + 0.5
        inside = (middles >= segment.start_seconds) & (middles < segment.end_seconds)
        offsets = keepsake.tracks[segment.track].windows[inside, 1]
        points += [[round(float(at), 1), int(o)] for at, o in zip(middles[inside], offsets, strict=True)]
    return points[:: 1 + len(points) // MOST_OFFSETS]


def _track_lines(track: TrackKeepsake) -> dict[str, Any]:
    return {
        "windows": _windows(track.windows),
        "confidence": thin_out(track.confidence, 1),
        "strip_frames": track.strip_frames.tolist(),
    }


def _turn_lines(keepsake: Keepsake, talk: Conversation) -> dict[str, Any]:
    """Of faces that speak in turns: at each time those of the face whose turn it is."""
    spoken = [keepsake.tracks[number] for number in {turn.track for turn in talk.turns}]
    first = min((track.first_frame for track in spoken), default=0)
    end = max((track.first_frame + len(track.confidence) for track in spoken), default=0)
    confidence, windows = np.full(end - first, np.nan, np.float32), []
    for turn in talk.turns:
        track = keepsake.tracks[turn.track]
        middles = track.windows[:, 0] / FPS + 0.5
        windows.append(track.windows[(turn.start_seconds <= middles) & (middles < turn.end_seconds)])
        frames = track.first_frame + np.arange(len(track.confidence))
        inside = (turn.start_seconds * FPS <= frames) & (frames < turn.end_seconds * FPS)
        confidence[frames[inside] - first] = track.confidence[inside]
    joined = np.concatenate(windows) if windows else np.empty((0, 3), np.float32)
    return {"windows": _windows(joined), "confidence": thin_out(confidence, 1), "strip_frames": []}


def _windows(windows: np.ndarray) -> list[list[float]]:
    """First frame, offset, depth."""
    return [[int(frame), int(offset), round(float(depth), 2)] for frame, offset, depth in windows]


def thin_out(values: np.ndarray, decimals: int) -> list[float | None]:
    """At most ``MOST_POINTS`` values: means of equal stretches, null where a stretch holds no number."""
    count = min(len(values), MOST_POINTS)
    if not count:
        return []
    starts = np.arange(count) * len(values) // count
    exists = np.isfinite(values)
    sums = np.add.reduceat(np.where(exists, values, 0.0).astype(np.float64), starts)
    counts = np.add.reduceat(exists.astype(np.int64), starts)
    means = np.round(sums / np.maximum(counts, 1), decimals)
    return [float(mean) if number else None for mean, number in zip(means, counts, strict=True)]


def _base64(jpeg: np.ndarray) -> str:
    return base64.b64encode(jpeg.tobytes()).decode("ascii")
