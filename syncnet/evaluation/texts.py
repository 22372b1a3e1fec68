"""Findings -> Markdown and LaTeX, ready to paste."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from syncnet.evaluation.findings import NUMBERS, Difference, FolderFindings, Names
from syncnet.evaluation.statistics import Summary
from syncnet.system.text import printable

TITLE = "Lip-sync evaluation"
DECIMALS = 3
_BETTER = {"C": "\u2191", "D": "\u2193", "|offset|": "\u2193"}
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}
_MARKDOWN = "\\`*_{}[]<>#|"


def format_markdown(
    header: Mapping[str, str], names: Names, folders: Sequence[FolderFindings], difference: Difference | None
) -> str:
    """The whole page: how it was made, a row a folder, all statistics, and the difference."""
    lines = [f"# {TITLE}", "", *(f"- {name}: {printable(text)}" for name, text in header.items()), ""]
    lines += _row_table(names, folders)
    for folder in folders:
        lines += ["", f"{_marked_down(folder.label)}:", "", *_statistics(names, folder.summaries)]
    if difference:
        one, two = (_marked_down(folder.label) for folder in folders)
        lines += ["", f"{one} minus {two}, {_pair_words(difference)}:", ""]
        lines += _statistics(names, difference.summaries, signed=True)
    return "\n".join([*lines, ""])


def format_latex(
    header: Mapping[str, str], names: Names, folders: Sequence[FolderFindings], difference: Difference | None
) -> str:
    """Rows of a tabular, after comments that say how they were made."""
    columns = " & ".join(_escaped(names.of(name)) for name in NUMBERS)
    lines = [f"% {TITLE}", *(f"% {name}: {printable(text)}" for name, text in header.items())]
    lines.append(f"% set & n & {columns} & no face & failed \\\\")
    lines += [_latex_row(_escaped(folder.label), folder.summaries, _counts(folder)) for folder in folders]
    if difference:
        lines.append(_latex_row("difference", difference.summaries, ("", ""), signed=True))
    return "\n".join([*lines, ""])


def _row_table(names: Names, folders: Sequence[FolderFindings]) -> Iterator[str]:
    titles = [f"{names.of(name)} {_BETTER[name]}".replace("|", "\\|") for name in NUMBERS]
    yield f"| set | n | {' | '.join(titles)} | no face | failed |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for folder in folders:
        cells = [_with_interval(folder.summaries[name]) for name in NUMBERS]
        count = _n(folder.summaries)
        yield f"| {_marked_down(folder.label)} | {count} | {' | '.join(cells)} | {' | '.join(_counts(folder))} |"


def _statistics(names: Names, summaries: Mapping[str, Summary | None], *, signed: bool = False) -> Iterator[str]:
    yield "| number | n | files | mean | 95 % interval of the mean | median | standard deviation |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name, summary in summaries.items():
        title = names.of(name).replace("|", "\\|")
        if summary is None:
            yield f"| {title} | 0 | 0 | | | | |"
            continue
        interval = " to ".join(_number(edge, signed=signed) for edge in summary.interval or ())
        deviation = "" if summary.deviation is None else _number(summary.deviation)
        mean, median = (_number(value, signed=signed) for value in (summary.mean, summary.median))
        yield f"| {title} | {summary.n} | {summary.files} | {mean} | {interval} | {median} | {deviation} |"


def _latex_row(
    label: str, summaries: Mapping[str, Summary | None], counts: tuple[str, str], *, signed: bool = False
) -> str:
    cells = []
    for name in NUMBERS:
        summary = summaries[name]
        interval = ", ".join(_number(edge, signed=signed) for edge in (summary.interval if summary else None) or ())
        mean = f"${_number(summary.mean, signed=signed)}$" if summary else "--"
        cells.append(f"{mean} {{\\scriptsize $[{interval}]$}}" if interval else mean)
    return f"{label} & {_n(summaries)} & {' & '.join([*cells, *counts])} \\\\"


def _pair_words(difference: Difference) -> str:
    paired = difference.paired
    words = ["1 pair" if len(paired.pairs) == 1 else f"{len(paired.pairs)} pairs of the same name"]
    words += [f"{paired.unmeasured} left out, of which one side was not measured"] if paired.unmeasured else []
    words += [f"without a partner: {paired.alone[0]} and {paired.alone[1]}"] if any(paired.alone) else []
    return "; ".join(words)


def _counts(folder: FolderFindings) -> tuple[str, str]:
    return str(folder.count("no_faces")), str(folder.count("failed"))


def _n(summaries: Mapping[str, Summary | None]) -> int:
    summary = summaries["C"]
    return summary.n if summary else 0


def _with_interval(summary: Summary | None) -> str:
    if summary is None:
        return ""
    edges = ", ".join(map(_number, summary.interval or ()))
    return f"{_number(summary.mean)} [{edges}]" if edges else _number(summary.mean)


def _number(value: float, *, signed: bool = False) -> str:
    text = f"{value:+.{DECIMALS}f}" if signed else f"{value:.{DECIMALS}f}"
    # A mean of -0.0001 is no negative number at this length.
    return text.replace("-", "+" if signed else "", 1) if float(text) == 0 else text


def _marked_down(text: str) -> str:
    return "".join(f"\\{letter}" if letter in _MARKDOWN else letter for letter in printable(text))


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in printable(text))
