"""sync_filter_results.json; every key is explained in docs/results.md."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import syncnet
from syncnet.inputs.discovery import SkippedPath
from syncnet.report.entries import describe_results
from syncnet.report.run import Run, count_results, count_this_run
from syncnet.report.versions import library_version
from syncnet.settings import OverTimeSettings
from syncnet.settings.checks import parts_of
from syncnet.system.atomic import write_file
from syncnet.system.collector import without_collector
from syncnet.system.memory import PEAK_OF_PROCESS
from weights import Identity

MOST_INDENTED = 2000
"""Videos. With more of them nobody reads the file by eye, and setting it out takes ten times as long."""


@without_collector()
def build_results(run: Run) -> dict[str, Any]:
    """The document, ready for JSON: no NaN, no infinity."""
    counts, settings = count_results(run.results), run.settings
    return {
        "filter_settings": {
            "min_confidence": settings.thresholds.min_confidence,
            "max_abs_offset": settings.thresholds.max_abs_offset,
            "min_offset": settings.thresholds.lowest_offset,
            "max_offset": settings.thresholds.highest_offset,
            "max_distance": settings.thresholds.max_distance,
            **_over_time(settings.over_time),
            "min_face_size": settings.tracks.min_face_px,
            "min_track": settings.tracks.min_track_frames,
            "preset": run.preset,
            "model": settings.model,
            "detector": settings.detector,
            "no_detection": settings.no_detection,
            "reference": settings.reference,
            "audio_track": settings.media.audio_track,
            "reference_tools": run.reference_tools or None,
            "device": settings.device,
        },
        "total_videos": run.total,
        "successful_processing": counts.successful,
        "good_quality": counts.good,
        "poor_quality": counts.poor,
        "accepted_by_person": counts.accepted,
        "rejected_by_person": counts.rejected,
        "no_faces_detected": counts.no_faces,
        "processing_failed": counts.failed,
        "not_processed": run.total - counts.all - len(run.pending),
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
        "other_endings": dict(run.found.other_endings.most_common()),
        "pending": [_skipped(path) for path in run.pending],
        "gone": list(describe_results(run.gone)),
        "results": describe_results(run.results),
    }


def write_results(document: dict[str, Any], path: Path) -> None:
    """Replaces the file at one stroke: a reader sees the old one or the new one, never half of it.

    Names that are no valid UTF-8 are written as escapes (``\\udcff``), which Python reads back to the same
    bytes. Raises OSError, leaving the old file as it was.
    """
    write_file(path, (piece.encode("utf-8", errors="backslashreplace") for piece in as_json(document)))


def as_json(document: dict[str, Any], *, ascii_only: bool = False) -> Iterator[str]:
    """The document as text, in pieces; ``ascii_only``: whatever the encoding of its reader, it stays what it is."""
    results: Sequence[dict[str, Any]] = document.get("results", ())
    if len(results) <= MOST_INDENTED:
        yield json.dumps(document, ensure_ascii=ascii_only, allow_nan=False, indent=2) + "\n"
        return
    # Without line breaks, the results as the last key; nothing is held of it but one entry.
    encode = json.JSONEncoder(ensure_ascii=ascii_only, allow_nan=False).encode
    yield encode({**document, "results": []}).removesuffix("]}")
    for number, entry in enumerate(results):
        yield (", " if number else "") + encode(entry)
    yield "]}\n"


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
        "peak_memory_mb": PEAK_OF_PROCESS.most_mb(),
    }


def _over_time(settings: OverTimeSettings) -> dict[str, float | None]:
    """By flag; None where nothing limits a segment's length."""
    values = {part.flag: getattr(settings, part.name) for part in parts_of(OverTimeSettings)}
    return {flag: value if math.isfinite(value) else None for flag, value in values.items()}


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
