"""The command, with a note of the stage that it is in, and a kill at a chosen stage: what benchmarks/faults.py starts.

    python -m benchmarks.faults_worker NOTE_FILE AIM FLAGS...

AIM is ``-``, or ``STAGE:N:SECONDS``: SIGKILL so long after the stage was entered for the Nth time, whichever process
entered it. ``crash STAGE:N:SECONDS``: the process that scores is ended by SIGSEGV, once.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

NOTE_BYTES = 32
STAGES = {
    "loading models": ["syncnet.stages.choose_stages", "syncnet.stages.ChosenStages.load"],
    "opening": ["syncnet.pipeline.open_media"],
    "finding faces": ["syncnet.pipeline.find_faces"],
    "linking tracks": ["syncnet.pipeline.link_tracks"],
    "scoring tracks": ["syncnet.pipeline.gather_people"],
    "recording": ["syncnet.state.ledger.Ledger.add"],
    "placing": ["syncnet.engines.conclusion.place_video"],
    "writing results": ["syncnet.report.results.write_results", "syncnet.report.keeper.write_results"],
}
"""Name: the functions that are it, under the names by which they are called."""


class Notes:
    """The last stage that was entered, in a file that outlives a kill."""

    def __init__(self, path: str, aim: str, command_pid: int | None = None) -> None:
        """``command_pid``: of the command, where this is its child."""
        self._once = f"{path}.crashed"
        crash = aim.startswith("crash ")
        self._victim, self._signal = command_pid or os.getpid(), signal.SIGKILL
        if crash:
            self._victim, self._signal = os.getpid(), signal.SIGSEGV
        if crash and (command_pid is None or os.path.exists(self._once)):
            aim = "-"
        aim = aim.removeprefix("crash ")
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT)
        self._aim, count, seconds = aim.split(":") if aim != "-" else ("", "0", "0")
        self._left, self._seconds = int(count), float(seconds)

    def write(self, stage: str) -> None:
        os.pwrite(self._handle, stage.ljust(NOTE_BYTES).encode(), 0)
        if stage == self._aim:
            self._left -= 1
            if self._left == 0 and self._seconds == 0:
                self._strike()
            if self._left == 0:
                threading.Timer(self._seconds, self._strike).start()

    def _strike(self) -> None:
        if self._signal == signal.SIGSEGV:
            os.close(os.open(self._once, os.O_CREAT))
        os.kill(self._victim, self._signal)

    def watched(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def noting(*arguments: Any, **options: Any) -> Any:
            self.write(stage)
            result = function(*arguments, **options)
            self.write("between stages")
            return result

        return noting


def watch(notes: Notes) -> None:
    for stage, names in STAGES.items():
        for name in names:
            owner_name, attribute = name.rsplit(".", 1)
            try:
                owner: Any = importlib.import_module(owner_name)
            except ImportError:
                module, owner_class = owner_name.rsplit(".", 1)
                owner = getattr(importlib.import_module(module), owner_class)
            setattr(owner, attribute, notes.watched(stage, getattr(owner, attribute)))


def load_watched(module: str, name: str, path: str, aim: str, *arguments: Any) -> Any:
    """What a child process scores with, its stages noted too. ``module`` has the loader under ``name``."""
    notes = Notes(path, aim, os.getppid())
    watch(notes)
    return notes.watched("between stages", getattr(importlib.import_module(module), name)(*arguments))


def main() -> None:
    notes = Notes(*sys.argv[1:3])
    notes.write("starting")
    watch(notes)
    from syncnet import command

    inner = command.load_scorer
    command.load_scorer = functools.partial(load_watched, inner.__module__, inner.__name__, *sys.argv[1:3])
    command.run_as_process(sys.argv[3:])


if __name__ == "__main__":
    main()
