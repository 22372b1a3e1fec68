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
from syncnet.placement.folders import OutputFolders
from syncnet.system.atomic import write_file
from syncnet.system.plain import read_json
from syncnet.takeaway.clips import Clip, CutVideo

MANIFEST_NAME = "manifest.jsonl"
INDEX_NAME = "clips.json"
"""In the folder of what is remembered: what clips said when they were opened last, so that they need not be again."""
_TOLD = ("video", "sha256", "cut_from", "how")


def describe_clip(clip: Clip, begun: Fraction, video: str, sha256: str) -> str:
    """What a clip says of itself, in its comment. ``video``: its relative path; ``sha256``: of the video's file."""
    told = dict(zip(_TOLD, (video, sha256, round(float(begun), 6), clip.how), strict=True))
    return f"{clip.made_from} {json.dumps(told)}"


class ClipFiles:
    """What the clips in the folder are, by what each says of itself and by what is in it."""

    def __init__(self, folders: OutputFolders) -> None:
        self._folder = folders.segments_dir
        self._index = folders.state_dir / INDEX_NAME
        self._known: dict[str, dict[str, Any]] = {}
        with contextlib.suppress(OSError, ValueError, TypeError):
            self._known = dict(read_json(self._index.read_text(encoding="ascii")))

    def facts(self, path: Path) -> dict[str, Any] | None:
        """None where there is no file, or one that this tool did not cut."""
        try:
            status = path.stat()
        except OSError:
            return None
        name, mark = str(path.relative_to(self._folder)), [status.st_size, status.st_mtime_ns]
        known = self._known.get(name)
        if not isinstance(known, dict) or known.get("mark") != mark or not isinstance(known.get("facts"), dict):
            facts = _read_facts(path)
            if facts is None:
                return None
            known = self._known[name] = {"mark": mark, "facts": facts}
        return dict(known["facts"])

    def stands(self, clip: Clip) -> bool:
        """Whether its file is there, made from all that it should be made from."""
        facts = None if clip.rival else self.facts(clip.target)
        return facts is not None and facts.get("made_from") == clip.made_from

    def save(self) -> None:
        """Where it cannot be written, clips are opened again."""
        there = {name: known for name, known in self._known.items() if (self._folder / name).exists()}
        with contextlib.suppress(OSError):
            write_file(self._index, json.dumps(there).encode("ascii"), synced=False)

    def write_manifest(self, planned: Iterable[CutVideo], others: Iterable[str]) -> None:
        """``others``: lines of videos that are not among the planned ones. Raises OSError."""
        lines = [*others, *(json.dumps(entry) for video in planned for entry in self._entries(video))]
        write_file(self._folder / MANIFEST_NAME, "".join(f"{line}\n" for line in lines).encode("ascii"))

    def lines_of_others(self, videos: Collection[str]) -> Iterator[str]:
        """Lines of the manifest as it is that are of none of these videos, and whose clips are still there."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            for line in (self._folder / MANIFEST_NAME).read_text(encoding="ascii").splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    entry = read_json(line)
                    if entry["relative_path"] not in videos and (self._folder / entry["file"]).is_file():
                        yield line

    def _entries(self, cut: CutVideo) -> Iterator[dict[str, Any]]:
        """One for each segment whose clip is there."""
        for segment in cut.segments:
            plain, *besides = segment.clips
            facts = self.facts(plain.target)
            if facts is None or not self.stands(plain):
                continue
            face = next((str(one.target.relative_to(self._folder)) for one in besides if self.stands(one)), None)
            yield {
                "file": str(plain.target.relative_to(self._folder)),
                "face_file": face,
                "video_path": cut.video.location,
                "relative_path": str(cut.video.relative_path),
                "sha256": facts["sha256"],
                **segment.one.fields,
                **{key: value for key, value in facts.items() if key not in ("made_from", "video", "sha256")},
                "sound_delayed_ms": round(float(plain.delay * 1000), 1),
            }


def _read_facts(path: Path) -> dict[str, Any] | None:
    """Those that the clip says, and what is in it: real times, pictures and sound."""
    try:
        with av.open(os.path.abspath(path), format="mp4") as container:
            by, digest, words = container.metadata.get("comment", "").split(" ", 2)
            spoken = read_json(words)
            told = {key: spoken[key] for key in _TOLD}
            picture, sound = container.streams.video[0], next(iter(container.streams.audio), None)
            seconds = float((picture.duration or 0) * (picture.time_base or 0))
            facts = {
                "made_from": f"{by} {digest}",
                **told,
                "cut_to": round(told["cut_from"] + seconds, 6),
                "frames": picture.frames,
                "fps": round(float(picture.average_rate or 0), 3),
                "width": picture.width,
                "height": picture.height,
                "sample_rate": sound.rate if sound else None,
                "channels": sound.channels if sound else None,
            }
    except (OSError, av.FFmpegError, ValueError, KeyError, IndexError, TypeError):
        return None
    return facts if by == MADE_BY.strip() else None
