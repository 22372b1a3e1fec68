#!/usr/bin/env python3
"""Plots the sync curve of a video: python examples/plot_sync_curve.py VIDEO OUT.png

The curve is the mean distance between lips and sound at each offset that was tried. Where they belong together it
has one deep minimum, at the offset. Needs matplotlib.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

# No window is opened, so none is needed.
mpl.use("agg")
from matplotlib import pyplot as plt

# Where the package is not installed, it is beside this folder.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from syncnet import VideoResult, score_video
from syncnet.conventions import FPS, MAX_SHIFT_FRAMES


def plot_curve(result: VideoResult, picture: Path) -> None:
    """Writes the curve of the best track. ``result.best`` must not be None."""
    score = result.best
    assert score is not None
    # Entry k of the curve is for lips that meet the sound k - 15 frames later, so for the offset 15 - k.
    offsets_ms = [(MAX_SHIFT_FRAMES - k) * 1000 / FPS for k in range(len(score.curve))]
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.plot(offsets_ms, score.curve, marker="o", markersize=3)
    axes.axvline(score.offset_frames * 1000 / FPS, linestyle="--", color="grey")
    axes.set_title(f"{result.path.name}: confidence {score.confidence:.1f}, offset {score.offset_frames:+d} frames")
    axes.set_xlabel("offset in ms (positive: the sound comes early)")
    axes.set_ylabel("mean distance of lips and sound")
    figure.savefig(picture, dpi=120)
    plt.close(figure)


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: plot_sync_curve.py VIDEO OUT.png", file=sys.stderr)
        return 2
    video, picture = map(Path, sys.argv[1:])
    result = score_video(video)
    if result.best is None:
        print(f"{video}: {result.error or 'no face track'}", file=sys.stderr)
        return 1
    plot_curve(result, picture)
    print(f"{picture}: {'; '.join(result.verdict.reasons) if result.verdict and not result.passed else 'in sync'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
