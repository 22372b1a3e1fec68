"""``--calibrate`` the other way: the faces of the folder with each other's sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from syncnet.keepsake.embedded import embedded_path
from syncnet.report.run import Run
from syncnet.run.planning import Plan
from syncnet.settings import Request
from syncnet.system.interruption import Interrupted, StopFlag


def score_again_without_embeddings(plan: Plan, state_dir: Path) -> None:
    """Known videos with faces, of which a run without ``--calibrate`` kept the score only, are scored once more."""
    known, plan.known = plan.known, []
    for record, video in known:
        has_faces = record.score is not None and bool(record.score.tracks)
        if has_faces and not embedded_path(state_dir, video.relative_path).exists():
            plan.new.append(video)
        else:
            plan.known.append((record, video))


def try_other_sounds(run: Run, request: Request, stop: StopFlag) -> Run:
    """The run with what its faces score with each other's sound; without, where it is stopped."""
    # They load torch, which a run over known videos does without.
    from syncnet.evaluation.other_sounds import score_other_sounds
    from syncnet.models.registry import load_model

    model = load_model(run.model.name, "cpu", request.settings.weights)
    as_published = request.settings.reference
    try:
        found = score_other_sounds(run.results, run.folders.state_dir, model, "all" if as_published else "speech", stop)
    except Interrupted:
        return run
    return replace(run, other_sounds=found)
