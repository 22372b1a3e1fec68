"""What a program asks for, as the command's request: the same checks, the same defaults, the same words on the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from syncnet.cli.looks import TerminalOptions
from syncnet.cli.report import ReportOptions
from syncnet.cli.request import Request, parse_request
from syncnet.scorer import ScorerSettings
from syncnet.settings import DEFAULT_WORKERS, RunOptions

_Value = str | Path | float | None


def request_for(
    input_dir: Path | None,
    output_dir: Path,
    settings: ScorerSettings,
    *,
    input_manifest: Path | None,
    recursive: bool,
    keep_all: bool,
    max_workers: int,
    options: RunOptions,
    report: ReportOptions,
) -> Request:
    """The request that the command makes of the same wishes. Raises UsageError for what it refuses.

    It is made of flags, because contradictions are found there, and the page says the command that gives the same.
    """
    usual = {*_scoring_flags(ScorerSettings()), *_run_flags(RunOptions()), *_report_flags(ReportOptions())}
    wished = [*_scoring_flags(settings), *_run_flags(options), *_report_flags(report)]
    flags = [
        *_valued(input_dir=input_dir, input_manifest=input_manifest, output_dir=output_dir),
        *_switched(recursive=recursive, keep_all=keep_all),
        *_valued(max_workers=max_workers if max_workers != DEFAULT_WORKERS else None),
        # As on a command line, what is not said is left to the way of scoring: the published one has gates of its own.
        *(flag for flag in wished if flag not in usual),
    ]
    request = parse_request(flags)
    # How faces are linked has no flags. A library says nothing; its caller has the results.
    linking = {name: getattr(settings.tracks, name) for name in ("max_gap_frames", "min_overlap")}
    return replace(request, tracks=replace(request.tracks, **linking), terminal=TerminalOptions(quiet=True))


def _scoring_flags(settings: ScorerSettings) -> Iterator[str]:
    thresholds = settings.thresholds
    yield from _valued(
        min_confidence=thresholds.min_confidence,
        max_abs_offset=thresholds.max_abs_offset,
        min_offset=thresholds.min_offset,
        max_offset=thresholds.max_offset,
        min_face_size=settings.tracks.min_face_px,
        min_track=settings.tracks.min_track_frames,
        audio_track=settings.media.audio_track,
        max_memory=settings.media.max_memory_mb,
        precision=settings.speed.precision,
        detect_every=settings.speed.detect_every_frames,
        model=settings.model,
        detector=settings.detector,
        device=settings.device,
        weights_dir=settings.weights.weights_dir,
    )
    yield from _switched(
        no_detection=settings.no_detection,
        reference=settings.reference,
        offline=settings.weights.offline,
        allow_unverified_weights=settings.weights.allow_unverified,
    )


def _run_flags(options: RunOptions) -> Iterator[str]:
    cache = options.score_cache
    yield from _valued(
        place=options.place,
        limit=options.limit,
        settle=options.settle_seconds,
        timeout=options.timeout_seconds,
        # The word alone means no folder at all.
        score_cache="./off" if cache == Path("off") else cache,
        log_file=options.log_file,
    )
    yield from _switched(
        rescan=options.rescan, retry_failed=options.retry_failed, cron=options.cron, isolate=options.isolate
    )


def _report_flags(report: ReportOptions) -> Iterator[str]:
    yield from _valued(report="on" if report.page else "off", table=report.table)


def _valued(**values: _Value) -> list[str]:
    # In one word, so that a value that begins with a dash is no flag.
    return [f"--{name}={value}" for name, value in values.items() if value is not None]


def _switched(**switches: bool) -> list[str]:
    return [f"--{name}" for name, on in switches.items() if on]
