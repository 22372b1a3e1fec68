"""How far the run is, on stderr: a bar on a terminal, one plain line a video elsewhere."""

from __future__ import annotations

import contextlib
import sys
from types import TracebackType

from tqdm import tqdm

from syncnet.engines import VideoResult
from syncnet.log import Log
from syncnet.report import Counts
from syncnet.text import printable
from syncnet.verdict import describe_offset


class Progress:
    """Hears of each finished video. A stderr that nobody reads any more does not end the run."""

    def __init__(self, total: int, log: Log, *, quiet: bool = False) -> None:
        self._total = total
        self._counts = Counts()
        self._done = 0
        self._log = log
        self._quiet = quiet
        wanted = total and not quiet and sys.stderr.isatty()
        self._bar = tqdm(total=total, unit="video", dynamic_ncols=True) if wanted else None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, result: VideoResult) -> None:
        if result.source == "ledger" and not result.failed_now:
            # Known before, so not part of what is waited for.
            return
        self._done += 1
        self._counts.add(result)
        write = self._log.error if result.failed_now else self._log.info
        write(f"{result.relative_path}: {_outcome(result)}")
        if self._quiet:
            return
        with contextlib.suppress(OSError):
            if self._bar is not None:
                counts = self._counts
                self._bar.set_postfix_str(
                    f"good {counts.good}, poor {counts.poor}, no face {counts.no_faces}, failed {counts.failed}",
                    refresh=False,
                )
                self._bar.update()
            else:
                print(self._line(result), file=sys.stderr, flush=True)

    def _line(self, result: VideoResult) -> str:
        return f"[{self._done}/{self._total}] {printable(str(result.relative_path))}: {_outcome(result)}"


def _outcome(result: VideoResult) -> str:
    if result.status == "pending":
        return f"left for a later run: {result.error}"
    if result.status == "failed":
        return printable(f"failed: {result.error}")
    if result.best is None:
        return f"no face track: {result.error}"
    score = result.best
    quality = "good" if result.passed else "poor"
    told = describe_offset(score.offset_frames) if score.rests_on_evidence else "no evidence of sync"
    return f"{quality}, confidence {score.confidence:.1f}, {told}"
