"""argparse, made to answer wrong usage with one line that says what to type instead."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import NoReturn

from syncnet.errors import UsageError
from syncnet.system.invocation import PROGRAM


class Parser(argparse.ArgumentParser):
    """Flags may be written with dashes or underscores; what cannot be meant is a UsageError, not a page of usage."""

    def parse_flags(self, arguments: Sequence[str]) -> argparse.Namespace:
        """``--help`` prints and raises SystemExit(0)."""
        options, unknown = self.parse_known_args([_underscored(argument) for argument in arguments])
        if unknown and not self.takes(unknown, options):
            told = " ".join(word or '""' for word in unknown)
            raise UsageError(f"unrecognized arguments: {told}", cure=self.meant_by(unknown[0]))
        return options

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, cure=self._see_help())

    def takes(self, words: Sequence[str], options: argparse.Namespace) -> bool:
        """Whether the words that belong to no flag are meant all the same; then they are noted in the options."""
        return False

    def meant_by(self, unknown: str) -> str:
        """What to type instead of an argument that there is not."""
        flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
        near = difflib.get_close_matches(unknown.partition("=")[0], flags, n=1)
        return f"did you mean {near[0]}? Else {self._see_help()}" if near else self._see_help()

    def _see_help(self) -> str:
        subcommand = self.prog.removeprefix(PROGRAM).strip()
        return f"see {subcommand} --help" if subcommand else "see --help"


def _underscored(argument: str) -> str:
    """``--input-dir=a-b`` -> ``--input_dir=a-b``: one spelling for argparse, which then resolves abbreviations."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument[2:].partition("=")
    return f"--{name.replace('-', '_')}{equals}{value}"
