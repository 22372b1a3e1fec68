"""Results -> what the page is given: plain values for JSON, pictures bounded, names as text."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import msgspec
import numpy as np

from syncnet.conventions import FPS
from syncnet.overtime.words import changes_of, describe_along
from syncnet.placement.folders import OutputFolders
from syncnet.report.command_line import without_thresholds
from syncnet.report.content import ReportContent
from syncnet.report.curable import describe_curable
from syncnet.report.run import count_results
from syncnet.results import TrackScore, VideoResult
from syncnet.scoring.turns import Conversation
from syncnet.settings import OverTimeSettings, Thresholds, presets_of
from syncnet.system.text import printable

MOST_TRACKS = 12
"""Of one video; the best one is among them."""
CURVE_DECIMALS, TIME_DECIMALS, CONFIDENCE_DECIMALS = 3, 2, 5
SEGMENT_KINDS = ("speech", "no_match", "off_screen")
"""By their numbers in the page."""


def describe_content(content: ReportContent) -> dict[str, Any]:
    """All but the videos."""
    counts = count_results(content.results)
    return {
        # What this browser keeps of one folder is not for another.
        "folder": os.path.abspath(content.folders.output_dir),
        "output_dir": printable(str(content.folders.output_dir)),
        "timestamp": content.timestamp,
        "model": content.model,
        "detector": content.detector,
        "notices": [printable(notice) for notice in content.notices],
        "complete": content.complete,
        "interrupted": content.interrupted,
        "total": content.total,
        "counts": {"good": counts.good, "poor": counts.poor, "no_faces": counts.no_faces, "failed": counts.failed},
        "thresholds": _thresholds(content.thresholds),
        "whole": _whole(content.over_time),
        "presets": {name: _thresholds(preset) for name, preset in presets_of(content.model).items()},
        "command": without_thresholds(content.command),
        "directory": printable(content.command.directory),
    }


def describe_decisions(content: ReportContent) -> list[dict[str, Any]]:
    """What the folder keeps, as files of decisions have it."""
    return [msgspec.to_builtins(entry) for entry in content.decisions.entries.values()]


def describe_video(result: VideoResult, content: ReportContent) -> dict[str, Any]:
    """A row of the table, with all that a verdict depends on."""
    best, info, path = result.best, result.info, str(result.relative_path)
    evidence, timing = (best.evidence, best.timing) if best else (None, None)
    curable, repair_line = describe_curable(result, content.folders, content.command)
    return {
        "name": printable(path),
        # Where that is not what is shown.
        "path": None if path.isprintable() else path,
        # Size and time, by which decisions know it. As a text: JavaScript has no whole numbers of that size.
        "file": f"{result.file_bytes}-{result.mtime_ns}",
        "status": result.status,
        # Not rounded: the page must come to the same verdict at any threshold.
        "confidence": _number(best.confidence) if best else None,
        "distance": _number(best.min_distance) if best else None,
        "offset": int(best.offset_frames) if best else None,
        "fine_ms": _number(timing.milliseconds, 0) if timing else None,
        "interval_ms": [_number(edge, 0) for edge in timing.interval_ms] if timing and timing.interval_ms else None,
        "evidence": evidence.level if evidence else None,
        "problem": evidence.problem if evidence else "",
        "windows": [evidence.agreeing, evidence.windows] if evidence else None,
        "pieces": [
            [round(p.start_seconds, TIME_DECIMALS), round(p.end_seconds, TIME_DECIMALS), p.offset_frames]
            for p in (evidence.pieces if evidence else ())
        ],
        "time": _time(result),
        "unmatched": _number(evidence.unmatched_share) if evidence else 0.0,
        "fits": [
            [round(s.start_seconds, TIME_DECIMALS), round(s.end_seconds, TIME_DECIMALS)]
            for s in (evidence.stretches if evidence else ())
            if s.matched
        ],
        # Not rounded either: to be rounded twice is to be told otherwise than in the terminal.
        "seconds": _number(info.duration_seconds) if info else None,
        "size": [info.width, info.height] if info else None,
        "fps": _number(info.source_fps, 3) if info else None,
        "faces": len(result.tracks),
        "error": printable(result.error),
        "cure": printable(result.cure),
        "curable": curable,
        "repair_line": repair_line,
        "missing": result.missing,
        "href": find_href(result, content.folders),
        "overlay": _find_beside(content.folders.overlay_path(result.relative_path), content.folders),
        "preview": _find_beside(content.folders.preview_path(result.relative_path), content.folders),
    }


def _time(result: VideoResult) -> dict[str, Any] | None:
    """The time line of a file; the page judges its segments by itself. None in records of before."""
    judged = result.over_time
    if judged is None:
        return None
    over_time = judged.over_time
    return {
        "segments": [
            [
                SEGMENT_KINDS.index(one.segment.kind),
                round(one.segment.start_seconds, TIME_DECIMALS),
                round(one.segment.end_seconds, TIME_DECIMALS),
                round(one.segment.speech_seconds, TIME_DECIMALS),
                one.segment.track,
                one.segment.offset_frames,
                one.segment.confidence,
                one.segment.evidence,
            ]
            for one in judged.segments
        ],
        "speech": round(over_time.speech_seconds, TIME_DECIMALS),
        "seen": round(over_time.seen_speech_seconds, TIME_DECIMALS),
        "off_screen": judged.off_screen_share or 0.0,
        "faces": _faces(result.tracks),
        "changes": [[list(offsets), words] for offsets, words in changes_of(over_time.along)],
        "along": describe_along(over_time.along),
    }


def _faces(tracks: Sequence[TrackScore]) -> list[list[float]]:
    """From when to when a face is seen, in seconds."""
    ranges: list[list[float]] = []
    for start, end in sorted((track.first_frame, track.first_frame + track.frame_count) for track in tracks):
        if ranges and start / FPS <= ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], end / FPS)
        else:
            ranges.append([start / FPS, end / FPS])
    return ranges


def describe_tracks(result: VideoResult) -> dict[str, Any]:
    """What the opened detail of a video shows without any keepsake."""
    chosen, talk = shown_tracks(result), result.conversation
    best = None if talk else deciding_track(result)
    tracks = [_track(result.tracks[number], number, talk, best=number == best) for number in chosen]
    return {
        # Container, and the codecs of picture and sound: what a browser cannot play is told by them.
        "format": [info.container, info.video_codec, info.audio_codec] if (info := result.info) else None,
        "tracks": [*([_together(talk, result)] if talk else []), *tracks],
        "more_tracks": len(result.tracks) - len(chosen),
    }


def shown_tracks(result: VideoResult) -> list[int]:
    """Numbers of at most ``MOST_TRACKS`` tracks: the first ones, and the best."""
    best = deciding_track(result)
    others = [number for number in range(len(result.tracks)) if number != best]
    return sorted([*([] if best is None else [best]), *others][:MOST_TRACKS])


def deciding_track(result: VideoResult) -> int | None:
    """Number of the track whose score decides; of several faces scored as one, that with the highest confidence."""
    scores = [(number, track.score) for number, track in enumerate(result.tracks) if track.score is not None]
    own = (number for number, score in scores if score is result.best)
    highest = max(scores, key=lambda entry: _number(entry[1].confidence) or 0.0, default=(None, None))
    return next(own, highest[0])


def nearness(result: VideoResult, thresholds: Thresholds) -> float:
    """How far the video is from the border between pass and fail: in confidence or distance, a frame of offset counting
    as one.

    Infinite where there is no score, and where no threshold would make it pass.
    """
    best = result.best
    if result.status != "success" or best is None or not math.isfinite(best.confidence):
        return math.inf
    to_confidence = best.confidence - thresholds.min_confidence
    offsets = [best.offset_frames, *(p.offset_frames for p in (best.evidence.pieces if best.evidence else ()))]
    limit = thresholds.max_distance
    to_distance = math.inf if limit is None else limit - best.min_distance
    # Frames that the worst offset is within its limits; below zero, beyond them.
    to_limit = min(min(o - thresholds.lowest_offset, thresholds.highest_offset - o) for o in offsets)
    if not best.rests_on_evidence or (best.evidence and not best.evidence.fits) or math.isnan(to_distance):
        return math.inf
    if min(to_confidence, to_limit, to_distance) >= 0:
        # One of them has to be crossed; an offset within its limits is beyond them one frame further.
        return min(to_confidence, to_limit + 1, to_distance)
    return math.hypot(min(to_confidence, 0.0), min(to_limit, 0), min(to_distance, 0.0))


def find_href(result: VideoResult, folders: OutputFolders) -> str | None:
    """Where the page finds the file, as a relative address; None where the file is not."""
    # Most videos are where they were, and a path is slow to make.
    if os.path.lexists(result.path):
        return _relative_address(str(result.path), str(folders.output_dir))
    for folder in (folders.good_dir, folders.poor_dir):
        path = os.path.join(folder, result.relative_path)
        if os.path.lexists(path):
            return _relative_address(path, str(folders.output_dir))
    return None


def _find_beside(path: Path, folders: OutputFolders) -> str | None:
    """The same for what --visualize, or --previews, made of the video."""
    if not os.path.lexists(path):
        return None
    return _relative_address(str(path), str(folders.output_dir))


def _relative_address(path: str, start: str) -> str:
    folder, name = os.path.split(path)
    # The dot first: "a:b.mp4" would be an address of its own.
    relative = os.path.join(os.curdir, _relative_folder(folder, start), name)
    return quote_from_bytes(os.fsencode(relative))


@functools.lru_cache(maxsize=256)
def _relative_folder(folder: str, start: str) -> str:
    """Thousands of videos lie in one folder, and the system is asked about each part of its path."""
    relative = os.path.relpath(os.path.realpath(folder), os.path.realpath(start))
    return "" if relative == os.curdir else relative


def _together(talk: Conversation, result: VideoResult) -> dict[str, Any]:
    """Faces that speak in turns, in the form of a track that has no number."""
    speakers = [result.tracks[number] for number in {turn.track for turn in talk.turns}]
    first = min((track.first_frame for track in speakers), default=0)
    end = max((track.first_frame + track.frame_count for track in speakers), default=0)
    whole = TrackScore(first, end - first, (0.0, 0.0, 0.0, 0.0), talk.score)
    return _track(whole, None, talk, best=True)


def _track(track: TrackScore, number: int | None, talk: Conversation | None, *, best: bool) -> dict[str, Any]:
    score = track.score
    turns = [turn for turn in (talk.turns if talk else ()) if number in (None, turn.track)]
    return {
        "number": number,
        "best": best,
        "turns": [[round(turn.start_seconds, 2), round(turn.end_seconds, 2)] for turn in turns],
        "first": track.first_frame,
        "count": track.frame_count,
        "confidence": _number(score.confidence, CONFIDENCE_DECIMALS) if score else None,
        "offset": int(score.offset_frames) if score else None,
        "evidence": score.evidence.level if score and score.evidence else None,
        "curve": _rounded_curve(score.curve) if score else None,
    }


def _whole(settings: OverTimeSettings) -> dict[str, float]:
    """What the whole file needs to pass."""
    return {
        "min_coverage": settings.min_coverage,
        "min_in_sync": settings.min_in_sync_seconds,
        "max_off_screen": settings.max_off_screen,
    }


def _thresholds(thresholds: Thresholds) -> dict[str, Any]:
    return {
        "min_confidence": thresholds.min_confidence,
        "lowest": thresholds.lowest_offset,
        "highest": thresholds.highest_offset,
        "max_distance": thresholds.max_distance,
    }


def _number(value: float, decimals: int | None = None) -> float | None:
    if not math.isfinite(value):
        return None
    return float(value) if decimals is None else round(float(value), decimals)


def _rounded_curve(curve: np.ndarray) -> list[float | None]:
    """What ``round`` makes of each value, in a tenth of the time: a float32 times a thousand is exact as a float64."""
    values: list[float | None] = np.round(curve.astype(np.float64), CURVE_DECIMALS).tolist()
    if np.isfinite(curve).all():
        return values
    return [value if exists else None for value, exists in zip(values, np.isfinite(curve), strict=True)]
