"""What is to be done with each video of a run, by what is known of it: nothing is read of it but its size and times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from syncnet.decisions.kept import NO_DECISIONS, Decisions
from syncnet.engines.video import seconds_until_settled
from syncnet.inputs.discovery import SkippedPath, VideoFile
from syncnet.run.unlisted import Listing
from syncnet.settings import RunOptions
from syncnet.state.records import VideoRecord
from syncnet.system.collector import without_collector

TRIED_AGAIN = ("environment", "killed")
"""Failures that are not the video's own."""
TRIED_ALONE = ("crash", "killed")
"""Those that could take the run along."""


@dataclass
class Plan:
    """What is to be done with each video."""

    known: list[tuple[VideoRecord, VideoFile]] = field(default_factory=list)
    """Judged and placed from their records."""
    gone: list[tuple[VideoRecord, VideoFile]] = field(default_factory=list)
    """The same for those that are not at hand: ``removed``, in another input, or moved into the output folders."""
    new: list[VideoFile] = field(default_factory=list)
    alone: list[VideoFile] = field(default_factory=list)
    """New ones that may take their process along: a run died while they were under way."""
    pending: list[SkippedPath] = field(default_factory=list)
    """Still changing."""
    left_for_later: int = 0
    """New ones beyond the limit."""
    decisions: Decisions = NO_DECISIONS
    """Of people, who win over the thresholds."""

    @property
    def total(self) -> int:
        """All videos that are known of, but for those that are gone for good."""
        unlisted = sum(not video.removed for _, video in self.gone)
        return len(self.known) + unlisted + self.to_score + len(self.pending) + self.left_for_later

    @property
    def to_score(self) -> int:
        return len(self.new) + len(self.alone)


@without_collector()
def plan_run(listing: Listing, unlisted: Sequence[VideoFile], fingerprint: str, options: RunOptions) -> Plan:
    """Sorts the videos by what is known of them; ``unlisted``: those of earlier runs beside the listed ones."""
    plan, ledger = Plan(), listing.ledger
    for video in listing.found.videos:
        path = str(video.relative_path)
        if video.absent and (last := ledger.records.get(path)) and last.score:
            # What was found out about it stays; as a failure it would be lost.
            known = replace(video, file_bytes=last.identity.size, mtime_ns=last.identity.mtime_ns)
            plan.gone.append((last, replace(known, removed=listing.is_removed(video))))
            continue
        record = None if options.rescan else ledger.reusable(path, video.identity, video.kind(fingerprint))
        if record and not _is_tried_again(record, options):
            plan.known.append((record, video))
            continue
        reason = _unsettled(video, options.settle_seconds)
        if reason:
            plan.pending.append(SkippedPath(video.path, reason))
        elif options.limit is not None and plan.to_score >= options.limit:
            plan.left_for_later += 1
        elif ledger.under_way.get(path) == video.identity or (record and record.failure in TRIED_ALONE):
            plan.alone.append(video)
        else:
            plan.new.append(video)
    records = ((ledger.records.get(str(video.relative_path)), video) for video in unlisted)
    plan.gone += [(record, video) for record, video in records if record]
    listing.note([video for _, video in plan.gone])
    return plan


def _is_tried_again(record: VideoRecord, options: RunOptions) -> bool:
    return record.failure in TRIED_AGAIN or (bool(record.failure) and options.retry_failed)


def _unsettled(video: VideoFile, settle_seconds: float) -> str:
    """Why the video has to wait; empty when it has not."""
    try:
        seconds = seconds_until_settled(video.path, settle_seconds) if settle_seconds else 0.0
    except OSError:
        # Gone since the listing: its failure is noted when its turn comes.
        return ""
    return "it changed a moment ago" if seconds > 0 else ""
