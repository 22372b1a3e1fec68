"""The ranges of a results file, one after another, each with the video that it is of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Literal

from syncnet.system.text import printable
from syncnet.verdict import describe_offset

Chosen = Literal["passing", "all"]


@dataclass(frozen=True)
class Range:
    """One segment of one video, as the results file has it."""

    start_seconds: float
    end_seconds: float
    kind: str
    passes: bool
    fields: dict[str, Any]
    """All of the segment's keys; docs/results.md explains them."""

    @property
    def summary(self) -> str:
        """``passes: confidence 7.1, sound 40 ms late``, for people."""
        if self.kind != "speech":
            return {"no_match": "no match: the lips of no face fit", "off_screen": "off screen: no face is seen"}[
                self.kind
            ]
        found = f"confidence {self.fields['confidence']:.1f}"
        if self.fields["evidence"] != "none":
            found += f", {describe_offset(self.fields['offset'])}"
        if self.passes:
            return f"passes: {found}"
        return f"does not pass: {found} ({printable('; '.join(self.fields['reasons']))})"


@dataclass(frozen=True)
class RangedVideo:
    """A video with the ranges that were asked for, in order of time."""

    location: str
    """Its path as it was given, or its URI without secrets."""
    place: str
    """Where its file is, by what the results know."""
    relative_path: PurePath
    source_fps: float | None
    duration_seconds: float
    ranges: tuple[Range, ...]
    size_px: tuple[int, int] = (0, 0)
    """Width and height of its pictures, as boxes count them."""
    audio_track: int | None = None
    """That was heard, counted from 0."""
    tracks: int = 0
    """Of faces."""
    placed: str = ""
    """Where its copy stands in the output folder, or the file itself; empty where none was put there."""

    @property
    def url(self) -> str:
        """A file's path as a URL; a URI stays as it is."""
        return self.place if "://" in self.place else Path(self.place).absolute().as_uri()


def find_ranges(entries: Iterable[dict[str, Any]], chosen: Chosen) -> Iterator[RangedVideo]:
    """The videos of a results document that have such ranges.

    Raises KeyError or TypeError where the document is of a version without segments.
    """
    for entry in entries:
        ranges = tuple(
            Range(segment["from"], segment["to"], segment["kind"], segment["passes"], segment)
            for segment in entry["segments"]
            if chosen == "all" or segment["passes"]
        )
        if ranges:
            yield RangedVideo(
                entry["video_path"],
                _place_of(entry),
                PurePosixPath(entry["relative_path"]),
                entry["source_fps"],
                entry["duration_seconds"] or 0.0,
                ranges,
                (entry["width"] or 0, entry["height"] or 0),
                entry["audio_track"],
                len(entry["all_tracks"]),
                entry["placed_path"] or "",
            )


def _place_of(entry: dict[str, Any]) -> str:
    """The video itself where it is still there, else its copy: ``--place move`` leaves only that."""
    given, placed = str(entry["video_path"]), entry["placed_path"]
    return str(placed) if placed and "://" not in given and not Path(given).exists() else given
