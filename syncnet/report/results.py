"""sync_filter_results.json; every key is explained in docs/results.md."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from pathlib import Path
from typing import Any

import syncnet
from syncnet.discovery import SkippedPath
from syncnet.engines import VideoResult
from syncnet.memory import METER
from syncnet.memory_collector import without_collector
from syncnet.pipeline_scores import TrackScore
from syncnet.report import Identity, Run, count_results, count_this_run
from syncnet.report.versions import library_version
from syncnet.scoring import SyncScore
from syncnet.temporary import temporary_beside
from syncnet.turns import Conversation
from syncnet.verdict import offset_direction, offset_milliseconds

# A score's last digits change with the number of threads that added it up. These are the ones that do not.
SCORE_DECIMALS = 3
MOST_INDENTED = 2000
"""Videos. With more of them nobody reads the file by eye, and setting it out takes ten times as long."""


@without_collector()
def build_results(run: Run) -> dict[str, Any]:
    """The document, ready for JSON: no NaN, no infinity."""
    counts = count_results(run.results)
    return {
        "filter_settings": {
            "min_confidence": run.thresholds.min_confidence,
            "max_abs_offset": run.thresholds.max_abs_offset,
            "min_offset": run.thresholds.lowest_offset,
            "max_offset": run.thresholds.highest_offset,
            "min_face_size": run.tracks.min_face_px,
            "min_track": run.tracks.min_track_frames,
            "preset": run.asked.preset,
            "model": run.asked.model,
            "detector": run.asked.detector,
            "no_detection": run.asked.no_detection,
            "reference": run.asked.reference,
            "audio_track": run.asked.audio_track,
            "reference_tools": run.reference_tools or None,
            "device": run.asked.device,
        },
        "total_videos": run.total,
        "successful_processing": counts.successful,
        "good_quality": counts.good,
        "poor_quality": counts.poor,
        "no_faces_detected": counts.no_faces,
        "processing_failed": counts.failed,
        "not_processed": run.total - counts.all - len(run.pending),
        "missing": sum(result.missing for result in run.results),
        "interrupted": run.interrupted,
        "complete": run.complete,
        "this_run": _this_run(run),
        "timestamp": round(time.time(), 3),
        "model": _identity(run.model),
        "detector": _identity(run.detector),
        "notices": list(run.notices),
        "versions": _versions(),
        "unreadable": [_skipped(path) for path in run.found.unreadable],
        "left_out": [_skipped(path) for path in run.found.left_out],
        "pending": [_skipped(path) for path in run.pending],
        "results": [_video(result) for result in run.results],
    }


def write_results(document: dict[str, Any], path: Path) -> None:
    """Replaces the file at one stroke: a reader sees the old one or the new one, never half of it.

    Names that are no valid UTF-8 are written as escapes (``\\udcff``), which Python reads back to the same
    bytes. Raises OSError, leaving the old file as it was.
    """
    indent = 2 if len(document.get("results", ())) <= MOST_INDENTED else None
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent) + "\n"
    replace_file(path, text.encode("utf-8", errors="backslashreplace"))


def replace_file(path: Path, data: bytes) -> None:
    """Writes the file at one stroke. Raises OSError, leaving the old one as it was."""
    temporary = temporary_beside(path)
    try:
        with open(temporary, "wb") as writer:
            writer.write(data)
            writer.flush()
            os.fsync(writer.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _this_run(run: Run) -> dict[str, Any]:
    done = count_this_run(run.results)
    return {
        "scored": done.scored,
        "found_again": done.found_again,
        "unchanged": done.unchanged,
        "placed": done.placed,
        "good_quality": done.counts.good,
        "poor_quality": done.counts.poor,
        "no_faces_detected": done.counts.no_faces,
        "processing_failed": done.counts.failed,
        "left_for_later": run.left_for_later,
        "seconds": round(run.seconds, 3),
        "peak_memory_mb": METER.most_mb(),
    }


def _video(result: VideoResult) -> dict[str, Any]:
    info = result.info
    best, evidence = _scores(result.best), _evidence(result.best)
    offset = best["offset"]
    return {
        "video_name": result.path.stem,
        "video_path": result.location,
        "status": result.status,
        "offset": best["offset"],
        "offset_ms": None if offset is None else offset_milliseconds(offset),
        "offset_direction": None if offset is None else offset_direction(offset),
        "confidence": best["confidence"],
        "min_distance": best["min_distance"],
        **evidence,
        "passes_quality": result.passed,
        "quality_reasons": list(result.verdict.reasons) if result.verdict else [result.error],
        "turns": _turns(result.conversation),
        "all_tracks": [
            # Mostly the best track is the only one.
            _track(track, {**best, **evidence} if track.score is result.best else _told(track.score))
            for track in result.tracks
        ],
        "duration_seconds": _rounded(info.duration_seconds, 3) if info else None,
        "source_fps": _rounded(info.source_fps, 3) if info else None,
        "width": info.width if info else None,
        "height": info.height if info else None,
        "file_size": result.file_bytes,
        "processing_time": _rounded(result.seconds, 3),
        "peak_memory_mb": result.peak_memory_mb,
        "missing": result.missing,
        "error": result.error or None,
        "cure": result.cure or None,
    }


def _turns(conversation: Conversation | None) -> list[dict[str, Any]]:
    turns = conversation.turns if conversation else ()
    return [{"track": t.track, "from": round(t.start_seconds, 2), "to": round(t.end_seconds, 2)} for t in turns]


def _scores(score: SyncScore | None) -> dict[str, Any]:
    if score is None:
        return {"offset": None, "confidence": None, "min_distance": None}
    return {
        "offset": int(score.offset_frames),
        "confidence": _rounded(score.confidence, SCORE_DECIMALS),
        "min_distance": _rounded(score.min_distance, SCORE_DECIMALS),
    }


def _evidence(score: SyncScore | None) -> dict[str, Any]:
    evidence, timing = (score.evidence, score.timing) if score else (None, None)
    interval = timing.interval_ms if timing else None
    pieces = evidence.pieces if evidence else ()
    return {
        "offset_fine_ms": _rounded(timing.milliseconds, 1) if timing else None,
        "offset_interval_ms": [_rounded(edge, 1) for edge in interval] if interval else None,
        "evidence": evidence.level if evidence else None,
        "evidence_problem": (evidence.problem or None) if evidence else None,
        "windows": evidence.windows if evidence else None,
        "windows_agreeing": evidence.agreeing if evidence else None,
        "offset_changes": [
            {"from": round(p.start_seconds, 2), "to": round(p.end_seconds, 2), "offset": p.offset_frames}
            for p in pieces
        ],
    }


def _told(score: SyncScore | None) -> dict[str, Any]:
    return {**_scores(score), **_evidence(score)}


def _track(track: TrackScore, told: dict[str, Any]) -> dict[str, Any]:
    return {
        **told,
        "first_frame": track.first_frame,
        "frame_count": track.frame_count,
        "mean_box": [round(edge) for edge in track.mean_box],
    }


def _identity(identity: Identity) -> dict[str, str | bool]:
    return {"name": identity.name, "identity": identity.identity, "verified": identity.verified}


def _skipped(skipped: SkippedPath) -> dict[str, str]:
    return {"path": str(skipped.path), "reason": skipped.reason}


def _versions() -> dict[str, str]:
    return {
        "tool": syncnet.__version__,
        "python": platform.python_version(),
        **{name: library_version(name) for name in ("torch", "opencv", "av")},
    }


def _rounded(value: float, digits: int) -> float | None:
    """None for what is no number: JSON has no NaN and no infinity."""
    return round(float(value), digits) if math.isfinite(value) else None
