"""The command that a folder was last filled with, and how the same one is given with other thresholds."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from syncnet.settings import Request, TerminalOptions
from syncnet.settings.checks import Checked, DefaultFloat, DefaultInt, parts_of
from syncnet.system.atomic import write_file
from syncnet.system.invocation import CALL
from syncnet.system.plain import read_json

COMMAND_NAME = "command.json"
"""In the folder of what is remembered."""

_OF_THRESHOLDS = ("--preset", "--min_confidence", "--max_abs_offset", "--min_offset", "--max_offset", "--max_distance")
"""What the page's own thresholds take the place of."""
_ONCE = ("--rescan",)
"""What would score everything again, where only the verdicts change."""


@dataclass(frozen=True)
class CommandLine:
    """How the command was called."""

    arguments: tuple[str, ...]
    """Its words, without the program."""
    directory: str
    """Where relative names among them start."""
    input_dir: str
    """As given."""


def command_of(request: Request) -> CommandLine:
    """The command of this process, or the one that does what a program asked for."""
    try:
        directory = os.getcwd()
    except OSError:
        # Gone since the start: then nothing relative among the words leads anywhere.
        directory = ""
    return CommandLine(
        request.arguments or tuple(words_of(replace(request, terminal=TerminalOptions()))),
        directory,
        str(request.base_dir),
    )


def words_of(settings: Checked) -> Iterator[str]:
    """The flags that give these settings, each in one word; what is as it is by default is not said."""
    for part in parts_of(type(settings)):
        value = getattr(settings, part.name)
        if isinstance(value, Checked):
            yield from words_of(value)
        elif part.flag and not _is_unsaid(value, part.default):
            if isinstance(value, bool):
                yield f"--{part.flag}" if value else f"--{part.flag}=off"
            else:
                # A folder that is called as a word of the flag is no such word.
                yield f"--{part.flag}={'./' if value == Path('off') else ''}{value}"


def _is_unsaid(value: object, default: object) -> bool:
    """Whether the value is the one of a command that does not say it."""
    if isinstance(default, (DefaultInt, DefaultFloat)):
        # Where it was given, it stands against the default that another setting would bring.
        return isinstance(value, type(default))
    return value is None or value == default


def note_command(path: Path, command: CommandLine) -> None:
    """Keeps the command for the page that is made later. Raises OSError."""
    # ASCII, so that names of any bytes come back as they were.
    write_file(path, json.dumps(vars(command)).encode("ascii"))


def read_command(path: Path) -> CommandLine | None:
    """None where no run noted one, or nothing that can be read."""
    try:
        noted = read_json(path.read_bytes())
        return CommandLine(tuple(map(str, noted["arguments"])), str(noted["directory"]), str(noted["input_dir"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def without_thresholds(command: CommandLine) -> str:
    """The command as a line for a shell, ready to take the flags of other thresholds at its end."""
    words: list[str] = []
    skip_value = False
    for argument in command.arguments:
        name, equals, _ = argument.replace("-", "_").partition("=")
        flag = f"--{name[2:]}"
        if skip_value:
            skip_value = False
        elif not argument.startswith("--") or argument == "--":
            words.append(argument)
        elif any(known.startswith(flag) for known in _OF_THRESHOLDS):
            # A flag may be shortened as long as it stands for itself alone, which the command has seen to.
            skip_value = not equals
        elif not any(known.startswith(flag) for known in _ONCE):
            words.append(argument)
    return " ".join([*CALL, *map(quoted, words)])


def quoted(word: str) -> str:
    """The word for a POSIX shell; with control characters or stray bytes as bash and zsh spell them (``$'...'``)."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(_spelled(byte) for byte in os.fsencode(word)) + "'"


def _spelled(byte: int) -> str:
    character = chr(byte)
    plain = 32 <= byte < 127 and character not in "'\\"
    return character if plain else f"\\x{byte:02x}"
