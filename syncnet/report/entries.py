"""One video in the results file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, overload

from syncnet.repair.finding import curable_by_ms
from syncnet.report.segments import describe_over_time
from syncnet.results import TrackScore, VideoResult
from syncnet.scoring.score import SyncScore
from syncnet.scoring.turns import Conversation
from syncnet.verdict import Verdict, offset_direction, offset_milliseconds

# A score's last digits change with the number of threads that added it up. These are the ones that do not.
SCORE_DECIMALS = 3
MOST_HELD = 50_000
"""Videos whose entries are kept. Those of more would take gigabytes: they are made anew wherever they are needed."""


def describe_results(results: Sequence[VideoResult]) -> Sequence[dict[str, Any]]:
    """The entry of each video, in their order."""
    entries = _Entries(results)
    return list(entries) if len(results) <= MOST_HELD else entries


class _Entries(Sequence[dict[str, Any]]):
    """Entries that are made when they are looked at."""

    def __init__(self, results: Sequence[VideoResult]) -> None:
        self._results = results

    def __len__(self) -> int:
        return len(self._results)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(describe_result, self._results)

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[dict[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> dict[str, Any] | Sequence[dict[str, Any]]:
        if isinstance(place, slice):
            return _Entries(self._results[place])
        return describe_result(self._results[place])


def describe_result(result: VideoResult) -> dict[str, Any]:
    """Ready for JSON; every key is explained in docs/results.md."""
    info = result.info
    best, evidence = _scores(result.best), _evidence(result.best)
    offset = best["offset"]
    return {
        "video_name": result.path.stem,
        "video_path": result.location,
        "relative_path": str(result.relative_path),
        "placed_path": str(result.placed_path) if result.placed_path else None,
        "status": result.status,
        "offset": best["offset"],
        "offset_ms": None if offset is None else offset_milliseconds(offset),
        "offset_direction": _direction(result.best),
        "confidence": best["confidence"],
        "min_distance": best["min_distance"],
        **evidence,
        "passes_quality": result.passed,
        "quality_reasons": list(result.verdict.reasons) if result.verdict else [result.error],
        **describe_decision(result.verdict),
        **describe_over_time(result.over_time),
        "turns": _turns(result.conversation),
        "pooled_tracks": [list(group.tracks) for group in result.pooled],
        "all_tracks": [
            # Mostly the best track is the only one.
            _track(track, {**best, **evidence} if track.score is result.best else _score_entry(track.score))
            for track in result.tracks
        ],
        "duration_seconds": _rounded(info.duration_seconds, 3) if info else None,
        "source_fps": _rounded(info.source_fps, 3) if info else None,
        "width": info.width if info else None,
        "height": info.height if info else None,
        "columns": result.columns,
        "audio_path": str(result.sound_path) if result.sound_path else None,
        "audio_track": info.sound_track if info else None,
        "audio_tracks": info.sound_tracks if info else None,
        "corrupt_pictures": info.corrupt_pictures if info else None,
        "file_size": result.file_bytes,
        "content": result.content or None,
        "scored_at": result.scored_at or None,
        "processing_time": _rounded(result.seconds, 3),
        "peak_memory_mb": result.peak_memory_mb,
        "curable_by_ms": curable_by_ms(result),
        "repair": asdict(result.repair) if result.repair else None,
        "missing": result.missing,
        "error": result.error or None,
        "cure": result.cure or None,
    }


def describe_decision(verdict: Verdict | None) -> dict[str, Any]:
    """What a person said of a video, and what the thresholds say against it."""
    decision = verdict.decision if verdict else None
    return {
        "decision": decision.word if decision else None,
        "decision_note": (decision.note or None) if decision else None,
        "overruled_reasons": list(verdict.overruled) if verdict else [],
    }


def _direction(score: SyncScore | None) -> str | None:
    """None where nothing supports the offset."""
    return offset_direction(score.offset_frames) if score and score.rests_on_evidence else None


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
    evidence, timing, odds = (score.evidence, score.timing, score.odds) if score else (None, None, None)
    interval = timing.interval_ms if timing else None
    pieces = evidence.pieces if evidence else ()
    return {
        "offset_fine_ms": _rounded(timing.milliseconds, 1) if timing else None,
        "offset_interval_ms": [_rounded(edge, 1) for edge in interval] if interval else None,
        "p_in_sync": odds.p_in_sync if odds else None,
        "p_belongs": odds.p_belongs if odds else None,
        "evidence": evidence.level if evidence else None,
        "evidence_problem": (evidence.problem or None) if evidence else None,
        "windows": evidence.windows if evidence else None,
        "windows_agreeing": evidence.agreeing if evidence else None,
        "offset_changes": [
            {"from": round(p.start_seconds, 2), "to": round(p.end_seconds, 2), "offset": p.offset_frames}
            for p in pieces
        ],
        "speech_seconds": round(evidence.speech_seconds, 2) if evidence else None,
        "unmatched_share": _rounded(evidence.unmatched_share, SCORE_DECIMALS) if evidence else None,
        "stretches": [
            {
                "from": round(s.start_seconds, 2),
                "to": round(s.end_seconds, 2),
                "speech_seconds": round(s.speech_seconds, 2),
                "fits": s.matched,
            }
            for s in (evidence.stretches if evidence else ())
        ],
    }


def _score_entry(score: SyncScore | None) -> dict[str, Any]:
    return {**_scores(score), **_evidence(score)}


def _track(track: TrackScore, score_entry: dict[str, Any]) -> dict[str, Any]:
    return {
        **score_entry,
        "first_frame": track.first_frame,
        "frame_count": track.frame_count,
        "mean_box": [round(edge) for edge in track.mean_box],
    }


def _rounded(value: float, digits: int) -> float | None:
    """None for what is no number: JSON has no NaN and no infinity."""
    return round(float(value), digits) if math.isfinite(value) else None
