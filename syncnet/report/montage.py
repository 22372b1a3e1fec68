"""montage.png: the videos nearest to the threshold, each as a film strip of mouths with its sync curve."""

from __future__ import annotations

import importlib.util
import io
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.errors import UsageError
from syncnet.keepsake.file import keepsake_path, read_keepsake
from syncnet.report.content import ReportContent
from syncnet.report.names import MONTAGE_TITLE
from syncnet.report.page_data import deciding_track, nearness
from syncnet.results import VideoResult
from syncnet.settings import Thresholds
from syncnet.system.atomic import write_file
from syncnet.system.text import fit, printable
from syncnet.verdict import describe_confidence, describe_passing, describe_score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MATPLOTLIB = "matplotlib>=3.8,<4"
MOST_VIDEOS = 20
_COLUMNS = 2
_NAME_COLUMNS = 44
_ROW_INCHES, _WIDTH_INCHES, _DOTS_PER_INCH = 0.95, 13.0, 150
# Okabe and Ito's blue and vermilion, as in the page; the words say it as well.
_PASS, _FAIL, _WITHIN = "#0072b2", "#c25400", "#dcecf6"


def check_matplotlib() -> None:
    """Raises UsageError where the library is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError("--montage needs matplotlib", cure=f"pip install '{MATPLOTLIB}'")


def write_montage(content: ReportContent, path: Path) -> int:
    """Returns how many videos it shows. Raises UsageError where there is none to show, and OSError."""
    chosen = choose_videos(content)
    if not chosen:
        raise UsageError("no video has a score to compare with the thresholds", cure="score some videos first")
    picture = io.BytesIO()
    figure = _draw(chosen, content)
    with warnings.catch_warnings():
        # Letters of names that the font lacks come out as boxes; a line of warning for each helps nobody.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(picture, format="png", dpi=_DOTS_PER_INCH, metadata={"Title": MONTAGE_TITLE})
    path.parent.mkdir(exist_ok=True)
    write_file(path, picture.getvalue())
    return len(chosen)


def choose_videos(content: ReportContent) -> list[VideoResult]:
    """The nearest to the border between pass and fail first."""
    distances = [(nearness(result, content.thresholds), number) for number, result in enumerate(content.results)]
    near = sorted(entry for entry in distances if math.isfinite(entry[0]))
    return [content.results[number] for _, number in near[:MOST_VIDEOS]]


def read_strip(result: VideoResult, content: ReportContent) -> np.ndarray | None:
    """Mouths of the best track side by side, (H, W, 3) uint8 RGB; None where no keepsake has them."""
    keepsake = read_keepsake(keepsake_path(content.folders.state_dir, result.relative_path))
    number = deciding_track(result)
    if keepsake is None or number is None or len(keepsake.tracks) != len(result.tracks):
        return None
    jpeg = keepsake.tracks[number].strip
    # A run that writes no contact sheet, but reads its name here, does without it.
    import cv2

    decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR) if len(jpeg) else None
    return None if decoded is None else np.asarray(decoded[:, :, ::-1])


def _draw(chosen: Sequence[VideoResult], content: ReportContent) -> Figure:
    from matplotlib.figure import Figure

    rows = math.ceil(len(chosen) / _COLUMNS)
    figure = Figure(figsize=(_WIDTH_INCHES, _ROW_INCHES * rows + 0.6), facecolor="white")
    figure.suptitle(_title(content), fontsize=10, y=0.995, va="top", parse_math=False)
    grid = figure.add_gridspec(
        rows, 2 * _COLUMNS, width_ratios=[4, 1] * _COLUMNS, left=0.01, right=0.99, wspace=0.06, hspace=0.55,
        top=1 - 0.6 / (_ROW_INCHES * rows + 0.6), bottom=0.02,
    )  # fmt: skip
    for number, result in enumerate(chosen):
        row, column = number % rows, number // rows
        strip = read_strip(result, content)
        _draw_strip(figure.add_subplot(grid[row, 2 * column]), result, strip, content.thresholds)
        _draw_curve(figure.add_subplot(grid[row, 2 * column + 1]), result, content.thresholds)
    return figure


def _title(content: ReportContent) -> str:
    limits = content.thresholds
    return (
        f"The videos nearest to the thresholds: confidence at least {limits.min_confidence:g}, "
        f"offset {limits.lowest_offset:+d} to {limits.highest_offset:+d} frames (model {content.model})"
    )


def describe(result: VideoResult, least: float) -> tuple[str, str]:
    """The words above a strip, and their colour. ``least``: the lowest confidence that passes."""
    score = result.best
    if score is None:
        raise ValueError("only scored videos are shown")
    verdict, colour = describe_passing(passed=result.passed), _PASS if result.passed else _FAIL
    name = fit(printable(str(result.relative_path)), _NAME_COLUMNS).rstrip()
    return f"{name}   {describe_confidence(score.confidence, least)}, {describe_score(score)}: {verdict}", colour


def _draw_strip(axes: Axes, result: VideoResult, strip: np.ndarray | None, thresholds: Thresholds) -> None:
    words, colour = describe(result, thresholds.min_confidence)
    # A dollar sign in a name is no formula.
    axes.set_title(words, fontsize=7, loc="left", pad=3, color=colour, parse_math=False)
    axes.set_axis_off()
    if strip is None:
        axes.text(0, 0.5, "no pictures of this video", fontsize=7, color="#566372", transform=axes.transAxes)
    else:
        axes.imshow(strip, aspect="auto")


def _draw_curve(axes: Axes, result: VideoResult, thresholds: Thresholds) -> None:
    score: Any = result.best
    shifts = np.arange(-MAX_SHIFT_FRAMES, MAX_SHIFT_FRAMES + 1)
    axes.axvspan(thresholds.lowest_offset - 0.4, thresholds.highest_offset + 0.4, color=_WITHIN)
    # Row k of the curve is a shift of 15 - k frames.
    axes.plot(shifts, score.curve[::-1], color=describe(result, thresholds.min_confidence)[1], linewidth=1)
    axes.axvline(score.offset_frames, color="#17212b", linewidth=0.7, linestyle="--")
    axes.set_xlim(-MAX_SHIFT_FRAMES - 0.5, MAX_SHIFT_FRAMES + 0.5)
    axes.set_xticks([-MAX_SHIFT_FRAMES, 0, MAX_SHIFT_FRAMES])
    axes.tick_params(labelsize=5, length=2, pad=1)
    axes.set_yticks([])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
