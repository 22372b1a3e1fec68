"""The time line of a video as the results file has it."""

from __future__ import annotations

from typing import Any

from syncnet.overtime.judging import JudgedOverTime, JudgedSegment
from syncnet.overtime.timeline import Drift, Jump, OffsetAlong
from syncnet.verdict import offset_milliseconds

SCORE_DECIMALS, TIME_DECIMALS, MS_DECIMALS = 3, 2, 1


def describe_over_time(judged: JudgedOverTime | None) -> dict[str, Any]:
    """Ready for JSON; every key is explained in docs/results.md."""
    over_time = judged.over_time if judged else None
    # Of the whole file; without a time line what is told is the speech of the face that decides.
    speech = {"speech_seconds": round(over_time.speech_seconds, TIME_DECIMALS)} if over_time else {}
    return {
        **speech,
        "face_seconds": over_time and round(over_time.face_seconds, TIME_DECIMALS),
        "seen_speech_seconds": over_time and round(over_time.seen_speech_seconds, TIME_DECIMALS),
        "off_screen_seconds": over_time and round(over_time.off_screen_seconds, TIME_DECIMALS),
        "in_sync_seconds": judged and round(judged.in_sync_seconds, TIME_DECIMALS),
        "coverage": None if judged is None or judged.coverage is None else round(judged.coverage, SCORE_DECIMALS),
        "offset_along": over_time and _along(over_time.along),
        "segments": [_segment(one) for one in (judged.segments if judged else ())],
    }


def _segment(judged: JudgedSegment) -> dict[str, Any]:
    segment = judged.segment
    timing, offset = segment.timing, segment.offset_frames
    interval = timing.interval_ms if timing else None
    return {
        "kind": segment.kind,
        "from": round(segment.start_seconds, TIME_DECIMALS),
        "to": round(segment.end_seconds, TIME_DECIMALS),
        "track": segment.track,
        "box": [round(edge) for edge in segment.box] if segment.box else None,
        "offset": offset,
        "offset_ms": None if offset is None else offset_milliseconds(offset),
        "offset_fine_ms": round(timing.milliseconds, MS_DECIMALS) if timing else None,
        "offset_interval_ms": [round(edge, MS_DECIMALS) for edge in interval] if interval else None,
        "confidence": None if segment.confidence is None else round(segment.confidence, SCORE_DECIMALS),
        "evidence": segment.evidence,
        "windows": segment.windows,
        "windows_agreeing": segment.agreeing,
        "speech_seconds": round(segment.speech_seconds, TIME_DECIMALS),
        "passes": judged.passes,
        "reasons": list(judged.reasons),
        "decision": judged.decision.word if judged.decision else None,
    }


def _along(along: OffsetAlong) -> dict[str, Any]:
    return {
        "kind": along.kind,
        "offset_ms": along.offset_ms,
        "jumps": [_jump(jump) for jump in along.jumps],
        "drift": along.drift and _drift(along.drift),
    }


def _jump(jump: Jump) -> dict[str, float]:
    return {
        "at": round(jump.at_seconds, TIME_DECIMALS),
        "earliest": round(jump.earliest_seconds, TIME_DECIMALS),
        "from_ms": jump.before_ms,
        "to_ms": jump.after_ms,
        "size_ms": round(jump.after_ms - jump.before_ms, MS_DECIMALS),
    }


def _drift(drift: Drift) -> dict[str, Any]:
    return {
        "ms_per_minute": drift.ms_per_minute,
        "interval_ms_per_minute": list(drift.interval_ms_per_minute),
        "from": round(drift.start_seconds, TIME_DECIMALS),
        "from_ms": drift.start_ms,
        "to": round(drift.end_seconds, TIME_DECIMALS),
        "to_ms": drift.end_ms,
        "ratio": drift.ratio or None,
    }
