"""What people decided, as a run takes it: given in a file, kept in the output folder."""

from __future__ import annotations

from collections.abc import Sequence

from syncnet.decisions.file import Entry
from syncnet.decisions.kept import Decisions, Identities, keep, read_kept, sentence, with_given
from syncnet.inputs.discovery import FileIdentity, FoundVideos
from syncnet.placement.folders import OutputFolders
from syncnet.results import VideoResult
from syncnet.settings import Request
from syncnet.state.ledger import Ledger


def decide(
    request: Request, given: Sequence[Entry], folders: OutputFolders, found: FoundVideos, ledger: Ledger
) -> tuple[Decisions, tuple[str, ...]]:
    """The decisions that hold in this run, which are kept from now on, and sentences on those that do not count.

    Raises UsageError.
    """
    kept = read_kept(folders.state_dir)
    if not given and not kept.entries:
        return kept, ()
    shard = request.scale.shard
    decisions, told = with_given(kept, given, _identities(found, ledger), shard.holds if shard else lambda _: True)
    if decisions.entries != kept.entries:
        keep(decisions, folders.state_dir)
    return decisions, tuple(told)


def useless_decisions(decisions: Decisions, results: Sequence[VideoResult]) -> tuple[str, ...]:
    """Sentences on decisions that found nothing to decide."""
    if not decisions.entries:
        return ()
    of = {str(result.relative_path): result for result in results}
    without_score, without_segment = [], []
    for entry in decisions.entries.values():
        result = of.get(entry.video)
        if result is None:
            continue
        if result.status != "success":
            without_score.append(entry.video)
        elif entry.start is not None and not _is_used(entry, result):
            without_segment.append(entry.video)
    return (
        *sentence(without_score, "about a video that has no score, and changes nothing"),
        *sentence(without_segment, "about a range in which no segment with speech lies, and changes nothing"),
    )


def _is_used(entry: Entry, result: VideoResult) -> bool:
    decided = Decisions([entry]).about(entry.video, entry.identity or _NOBODY)
    segments = result.over_time.segments if result.over_time else ()
    return any(one.segment.kind == "speech" and decided and decided.of_segment(one.segment) for one in segments)


_NOBODY = FileIdentity(0, 0)


def _identities(found: FoundVideos, ledger: Ledger) -> Identities:
    listed = {str(video.relative_path): video.identity for video in found.videos if not video.absent}
    return lambda name: listed.get(name) or ledger.identity_of(name)
