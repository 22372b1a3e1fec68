"""The command: folder in, sorted folders, results file, summary and exit code out."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from syncnet.cli import PROGRAM, Request, parse_request
from syncnet.discovery import FoundVideos, find_videos
from syncnet.errors import UsageError
from syncnet.interruption import EXIT_INTERRUPTED, StopFlag, stop_on_signals
from syncnet.pinning import Chosen, Pin, pin_choice
from syncnet.placement import OutputFolders, prepare_folders
from syncnet.text import printable

if TYPE_CHECKING:
    from syncnet.engines.threads import Batch
    from syncnet.pipeline import Stages
    from syncnet.report import Run

EXIT_SOME_FAILED = 1
EXIT_WRONG_USAGE = 2
NO_DETECTOR = "none"
"""Stands in results and notes where no faces were looked for."""
PLAIN_WIDTH = 100
"""Columns of the summary where stdout is no terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code: 0 all processed, 1 some failed, 2 wrong usage, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter of a name is no reason to stop.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return _run(parse_request(sys.argv[1:] if arguments is None else arguments))
    except UsageError as error:
        # A name with a line break in it must not make two lines.
        print(f"{PROGRAM}: error: {printable(str(error))}", file=sys.stderr)
        return EXIT_WRONG_USAGE
    except ImportError as error:
        print(f"{PROGRAM}: error: {error}: pip install -r requirements.txt", file=sys.stderr)
        return EXIT_WRONG_USAGE
    except KeyboardInterrupt:
        # Before the first video: there is nothing to keep.
        return EXIT_INTERRUPTED


def load_stages(request: Request, workers: int) -> Stages:
    """The models and settings that all workers share. Raises UsageError; no video is touched."""
    from detectors import resolve_detector
    from syncnet.engines.threads import share_cores
    from syncnet.models import load_model, resolve_device
    from syncnet.pipeline import Stages
    from syncnet.settings import DetectSettings

    share = share_cores(workers)
    device = resolve_device(request.device)
    model = load_model(request.model, device, request.weights)
    if request.tracks.min_track_frames < model.min_track_frames:
        raise UsageError(
            f"--min_track {request.tracks.min_track_frames} is too short for the model {model.name}",
            cure=f"give {model.min_track_frames} or more",
        )
    return Stages(
        model=model,
        detector=None if request.no_detection else resolve_detector(request.detector, request.weights, device),
        tracks=request.tracks,
        detect=DetectSettings(min_face_px=request.tracks.min_face_px),
        decode_threads=share,
    )


def _run(request: Request) -> int:
    folders = prepare_folders(request.input_dir, request.output_dir, keep_all=request.keep_all)
    found = find_videos(request.input_dir, recursive=request.recursive, excluded_dirs=folders.all_dirs)
    workers = max(1, min(request.max_workers, len(found.videos)))
    stages = load_stages(request, workers)
    pin_choice(
        folders.output_dir,
        folders.results_path,
        Pin(Chosen(stages.model.name, stages.model.identity), Chosen(*_detector_of(stages))),
    )
    started = time.perf_counter()
    with stop_on_signals() as stop:
        batch = _process(request, folders, found, stages, workers, stop)
        run = _describe(request, folders, found, stages, batch, stop.stopped, time.perf_counter() - started)
        written = _report(run)
    if batch.abandoned:
        # A thread that hangs inside a decoder would be waited for at the end of the interpreter.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(EXIT_INTERRUPTED)
    return _exit_code(run, written)


def _process(
    request: Request, folders: OutputFolders, found: FoundVideos, stages: Stages, workers: int, stop: StopFlag
) -> Batch:
    from syncnet.engines import VideoJob, process_video
    from syncnet.engines.threads import run_in_threads
    from syncnet.pipeline import score_video
    from syncnet.report.progress import Progress

    job = VideoJob(
        score=lambda path, flag: score_video(path, stages, flag),
        thresholds=request.thresholds,
        tracks=request.tracks,
        least_track_frames=stages.model.min_track_frames,
        folders=None if request.keep_all else folders,
    )
    with Progress(len(found.videos)) as progress:
        return run_in_threads(
            found.videos,
            lambda video: process_video(video, job, stop),
            workers=workers,
            stop=stop,
            on_result=progress.show,
        )


def _describe(
    request: Request,
    folders: OutputFolders,
    found: FoundVideos,
    stages: Stages,
    batch: Batch,
    interrupted: bool,
    seconds: float,
) -> Run:
    from syncnet.report import Asked, Identity, Run
    from syncnet.report.notices import find_notices

    asked = Asked(request.preset, request.model, request.detector, request.device)
    model = Identity(stages.model.name, stages.model.identity)
    detector = Identity(*_detector_of(stages))
    return Run(
        folders=folders,
        thresholds=request.thresholds,
        tracks=request.tracks,
        asked=asked,
        model=model,
        detector=detector,
        notices=find_notices(asked, model, detector),
        found=found,
        results=batch.results,
        keep_all=request.keep_all,
        interrupted=interrupted,
        seconds=seconds,
    )


def _detector_of(stages: Stages) -> tuple[str, str]:
    """Name and identity."""
    return (stages.detector.name, stages.detector.identity) if stages.detector else (NO_DETECTOR, NO_DETECTOR)


def _report(run: Run) -> bool:
    """Writes the results file and prints the summary; says whether the file could be written."""
    from syncnet.report.results import build_results, write_results
    from syncnet.report.summary import format_summary

    problem = ""
    try:
        write_results(build_results(run), run.folders.results_path)
    except OSError as error:
        problem = f"cannot write {run.folders.results_path}: {error.strerror}: free some space and run again"
    width = shutil.get_terminal_size((PLAIN_WIDTH, 0)).columns
    try:
        print(format_summary(run, width), end="", flush=True)
    except BrokenPipeError:
        # The reader (`| head`) has gone. Python would complain again when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if problem:
        print(f"{PROGRAM}: error: {problem}", file=sys.stderr)
    return not problem


def _exit_code(run: Run, written: bool) -> int:
    if run.interrupted:
        return EXIT_INTERRUPTED
    failed = any(result.status == "failed" for result in run.results)
    return EXIT_SOME_FAILED if failed or run.found.unreadable or not written else 0
