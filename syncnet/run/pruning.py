"""``--prune``: all that an output folder holds of videos that are gone is removed, and their records last."""

from __future__ import annotations

import itertools

from syncnet.decisions.kept import Decisions, keep, read_kept
from syncnet.errors import UsageError
from syncnet.inputs.discovery import SOUND_SIGN, FileIdentity
from syncnet.inputs.paths import absolute
from syncnet.placement.folders import OutputFolders
from syncnet.placement.placed import is_placed_file, remove_empty
from syncnet.placement.slots import look
from syncnet.placement.transfer import remove_file
from syncnet.report.names import MONTAGE_NAME, PAGE_NAME
from syncnet.report.new_passing import forget_passed
from syncnet.report.ownership import is_own
from syncnet.report.run import NOTHING_PRUNED, Pruned
from syncnet.report.segments_table import SEGMENTS_PARQUET_NAME
from syncnet.report.table import PARQUET_NAME
from syncnet.run.belongings import Belongings
from syncnet.run.preparation import open_store
from syncnet.run.renaming import Changes
from syncnet.settings import Request
from syncnet.state.ledger import Ledger
from syncnet.state.score_store import ScoreStore, hash_content
from syncnet.system.interruption import StopFlag


def prune_if_asked(changes: Changes, request: Request, folders: OutputFolders, ledger: Ledger) -> Pruned:
    """Raises UsageError."""
    if not request.options.prune:
        return NOTHING_PRUNED
    return prune(changes, folders, ledger, open_store(request.options, remote=False))


def prune(changes: Changes, folders: OutputFolders, ledger: Ledger, store: ScoreStore | None) -> Pruned:
    """Removes what is known of the videos that are gone, and takes them from the changes.

    Killed at any moment, the next run finds them gone still. Raises UsageError where nobody can tell what is gone, and
    where the records cannot be written.
    """
    if warnings := changes.listing.warnings([*changes.unlisted, *changes.absent]):
        cure = "mount it; or remove the output folder itself if all is to go"
        raise UsageError(f"--prune: {warnings[0].partition(':')[0]}", cure=cure)
    gone = [str(video.relative_path) for video in changes.gone()]
    problems = {name: _remove_placed(name, ledger, folders) for name in gone}
    names = {name for name, problem in problems.items() if not problem}
    pruned = Pruned(tuple(sorted(names)), tuple(filter(None, problems.values())))
    if not names:
        return pruned
    try:
        scores, belongings = ledger.scores_of(names), Belongings(folders)
        if store:
            # Repaired files were scored too, by the same settings.
            repaired = {hash_content(path, StopFlag()) for path in belongings.repaired(names)}
            contents, prints = {content for content, _ in scores}, {fingerprint for _, fingerprint in scores}
            for content, fingerprint in itertools.product(contents | repaired, prints):
                store.remove(content, fingerprint.partition(SOUND_SIGN)[0])
        belongings.remove(names, {content for content, _ in scores}, ledger.known.keys() - names)
        _remove_what_tells(folders)
        kept = read_kept(folders.state_dir)
        keep(Decisions(entry for entry in kept.entries.values() if entry.video not in names), folders.state_dir)
        forget_passed(names, folders.state_dir)
        ledger.erase(names)
    except OSError as error:
        raise UsageError(
            f"{error.filename or folders.output_dir}: {error.strerror}", cure="check the output disk, then run again"
        ) from error
    changes.unlisted[:] = [video for video in changes.unlisted if str(video.relative_path) not in names]
    return pruned


def _remove_placed(name: str, ledger: Ledger, folders: OutputFolders) -> str:
    """Removes its copies, and nothing that the tool did not put there; says what is wrong, if anything is."""
    placement = ledger.placement(name)
    for folder in (folders.good_dir, folders.poor_dir):
        path = folder / name
        try:
            status = look(path)
            if status is None:
                continue
            known = placement or ledger.knows(name, FileIdentity.of(status))
            if placement and not is_placed_file(path, status, placement):
                problem, cure = "is no longer the file that was put there, and stays", "remove it, then prune again"
                return f"{absolute(path)} {problem}: {cure}"
            if known:
                remove_file(path, status)
                remove_empty(path.parent, folder)
        except OSError as error:
            return f"{absolute(path)} cannot be removed: {error.strerror}: see that it can be, then prune again"
    return ""


def _remove_what_tells(folders: OutputFolders) -> None:
    """What may name or show the videos, and what not every run writes anew."""
    for name in (PAGE_NAME, PARQUET_NAME, SEGMENTS_PARQUET_NAME, MONTAGE_NAME):
        path = folders.output_dir / name
        if path.is_file() and is_own(path):
            path.unlink()
