"""The flags for what is given up for speed."""

from __future__ import annotations

import argparse

from syncnet.cli.reading import one_of
from syncnet.settings import COSTLY_DETECT_EVERY_FRAMES, PRECISION_CHOICES, DetectSettings


def add_speed_flags(parser: argparse.ArgumentParser) -> None:
    """One group."""
    group = parser.add_argument_group("speed (docs/performance.md)")
    group.add_argument(
        "--precision",
        metavar=one_of(PRECISION_CHOICES),
        help="number format of the networks: auto is float32; the others are faster only if the processor or the GPU "
        "supports them in hardware (default auto)",
    )
    group.add_argument(
        "--detect_every",
        type=int,
        metavar="N",
        help="detect faces in every Nth frame, at cuts, and more often while a face moves fast; 1: in every frame "
        f"(default {DetectSettings().detect_every_frames}, with s3fd {COSTLY_DETECT_EVERY_FRAMES})",
    )
