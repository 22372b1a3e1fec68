"""The flags for what is given up for speed."""

from __future__ import annotations

import argparse

from syncnet.errors import UsageError
from syncnet.settings import COSTLY_DETECT_EVERY_FRAMES, PRECISION_CHOICES, DetectSettings, SpeedSettings


def add_speed_flags(parser: argparse.ArgumentParser) -> None:
    """One group."""
    group = parser.add_argument_group("speed (docs/performance.md)")
    group.add_argument(
        "--precision",
        choices=PRECISION_CHOICES,
        default=PRECISION_CHOICES[0],
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


def read_speed_settings(options: argparse.Namespace) -> SpeedSettings:
    """Raises UsageError for what cannot be meant, and for what would not give published numbers with --reference."""
    speed = SpeedSettings(options.precision, options.detect_every)
    if options.reference and speed.precision not in ("auto", "float32"):
        raise UsageError(
            f"--reference scores in float32, not with --precision {speed.precision}",
            cure=f"leave out --precision {speed.precision}",
        )
    if options.reference and speed.detect_every_frames not in (None, 1):
        raise UsageError(
            f"--reference detects faces in every frame, not with --detect_every {speed.detect_every_frames}",
            cure=f"leave out --detect_every {speed.detect_every_frames}",
        )
    return speed
