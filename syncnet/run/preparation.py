"""From a request to the job that is done with each video, and to the run as it is told of."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncnet.decisions.kept import NO_DECISIONS, Decisions
from syncnet.engines.conclusion import VerdictRules
from syncnet.engines.video import VideoJob
from syncnet.engines.watch import Watch
from syncnet.errors import UsageError
from syncnet.inputs.belonging import input_of
from syncnet.inputs.discovery import FoundVideos
from syncnet.models.precision import is_in_hardware
from syncnet.models.registry import resolve_device
from syncnet.placement.folders import OutputFolders
from syncnet.report.notices import find_notices
from syncnet.report.ownership import refuse_foreign
from syncnet.report.page import PAGE_NAME
from syncnet.report.run import Run
from syncnet.report.segments_table import SEGMENTS_CSV_NAME, SEGMENTS_PARQUET_NAME
from syncnet.report.table import CSV_NAME, PARQUET_NAME
from syncnet.run.engine_choice import Engine, pin_of
from syncnet.run.planning import Plan
from syncnet.scoring.evidence import least_telling_frames
from syncnet.settings import Request, RunOptions, ScorerSettings
from syncnet.state.ledger import Ledger
from syncnet.state.records import fingerprint_of
from syncnet.state.score_store import ScoreStore, default_folder
from syncnet.state.splitter import splitter_of

if TYPE_CHECKING:
    from syncnet.stages import ChosenStages


def refuse_foreign_outputs(request: Request, output_dir: Path) -> None:
    """Raises UsageError where the run would write over what this tool did not write."""
    folders, looks = OutputFolders(output_dir), request.looks
    wanted = {
        folders.results_path: True,
        output_dir / CSV_NAME: True,
        output_dir / SEGMENTS_CSV_NAME: True,
        output_dir / PARQUET_NAME: request.report.table == "parquet",
        output_dir / SEGMENTS_PARQUET_NAME: request.report.table == "parquet",
        output_dir / PAGE_NAME: request.report.page,
        folders.overlays_dir: looks.visualize != "none",
        folders.outputs_dir: looks.save_outputs,
        folders.segments_dir: request.cuts.cut != "none",
    }
    for path, asked in wanted.items():
        if asked:
            refuse_foreign(path)


def make_job(
    request: Request,
    folders: OutputFolders,
    stages: ChosenStages,
    ledger: Ledger,
    engine: Engine,
    decisions: Decisions = NO_DECISIONS,
) -> VideoJob:
    """What is done with each video."""
    options = request.options
    return VideoJob(
        score=engine.score,
        score_uri=engine.score_uri,
        fingerprint=run_fingerprint(request.settings, stages),
        rules=VerdictRules(
            thresholds=request.settings.thresholds,
            tracks=request.settings.tracks,
            least_track_frames=least_telling_frames(stages.min_track_frames),
            folders=None if request.keep_all else folders,
            ledger=ledger,
            place=options.place,
            over_time=request.settings.over_time,
            splitter=splitter_of(folders.state_dir, pin_of(stages).model.name, request.settings.over_time),
            decisions=decisions,
        ),
        found_in=input_of(request).name,
        state_dir=folders.state_dir,
        store=_open_store(options, remote=request.scale.ray is not None),
        # A score that is found again comes without its embeddings.
        find_again=not options.rescan and not request.settings.keep_embeddings,
        settle_seconds=options.settle_seconds,
        timeout_seconds=options.timeout_seconds,
        # A worker of a cluster that hangs is ended by the deadline; waiting for one takes as long as it takes.
        watch=Watch(math.inf if request.scale.ray else options.timeout_seconds),
    )


def run_fingerprint(settings: ScorerSettings, stages: ChosenStages) -> str:
    """Of everything but the file that a score of this run depends on."""
    return fingerprint_of(stages, _modes(settings, stages))


def _modes(settings: ScorerSettings, stages: ChosenStages) -> dict[str, Any]:
    """Ways of scoring that change the score. A default is not named, so that scores of earlier versions hold."""
    chosen: dict[str, Any] = {} if settings.media.audio_track is None else {"audio_track": settings.media.audio_track}
    if stages.precision != "float32":
        chosen["precision"] = stages.precision
    return {"reference": stages.reference or None, **chosen}


def describe_run(
    request: Request,
    folders: OutputFolders,
    found: FoundVideos,
    stages: ChosenStages,
    ledger: Ledger,
    plan: Plan,
    told: tuple[str, ...],
) -> Run:
    """The run before its first video. ``told``: notices besides."""
    settings, pin = request.settings, pin_of(stages)
    notices = find_notices(settings, pin.model, pin.detector, new=not ledger.has_scores, preset=request.preset)
    if stages.precision != "float32" and not is_in_hardware(stages.precision, resolve_device(settings.device)):
        notices = (
            *notices,
            f"--precision {stages.precision} is slower than float32 here: this machine has no hardware for it.",
        )
    if ledger.damaged_lines:
        damaged = f"Lines of the ledger that cannot be read: {ledger.damaged_lines}. Their videos were scored again."
        notices = (*notices, damaged)
    return Run(
        folders=folders,
        settings=settings,
        preset=request.preset,
        model=pin.model,
        detector=pin.detector,
        reference_tools=stages.reference,
        notices=(*told, *notices),
        found=found,
        results=(),
        keep_all=request.keep_all,
        interrupted=False,
        seconds=0.0,
        decisions=plan.decisions,
        left_for_later=plan.left_for_later,
        unlisted=plan.total - len(found.videos),
    )


def _open_store(options: RunOptions, *, remote: bool) -> ScoreStore | None:
    """Raises UsageError only for a folder that was asked for: accounts of services often have no home."""
    if options.score_cache == "off":
        return None
    if options.score_cache is not None:
        return ScoreStore(options.score_cache)
    if remote:
        # This machine would have to read every video, only to hash it.
        return None
    try:
        return ScoreStore(default_folder())
    except UsageError:
        return None
