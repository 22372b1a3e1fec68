"""docs/options.md, from the parsers: python -m docs.make_options > docs/options.md"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping

from syncnet.cli import request as cli
from syncnet.settings import PRACTICES, PRESETS
from syncnet.subcommands import evaluate, export, merge, rejudge, repair
from syncnet.subcommands import report as page_command

CALL = "python filter_videos_by_sync_score.py"

PARSERS: Mapping[str, argparse.ArgumentParser] = {
    CALL: cli.build_parser(),
    f"{CALL} report": page_command.build_parser(),
    f"{CALL} rejudge": rejudge.build_parser(),
    f"{CALL} repair": repair.build_parser(),
    f"{CALL} merge": merge.build_parser(),
    f"{CALL} export": export.build_parser(),
    f"{CALL} evaluate": evaluate.build_parser(),
}
"""How each is called -> what reads its words."""

PRESET_ROWS = "\n".join(
    f"| `{name}` | {p.min_confidence} | {p.max_abs_offset} | {PRACTICES[name][1] if name in PRACTICES else ''} |"
    for name, p in PRESETS.items()
)
INTRODUCTION = f"""\
# Every option

This page is `--help` as a page. Flags may be written with dashes (`--input-dir`), and shortened if the short form is
unambiguous. After `pip install .` the command is called `filter-videos-by-sync-score`. The options of
`python -m weights` are in [weights/README.md](../weights/README.md).

## Presets

| preset | lowest confidence | largest offset, in frames | source |
|---|---:|---:|---|
{PRESET_ROWS}

An explicit `--min_confidence` or `--max_abs_offset` overrides the preset. How much each preset keeps is measured in
[accuracy.md](accuracy.md#presets). Those with a source are
[thresholds of the published network](scores.md#how-high-is-high).
"""
UNTITLED = ("options", "positional arguments")


def make_page() -> str:
    """The whole page, in Markdown."""
    return "\n".join([INTRODUCTION, *(line for call, parser in PARSERS.items() for line in _section(call, parser))])


def _section(call: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"## `{call}`\n"
    # argparse has no public way to its groups, nor to a help text whose %(default)s is filled in.
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action.dest != "help"]
        if actions:
            title = "" if group.title in UNTITLED else _linked(str(group.title))
            yield f"| {title} | |"
            yield "|---|---|"
            yield from (f"| {_names(action)} | {_meaning(action, parser)} |" for action in actions)
            yield ""


def _names(action: argparse.Action) -> str:
    """``--shard [I/N]``: the flag and what follows it."""
    value = str(action.metavar or "") or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else "")
    if action.nargs == "?":
        value = f"[{value}]"
    return f"`{' '.join(filter(None, [*action.option_strings, value]))}`".replace("|", "\\|")


def _meaning(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    text = parser._get_formatter()._expand_help(action)
    return _linked(re.sub(r"(?<![\w`-])(--\w+)", r"`\1`", text)).replace("|", "\\|")


def _linked(text: str) -> str:
    return re.sub(r"docs/([\w-]+\.md)", r"[docs/\1](\1)", text)


if __name__ == "__main__":
    print(make_page(), end="")
