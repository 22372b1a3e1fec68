"""What stands in ``segments``: clips that tell what they are of, and ``manifest.jsonl``, a line for each segment."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from syncnet.looks.making import MADE_BY
from syncnet.looks.movie import read_comment
from syncnet.system.atomic import write_file
from syncnet.system.plain import read_json
from syncnet.takeaway.clips import Clip, CutVideo

MANIFEST_NAME = "manifest.jsonl"


def describe_clip(clip: Clip, begun: Fraction, video: str, sha256: str) -> str:
    """What a clip says of itself, in its comment. ``video``: its relative path; ``sha256``: of the video's file."""
    told = {"video": video, "sha256": sha256, "cut_from": round(float(begun), 6), "how": clip.how}
    return f"{clip.made_from} {json.dumps(told)}"


def stands(clip: Clip) -> bool:
    """Whether its file is there, made from all that it should be made from."""
    return clip.rival is None and read_comment(clip.target).startswith(f"{clip.made_from} ")


def own_words(path: Path) -> dict[str, Any]:
    """What the clip says of itself; empty where it is not this tool's."""
    comment = read_comment(path)
    with contextlib.suppress(ValueError, IndexError):
        told = read_json(comment.split(" ", 2)[2]) if comment.startswith(MADE_BY) else None
        if isinstance(told, dict) and isinstance(told.get("video"), str):
            return told
    return {}


def write_manifest(planned: Iterable[CutVideo], folder: Path, others: Iterable[str]) -> None:
    """``others``: lines of videos that are not among the planned ones. Raises OSError."""
    lines = [*others, *(json.dumps(entry) for video in planned for entry in _entries(video, folder))]
    write_file(folder / MANIFEST_NAME, "".join(f"{line}\n" for line in lines).encode("ascii"))


def lines_of_others(folder: Path, videos: Collection[str]) -> Iterator[str]:
    """Lines of the manifest as it is that are of none of these videos, and whose clips are still there."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in (folder / MANIFEST_NAME).read_text(encoding="ascii").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = read_json(line)
                if entry["relative_path"] not in videos and (folder / entry["file"]).is_file():
                    yield line


def _entries(cut: CutVideo, folder: Path) -> Iterator[dict[str, Any]]:
    """One for each segment whose clip is there."""
    for segment in cut.segments:
        plain, *besides = segment.clips
        there = [clip for clip in segment.clips if stands(clip)]
        if plain not in there:
            continue
        told = own_words(plain.target)
        face = next((str(clip.target.relative_to(folder)) for clip in besides if clip in there), None)
        yield {
            "file": str(plain.target.relative_to(folder)),
            "face_file": face,
            "video_path": cut.video.location,
            "relative_path": str(cut.video.relative_path),
            "sha256": told["sha256"],
            **segment.one.fields,
            **_seen_in(plain.target, told["cut_from"]),
            "how": plain.how,
            "sound_delayed_ms": round(float(plain.delay * 1000), 1),
        }


def _seen_in(path: Path, begun: float) -> dict[str, Any]:
    """What the file itself has: real times, pictures and sound."""
    with av.open(os.path.abspath(path), format="mp4") as container:
        picture, sound = container.streams.video[0], next(iter(container.streams.audio), None)
        seconds = float((picture.duration or 0) * (picture.time_base or 0))
        return {
            "cut_from": begun,
            "cut_to": round(begun + seconds, 6),
            "frames": picture.frames,
            "fps": round(float(picture.average_rate or 0), 3),
            "width": picture.width,
            "height": picture.height,
            "sample_rate": sound.rate if sound else None,
            "channels": sound.channels if sound else None,
        }
