"""The command that a folder was last filled with, and how the same one is given with other thresholds."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from syncnet.settings import Request, TerminalOptions
from syncnet.settings.checks import Checked, DefaultFloat, DefaultInt, parts_of
from syncnet.system.atomic import write_file
from syncnet.system.invocation import CALL, INSTALLED, PROGRAM
from syncnet.system.plain import read_json

COMMAND_NAME = "command.json"
"""In the folder of what is remembered."""

_OF_THRESHOLDS = ("--preset", "--min_confidence", "--max_abs_offset", "--min_offset", "--max_offset", "--max_distance")
"""What the page's own thresholds take the place of."""
_ONCE = ("--rescan", "--json")
"""What would score everything again, where only the verdicts change, and what is for programs only."""
_KEPT = ("--decisions",)
"""What the folder remembers: the same file once more would undo what was decided since."""


@dataclass(frozen=True)
class CommandLine:
    """How the command was called."""

    arguments: tuple[str, ...]
    """Its words, without the program."""
    directory: str
    """Where relative names among them start."""
    input_dir: str
    """As given."""
    program: tuple[str, ...] = CALL
    """The words that started it, as they were given."""


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
        _started_by(directory) if request.arguments else CALL,
    )


def _started_by(directory: str) -> tuple[str, ...]:
    """What starts this program again from that folder: with its own Python, where it is a script of a checkout."""
    script = sys.argv[0]
    if os.path.basename(script) != PROGRAM:
        # Another program called it as a function.
        return CALL
    if INSTALLED:
        return (script if os.path.dirname(script) else PROGRAM,)
    python = sys.executable
    if directory and python.startswith(below := os.path.join(directory, "")):
        # As it was most likely typed. A name without a folder would be looked for in PATH.
        python = python.removeprefix(below)
        python = python if os.sep in python else os.path.join(os.curdir, python)
    return (python or CALL[0], script)


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
        program = tuple(map(str, noted.get("program") or CALL))
        words = tuple(map(str, noted["arguments"]))
        return CommandLine(words, str(noted["directory"]), str(noted["input_dir"]), program)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def without_thresholds(command: CommandLine) -> str:
    """The command as a line for a shell in any folder, ready to take the flags of other thresholds at its end."""
    words: list[str] = []
    skip_value = False
    for argument in command.arguments:
        name, equals, _ = argument.replace("-", "_").partition("=")
        flag = f"--{name[2:]}"
        if skip_value:
            skip_value = False
        elif not argument.startswith("--") or argument == "--":
            words.append(argument)
        elif any(known.startswith(flag) for known in _OF_THRESHOLDS + _KEPT):
            # A flag may be shortened as long as it stands for itself alone, which the command has seen to.
            skip_value = not equals
        elif not any(known.startswith(flag) for known in _ONCE):
            words.append(argument)
    line = " ".join(map(quoted, (*command.program, *words)))
    return f"cd {quoted(command.directory)} && {line}" if command.directory else line


def quoted(word: str) -> str:
    """The word for a POSIX shell; with control characters or stray bytes as bash and zsh spell them (``$'...'``)."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(_spelled(byte) for byte in os.fsencode(word)) + "'"


def _spelled(byte: int) -> str:
    character = chr(byte)
    plain = 32 <= byte < 127 and character not in "'\\"
    return character if plain else f"\\x{byte:02x}"
