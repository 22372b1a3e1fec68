"""``repair``: files whose sound is off, written again with the sound where it belongs."""

from __future__ import annotations

import argparse
import errno
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from syncnet.command import load_scorer
from syncnet.engines.isolated import ChildScorers
from syncnet.errors import UsageError
from syncnet.placement.folders import OutputFolders, remove_leftovers
from syncnet.repair.records import RECORDS_NAME, Records, RepairRecord
from syncnet.repair.repairing import REPAIRED_DIR, RepairJob, plan_repair, repair_video
from syncnet.repair.wording import describe_counts, describe_record
from syncnet.scorer import SyncScorer
from syncnet.settings import MediaSettings, RepairSettings, ScorerSettings
from syncnet.settings.repair import add_repair_flags
from syncnet.subcommands.repair_inputs import Score, ScoreWith, ToRepair, find_files
from syncnet.system.argument_parser import Parser
from syncnet.system.interruption import Interrupted, StopFlag, stop_on_signals
from syncnet.system.invocation import PROGRAM
from syncnet.system.locking import hold
from syncnet.system.text import printable

EXIT_SOME_FAILED = 1
DESCRIPTION = f"""\
Moves the sound of videos to where it belongs, and writes them to OUTPUT_DIR/{REPAIRED_DIR}/; the picture and all else
stay as they are. Only where there is strong evidence, and only what scores better afterwards stays. Nothing is ever
overwritten. OUTPUT_DIR/{RECORDS_NAME} tells what became of each file (docs/repair.md).
"""


def main(arguments: Sequence[str], *, own_process: bool = False) -> int:
    """Exit code 0, 1 where a file could not be scored or written. Raises UsageError and LockedError.

    ``own_process``: see ``Audience`` in syncnet/command.py."""
    options = build_parser().parse_flags(arguments)
    settings = ScorerSettings(media=MediaSettings(audio_track=options.audio_track))
    repair = RepairSettings(repair=True, sound=options.sound, keep_pitch=options.keep_pitch)
    folders = OutputFolders(options.output_dir)
    if options.dry_run and not folders.state_dir.is_dir():
        # Nothing is written, so there is nothing to lock.
        with stop_on_signals() as stop:
            return _repair(options, folders, repair, settings, stop, own_process=own_process)
    try:
        folders.state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot write to {folders.output_dir}: {error.strerror}", cure="give an --output_dir you can write to"
        ) from error
    with hold(folders.state_dir / "lock"), stop_on_signals() as stop:
        remove_leftovers(folders)
        return _repair(options, folders, repair, settings, stop, own_process=own_process)


def build_parser() -> Parser:
    parser = Parser(prog=f"{PROGRAM} repair", description=DESCRIPTION)
    parser.add_argument(
        "inputs",
        nargs="+",
        type=Path,
        metavar="INPUT",
        help="videos, folders of videos, or the output folder of an earlier run, whose scores are used",
    )
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--dry_run", action="store_true", help="write nothing: tell what would be done")
    parser.add_argument("--recursive", action="store_true", help="include subfolders; the output keeps them")
    parser.add_argument(
        "--audio_track", type=int, metavar="N", help="the sound that is scored and moved (0: the first)"
    )
    add_repair_flags(parser)
    return parser


def _repair(
    options: argparse.Namespace,
    folders: OutputFolders,
    repair: RepairSettings,
    settings: ScorerSettings,
    stop: StopFlag,
    *,
    own_process: bool,
) -> int:
    with _scorers(stop, beside=own_process) as score_with:
        files = find_files(options.inputs, folders.output_dir, score_with, settings, recursive=options.recursive)
        records = Records(folders.output_dir)
        return _repair_all(list(files), folders.output_dir, records, repair, settings, stop, dry=options.dry_run)


@contextmanager
def _scorers(stop: StopFlag, *, beside: bool) -> Iterator[ScoreWith]:
    """``beside``: in child processes, so that a file that crashes a decoder is one that failed."""
    with ExitStack() as stack:

        def score_with(settings: ScorerSettings) -> Score:
            measure = None
            if beside:
                measure = stack.enter_context(ChildScorers(partial(load_scorer, settings, 1))).score
            return partial(SyncScorer(settings, measure=measure).score, stop=stop)

        yield score_with


def _repair_all(
    files: list[ToRepair],
    output_dir: Path,
    records: Records,
    repair: RepairSettings,
    settings: ScorerSettings,
    stop: StopFlag,
    *,
    dry: bool,
) -> int:
    if not files:
        print("No videos found.")
    done: list[RepairRecord] = []
    failed = False
    for file in files:
        job = RepairJob(output_dir, file.score, repair, settings.media, stop)
        try:
            stop.check()
            record, known = _one(file, job, records, dry=dry)
        except Interrupted:
            print(f"Interrupted after {len(done)} of {len(files)} files; the next run goes on from there.")
            return stop.exit_code
        except OSError as error:
            failed = True
            print(f"  failed    {printable(str(file.relative_path))}\n    {error.strerror}", flush=True)
            continue
        failed = failed or record.failed
        done.append(record)
        print("\n".join(describe_record(record, dry=dry, known=known)), flush=True)
    print(f"\n{describe_counts(done, dry=dry)}")
    if any(record.status == "repaired" for record in done) and not dry:
        print(f"Repaired files: {printable(str(output_dir / REPAIRED_DIR))}")
    return EXIT_SOME_FAILED if failed else 0


def _one(file: ToRepair, job: RepairJob, records: Records, *, dry: bool) -> tuple[RepairRecord, bool]:
    """What became of it, and whether an earlier run has done it."""
    if file.unreadable:
        raise OSError(errno.EIO, file.unreadable)
    known = records.find(str(file.relative_path), file.path.stat(), job.wanted)
    if known is not None:
        return known, True
    result = file.result()
    if dry:
        return plan_repair(file.path, result, file.relative_path, job)[0], False
    record = repair_video(file.path, result, file.relative_path, job)
    records.add(record)
    return record, False
