"""The folders of benchmarks/faults.py: small clips, and whether an output folder is as an undisturbed run leaves it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av

from synthetic.media import Clip, write_clip
from synthetic.source_clip import SOUND_RATE, SourceClip, read_source

SECONDS = 2.2
SAMPLES = Path(__file__).resolve().parent.parent / "samples"
SCALE = 0.5
"""Of the samples' 448 px: their faces stay above 50 px."""


def make_clips(folder: Path, count: int) -> None:
    """Clips of 2.2 s in turn: in sync, another sentence, sound 8 frames late, no face, no sound."""
    folder.mkdir(parents=True)
    kinds: list[Callable[[Path], object]] = [
        *(_cut_of(name) for name in ("in_sync", "other_sentence", "sound_8_frames_late")),
        lambda path: write_clip(path, Clip(seconds=SECONDS)),
        lambda path: write_clip(path, Clip(seconds=SECONDS, audio_codec=None)),
    ]
    for number in range(count):
        kinds[number % len(kinds)](folder / f"clip_{number:02}.mp4")


def _cut_of(name: str) -> Callable[[Path], object]:
    source: SourceClip = read_source(SAMPLES / f"{name}.mp4", SECONDS, lambda _width, _height: SCALE)

    def write(path: Path) -> None:
        clip = Clip(seconds=SECONDS, size_px=source.size_px)
        sound = source.sound[: round(SECONDS * SOUND_RATE)]
        write_clip(path, clip, lambda n: av.VideoFrame.from_ndarray(source.frames[n], format="yuv420p"), sound)

    return write


def problems_of(out: Path, reference: Path, names: list[str]) -> list[str]:
    """How the output folder differs from that of an undisturbed run over videos of these names; empty: not at all."""
    problems = []
    counts = Counter(record["path"] for record in _records(out))
    problems += [f"{counts[name]} records of {name}" for name in names if counts[name] != 1]
    problems += [f"record of {name}, which is no video" for name in counts if name not in names]
    for kind in ("good_quality", "poor_quality"):
        ours, theirs = _files(out / kind), _files(reference / kind)
        problems += [
            f"{kind}/{name} differs"
            for name in sorted(ours.keys() | theirs.keys())
            if ours.get(name) != theirs.get(name)
        ]
    problems += [f"left over: {path.name}" for path in out.rglob("*") if path.name.endswith(".part")]
    ours, theirs = _told(out), _told(reference)
    problems += [
        f"told otherwise: {name}" for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)
    ]
    return problems


def _records(out: Path) -> list[dict[str, Any]]:
    lines = (out / ".sync_filter" / "ledger.jsonl").read_text().splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == "video"]


def _files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and modification time by relative path."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def _told(out: Path) -> dict[str, tuple[Any, ...]]:
    document = json.loads((out / "sync_filter_results.json").read_text())
    keys = ("status", "offset", "confidence", "passes_quality", "error", "missing")
    return {Path(entry["video_path"]).name: tuple(entry[key] for key in keys) for entry in document["results"]}
