"""Rates and ratios as PyAV gives them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.stream import VideoStream

HIGHEST_STATED_FPS = 500
"""A mean rate above is none: DV's is 60,000."""
SAME_RATE = 0.02
"""By so little a counted rate may differ from the stated one by chance."""


def as_fraction(ratio: object) -> Fraction | None:
    """None where there is no ratio: PyAV gives None, zero, or one without a denominator."""
    numerator, denominator = getattr(ratio, "numerator", 0), getattr(ratio, "denominator", 0)
    return Fraction(numerator, denominator) if numerator and denominator else None


def rate_of(picture: VideoStream) -> Fraction | None:
    """The mean rate that the file states; None where it states none.

    FFmpeg's guess of a rate follows from the units of the time stamps, and is 1000 or 240 for what a browser recorded.
    """
    rate = as_fraction(picture.average_rate)
    return None if rate is None or rate > HIGHEST_STATED_FPS else rate


def told_rate(stated: Fraction | None, container: str, counted: float) -> float:
    """Pictures a second of the whole file; 0.0 where nobody knows.

    ``stated``: by ``rate_of``; ``container``: FFmpeg's name of it; ``counted``: pictures over the time that they take,
    or 0.0. Matroska and WebM state at most how long a picture lasts as a rule; without it FFmpeg's mean is that of the
    first pictures.
    """
    if stated is None or ("matroska" in container and counted and abs(counted / float(stated) - 1) > SAME_RATE):
        return counted
    return float(stated)
