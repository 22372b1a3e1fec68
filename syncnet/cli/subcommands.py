"""What the command does when its first word is no flag: ``report`` and its like. Standard library only."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import cast

import weights

SUBCOMMANDS = {
    "report": "syncnet.subcommands.report",
    "merge": "syncnet.subcommands.merge",
    "export": "syncnet.subcommands.export",
    "rejudge": "syncnet.subcommands.rejudge",
    "repair": "syncnet.subcommands.repair",
    "evaluate": "syncnet.subcommands.evaluate",
    "weights": f"{weights.__name__}.__main__",
}
"""Name -> the module whose ``main(arguments) -> int`` does it, imported only when it is asked for.

``arguments`` are the words after the name; what comes back is the exit code. A ``main`` raises UsageError, LockedError
and ImportError as the command itself does, and the command tells them.
"""


THAT_SCORE = ("repair", "evaluate")
"""Their ``main`` also takes ``own_process``: see ``Audience`` in syncnet/command.py."""
ALIASES = {"rescore": "rejudge"}
"""Names of before."""


def find_subcommand(arguments: Sequence[str], *, own_process: bool = False) -> Callable[[], int] | None:
    """The subcommand that is asked for, ready to be called; None for the command itself."""
    if not arguments:
        return None
    name, *rest = arguments
    name = ALIASES.get(name, name)
    if name not in SUBCOMMANDS:
        return None

    def run() -> int:
        main = cast("Callable[..., int]", importlib.import_module(SUBCOMMANDS[name]).main)
        return main(rest, own_process=own_process) if name in THAT_SCORE else main(rest)

    return run
