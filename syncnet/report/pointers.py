"""Where to read on, when most of a folder came to the same end."""

from __future__ import annotations

from collections.abc import Sequence

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.report.run import count_results
from syncnet.results import VideoResult
from syncnet.settings import Thresholds

PAGE = "docs/troubleshooting.md"
HEADINGS = NO_FACES, FAILED, SHIFTED, NO_EVIDENCE, FILTERED_OUT = (
    "No faces detected",
    "A file failed",
    "The offset looks wrong",
    "No evidence of sync",
    "Most videos do not pass",
)
"""Of the page."""


def find_pointers(results: Sequence[VideoResult], thresholds: Thresholds) -> tuple[str, ...]:
    """A sentence for each thing that became of more than half of the videos and that a user may have to see to."""
    counts = count_results(results)
    pointers = []
    if 2 * counts.no_faces > counts.all:
        pointers.append(f'Most videos show no face that can be scored: see {PAGE}, "{NO_FACES}".')
    if 2 * counts.failed > counts.all:
        pointers.append(f'Most videos failed: see {PAGE}, "{FAILED}".')
    if 2 * counts.poor > counts.successful:
        poor = [result for result in results if result.status == "success" and not result.passed]
        pointers.append(f'Most scored videos do not pass: see {PAGE}, "{_main_reason(poor, thresholds)}".')
    return tuple(pointers)


def pointer_for(result: VideoResult, thresholds: Thresholds) -> str:
    """Where a video that does not pass is written about."""
    return f'{PAGE}, "{_main_reason([result], thresholds)}"'


def _main_reason(poor: Sequence[VideoResult], thresholds: Thresholds) -> str:
    """The heading that helps with more than half of them."""
    if 2 * sum(_only_shifted(result, thresholds) for result in poor) > len(poor):
        return SHIFTED
    if 2 * sum(_without_evidence(result) for result in poor) > len(poor):
        return NO_EVIDENCE
    return FILTERED_OUT


def _only_shifted(result: VideoResult, thresholds: Thresholds) -> bool:
    """Whether lips and sound fit each other, at a shift that is not allowed."""
    best = result.best
    return (
        best is not None
        and best.confidence >= thresholds.min_confidence
        and not thresholds.allow(best.offset_frames)
        and abs(best.offset_frames) < MAX_SHIFT_FRAMES
        and not _without_evidence(result)
    )


def _without_evidence(result: VideoResult) -> bool:
    return bool(result.best and result.best.evidence and result.best.evidence.level == "none")
