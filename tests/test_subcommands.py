from __future__ import annotations

import sys
import types
from collections.abc import Sequence

import pytest

from syncnet import command
from syncnet.cli import subcommands
from syncnet.cli.subcommands import SUBCOMMANDS, find_subcommand
from syncnet.errors import UsageError


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The words that reached a subcommand called ``look``."""
    words: list[list[str]] = []

    def main(arguments: Sequence[str]) -> int:
        words.append(list(arguments))
        if "wrong" in arguments:
            raise UsageError("looked the\nwrong way", cure="turn round")
        return 7

    module = types.ModuleType("a_subcommand")
    vars(module)["main"] = main
    monkeypatch.setitem(sys.modules, "a_subcommand", module)
    monkeypatch.setitem(subcommands.SUBCOMMANDS, "look", "a_subcommand")
    return words


def test_the_first_word_decides_and_the_rest_goes_on(heard: list[list[str]]) -> None:
    assert command.main(["look", "--output_dir", "report"]) == 7
    assert heard == [["--output_dir", "report"]]


@pytest.mark.parametrize("arguments", [[], ["--output_dir", "look"], ["looks"], ["--help", "look"]])
def test_everything_else_is_the_command_itself(heard: list[list[str]], arguments: list[str]) -> None:
    assert find_subcommand(arguments) is None


def test_wrong_usage_of_a_subcommand_is_one_line_and_exit_code_2(
    heard: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["look", "wrong"]) == 2
    assert capsys.readouterr().err.endswith(": error: looked the\\nwrong way: turn round\n")


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main([name, "--help"])
    assert ended.value.code == 0
    assert f"{name} " in capsys.readouterr().out
