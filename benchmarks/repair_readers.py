"""Where three players find the sound of a file whose sound was moved: each kind of file, each way, each direction.

    python -m benchmarks.repair_readers [KIND ...]

A clip of flashes and clicks is written once in sync and once with its sound 200 ms late or early; the second one is
repaired, by what it was moved. Told is by how many milliseconds the sound of the repaired one lies earlier than that of
the one in sync, as each player plays both: its own delay is in both. The worst of three clicks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import readers
from syncnet.repair.boxes import OddIndexError
from syncnet.repair.copying import CannotCopyError
from syncnet.repair.correction import constant
from syncnet.repair.writing import write_repaired
from syncnet.settings import SOUND_WAYS, SoundWay
from syncnet.system.interruption import StopFlag
from synthetic.media import Clip

MOVED_MS = (200, -200)
"""Later, and earlier."""
_H264 = {"video_codec": "libx264", "video_options": (("preset", "ultrafast"), ("bf", "0"), ("g", "25"))}
_VP8 = {"video_codec": "libvpx", "video_options": (("deadline", "realtime"), ("cpu-used", "8"))}
_FRAGMENTS = {"muxer_options": (("movflags", "frag_keyframe+empty_moov+default_base_moof"),)}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "MP4/AAC": ("mp4", {**_H264, "audio_codec": "aac"}),
    "MP4/AAC, in fragments": ("mp4", {**_H264, **_FRAGMENTS, "audio_codec": "aac"}),
    "MP4/Opus": ("mp4", {**_H264, "audio_codec": "libopus"}),
    "MP4/MP3": ("mp4", {**_H264, "audio_codec": "libmp3lame"}),
    "MOV/PCM": ("mov", {**_H264, "audio_codec": "pcm_s16le"}),
    "MOV/AAC": ("mov", {**_H264, "audio_codec": "aac"}),
    "Matroska/AAC": ("mkv", {**_H264, "audio_codec": "aac"}),
    "Matroska/Opus": ("mkv", {**_H264, "audio_codec": "libopus"}),
    "Matroska/MP3": ("mkv", {**_H264, "audio_codec": "libmp3lame"}),
    "Matroska/AC-3": ("mkv", {**_H264, "audio_codec": "ac3"}),
    "Matroska/FLAC": ("mkv", {**_H264, "audio_codec": "flac"}),
    "WebM/Opus": ("webm", {**_VP8, "audio_codec": "libopus"}),
    "MPEG-TS/AAC": ("ts", {**_H264, "container": "mpegts", "audio_codec": "aac"}),
    "MPEG-TS/MP2": ("ts", {**_H264, "container": "mpegts", "audio_codec": "mp2"}),
    "MPEG-TS/AC-3": ("ts", {**_H264, "container": "mpegts", "audio_codec": "ac3"}),
    "FLV/AAC": ("flv", {**_H264, "audio_codec": "aac", "sample_rate": 44_100}),
    "AVI/MP3": ("avi", {**_H264, "audio_codec": "libmp3lame"}),
    "AVI/PCM": ("avi", {**_H264, "audio_codec": "pcm_s16le"}),
}
Reader = Callable[[Path], list[float]]


@dataclass(frozen=True)
class Cell:
    """One repaired file in one player."""

    kind: str
    way: SoundWay
    moved_ms: int
    reader: str
    early_ms: float | None
    """None where the player does not play it, or it cannot be written."""


def available_readers(stack: ExitStack) -> dict[str, Reader]:
    """By name; those that are not installed are left out."""
    found: dict[str, Reader] = {"media stage (FFmpeg)": readers.media}
    if not readers.gstreamer_problem():
        found["GStreamer"] = readers.gstreamer
    if not readers.chromium_problem():
        found["Chromium"] = stack.enter_context(readers.chromium())
    return found


def measure(kind: str, folder: Path, players: dict[str, Reader]) -> Iterator[Cell]:
    """All ways and directions of one kind of file."""
    extension, fields = KINDS[kind]
    clip = Clip(**fields)
    true = readers.write_flashes(folder / f"true.{extension}", clip)
    asked = {name: _asked(player, true) for name, player in players.items()}
    for moved_ms in MOVED_MS:
        source = readers.write_flashes(folder / f"moved.{extension}", clip, moved_ms / 1000)
        for way in SOUND_WAYS:
            target = folder / f"repaired.{extension}"
            target.unlink(missing_ok=True)
            try:
                write_repaired(source, target, 0, constant(-moved_ms), way, StopFlag())
            except (CannotCopyError, OddIndexError):
                continue
            for name, player in players.items():
                before, after = asked[name], _asked(player, target)
                early = None if before is None or after is None else _worst(before, after)
                yield Cell(kind, way, moved_ms, name, early)


def _asked(player: Reader, path: Path) -> list[float] | None:
    try:
        return player(path)
    except readers.CannotPlayError:
        return None


def _worst(before: list[float], after: list[float]) -> float:
    if len(before) != len(after) or not before:
        return float("nan")
    return max((new - old for old, new in zip(before, after, strict=True)), key=abs)


def format_table(cells: list[Cell], names: list[str]) -> str:
    """Markdown: a row for each kind and way, and for each player both directions."""
    told = {(cell.kind, cell.way, cell.moved_ms, cell.reader): cell.early_ms for cell in cells}
    lines = [f"| kind | sound | {' | '.join(names)} |", "|---|---|" + "---:|" * len(names)]
    for kind in dict.fromkeys(cell.kind for cell in cells):
        for way in SOUND_WAYS:
            if not any(cell.kind == kind and cell.way == way for cell in cells):
                lines.append(f"| {kind} | {way} |" + " cannot be said |" * len(names))
                continue
            values = (" / ".join(_shown(told.get((kind, way, ms, name))) for ms in MOVED_MS) for name in names)
            lines.append(f"| {kind} | {way} | {' | '.join(values)} |")
    return "\n".join(lines)


def _shown(early_ms: float | None) -> str:
    return "-" if early_ms is None else f"{round(early_ms, 1) + 0.0:+.1f}"


if __name__ == "__main__":
    only = sys.argv[1:] or list(KINDS)
    with ExitStack() as opened, TemporaryDirectory() as temporary:
        all_players = available_readers(opened)
        measured = [cell for one in only for cell in measure(one, Path(temporary), all_players)]
        print(format_table(measured, list(all_players)))
