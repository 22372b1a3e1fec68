"""How far the run is, on stderr: a bar and a line for each worker on a terminal, one plain line a video elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping
from types import TracebackType

from tqdm import tqdm

from syncnet.engines.activity import Activity
from syncnet.report.live import LiveLines
from syncnet.report.run import Counts
from syncnet.results import TrackScore, VideoResult, with_share
from syncnet.scoring.evidence import Evidence
from syncnet.system.log import Log
from syncnet.system.text import format_duration, printable
from syncnet.verdict import describe_confidence, describe_passing, describe_score, describe_times

_TOLD_SHARE = 0.1
"""Of speech that the lips do not fit: of a video that passes with more, the times that they fit are told."""


class Progress:
    """Hears of each finished video. A stderr that nobody reads any more does not end the run."""

    def __init__(
        self,
        total: int,
        log: Log,
        *,
        quiet: bool = False,
        verbose: bool = False,
        answered: bool = False,
        min_confidence: float = 0.0,
        activities: Callable[[], Mapping[int, Activity]] | None = None,
    ) -> None:
        """``min_confidence``: of the thresholds, which no rounding may hide. ``verbose``: also the tracks, sizes and
        times of each video. ``answered``: what became of the one video is told at the end. ``activities``:
        asked, on a terminal, for what each worker is at."""
        self._total = total
        self._counts = Counts()
        self._done = 0
        self._log = log
        self._quiet = quiet
        self._verbose = verbose
        self._answered = answered
        self._least = min_confidence
        wanted = total and not quiet and sys.stderr.isatty()
        self._bar = tqdm(total=total, unit="video", dynamic_ncols=True) if wanted else None
        self._live = LiveLines(activities) if wanted and activities else None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.close()
        if self._bar is not None:
            self._bar.close()

    def show(self, result: VideoResult) -> None:
        if result.source == "ledger" and not result.failed_now:
            # Known before, so not part of what is waited for.
            return
        self._done += result.source != "ledger"
        self._counts.add(result)
        write = self._log.error if result.failed_now else self._log.info
        write(f"{result.relative_path}: {_outcome(result, self._least)}", **_facts(result))
        if self._quiet:
            return
        with contextlib.suppress(OSError):
            if self._bar is not None:
                counts = self._counts
                self._bar.set_postfix_str(
                    f"pass {counts.good}, do not {counts.poor}, no face {counts.no_faces}, failed {counts.failed}",
                    refresh=False,
                )
                self._bar.update(result.source != "ledger")
            if self._bar is None or self._verbose:
                line = [] if self._answered else [self._line(result)]
                self._say([*line, *(describe_details(result, self._least) if self._verbose else [])])

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            if self._bar is not None:
                # Above the bar, which is drawn anew below it.
                self._bar.write(line, file=sys.stderr)
            else:
                print(line, file=sys.stderr, flush=True)

    def _line(self, result: VideoResult) -> str:
        # A video that was known before and cannot be placed is none of those that are counted.
        count = "" if result.source == "ledger" else f"[{self._done}/{self._total}] "
        return f"{count}{printable(str(result.relative_path))}: {_outcome(result, self._least)}"


def describe_details(result: VideoResult, least: float) -> list[str]:
    """What is known of the file and of each of its tracks, a line each; ``least``: the confidence that passes."""
    lines = []
    if result.info:
        info = result.info
        size = f"{info.width} x {info.height}, {info.source_fps:.4g} fps, {info.video_codec} and {info.audio_codec}"
        taken = "found by its content" if result.source == "cache" else f"scored in {format_duration(result.seconds)}"
        lines.append(f"    {format_duration(info.duration_seconds)}, {size}; {taken}")
    return lines + [_describe_track(number, track, least) for number, track in enumerate(result.tracks)]


def _describe_track(number: int, track: TrackScore, least: float) -> str:
    left, top, right, bottom = track.mean_box
    face_px = max(right - left, bottom - top)
    where = f"frames {track.first_frame} to {track.first_frame + track.frame_count - 1}, face {face_px:.0f} px"
    if track.score is None:
        return f"    track {number}: {where}: no sound beside it"
    score = track.score
    words = f"confidence {describe_confidence(score.confidence, least)}"
    if score.rests_on_evidence:
        words += f", {describe_score(score)}"
    if score.evidence:
        words += f", evidence {score.evidence.level} ({score.evidence.agreeing} of {score.evidence.windows} windows)"
    return f"    track {number}: {where}: {words}"


def _outcome(result: VideoResult, least: float) -> str:
    if result.status == "pending":
        return f"left for a later run: {result.error}"
    if result.status == "failed":
        return printable(f"failed: {result.error}")
    if result.best is None:
        return f"no face track: {result.error}"
    score = result.best
    told = with_share(describe_score(score), result)
    if result.passed and score.evidence and _partly(score.evidence):
        told += f", {describe_times(score.evidence)}"
    verdict, confidence = describe_passing(passed=result.passed), describe_confidence(score.confidence, least)
    return f"{verdict}, confidence {confidence}, {told}"


def _partly(evidence: Evidence) -> bool:
    """Whether it is worth a word that the lips do not fit all of the speech."""
    return evidence.unmatched_share > _TOLD_SHARE and not all(stretch.matched for stretch in evidence.stretches)


def _facts(result: VideoResult) -> dict[str, str | float | int | bool | None]:
    """The same for a log that programs read."""
    return {
        "video": str(result.relative_path),
        "status": result.status,
        "passes_quality": result.passed,
        "confidence": result.best.confidence if result.best else None,
        "offset": result.best.offset_frames if result.best else None,
        "seconds": round(result.seconds, 3),
        "error": result.error or None,
    }
