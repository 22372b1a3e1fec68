"""Ranges as WebVTT, which players show over the video: a cue a range.

Source: https://www.w3.org/TR/webvtt1/, sections 4.1 and 4.2.2.
"""

from __future__ import annotations

from syncnet.takeaway.ranges import RangedVideo

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def format_webvtt(video: RangedVideo) -> str:
    """The file's text."""
    cues = (
        f"{number}\n{_stamp(one.start_seconds)} --> {_stamp(one.end_seconds)}\n{one.summary.translate(_ESCAPED)}\n"
        for number, one in enumerate(video.ranges, 1)
    )
    return "\n".join(["WEBVTT\n", *cues])


def _stamp(seconds: float) -> str:
    """``00:01:30.480``."""
    milliseconds = round(seconds * 1000)
    return (
        f"{milliseconds // 3_600_000:02d}:{milliseconds // 60_000 % 60:02d}:"
        f"{milliseconds // 1000 % 60:02d}.{milliseconds % 1000:03d}"
    )
