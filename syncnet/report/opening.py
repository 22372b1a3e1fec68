"""The first line of a run, on stderr: what was found, at once, and then what is loaded for how much of it."""

from __future__ import annotations

import contextlib
import sys
from types import TracebackType

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FoundVideos
from syncnet.models.choice import meant_model
from syncnet.placement.folders import OutputFolders
from syncnet.settings import Request
from syncnet.system.text import count, printable


class OpeningLine:
    """Loads nothing itself: libraries and models take seconds. A stderr that nobody reads any more ends no run."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._open = False

    def tell_found(self, found: FoundVideos, request: Request, model: str = "") -> None:
        """``26 videos in talking, 2 skipped by their ending``; with the ``model``, where it is clear already that all
        of them are new: ``; loading lite``, the end of the line."""
        name = printable(str(request.input_name))
        parts = [name if request.one_video else f"{count(len(found.videos), 'video')} in {name}"]
        if skipped := found.other_endings.total():
            parts.append(f"{skipped:,} skipped by their ending")
        if found.unreadable:
            parts.append(f"{len(found.unreadable):,} could not be read")
        self._say(", ".join(parts) + (f"; loading {model}\n" if model else ""))
        self._open = not model

    def tell_work(self, model: str, *, known: int, to_score: int) -> None:
        """``; 20 known, loading lite for 6``: the end of the line."""
        if not self._open:
            return
        parts = [f"{known:,} known"] if known else []
        if to_score:
            parts.append(f"loading {model}{f' for {to_score:,}' if known else ''}")
        self._say(f"; {', '.join(parts)}\n" if parts else "\n")
        self._open = False

    def __enter__(self) -> OpeningLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is wrong is told on a line of its own.
        if self._open:
            self._say("\n")

    def _say(self, words: str) -> None:
        if not self._quiet:
            with contextlib.suppress(OSError):
                print(words, end="", file=sys.stderr, flush=True)


def model_for_new_folder(request: Request, folders: OutputFolders, found: FoundVideos) -> str:
    """The model that will be loaded for all that was found, where that is clear before anything is: nothing is known
    in the output folder, and no video is left for later. Else empty."""
    options, settings = request.options, request.settings
    if not found.videos or options.limit is not None or options.settle_seconds:
        return ""
    if (folders.state_dir / "ledger.jsonl").exists():
        return ""
    try:
        return meant_model(settings.model, settings.weights)
    except UsageError:
        # It is told where it is loaded.
        return ""
