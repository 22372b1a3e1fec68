"""Results files of several folders -> one, of which one entry at a time is taken apart."""

from __future__ import annotations

import json
import mmap
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from syncnet.errors import UsageError
from syncnet.placement.folders import OutputFolders
from syncnet.system.plain import read_json

SAME_EVERYWHERE = ("filter_settings", "model", "detector")
LISTS = ("unreadable", "left_out", "pending")


class Entry(msgspec.Struct):
    """As much of a video's entry as the counts need."""

    video_path: str
    status: str
    passes_quality: bool = False
    decision: str | None = None
    missing: bool = False
    relative_path: str = ""
    """Empty in files of earlier versions."""


@dataclass(frozen=True)
class ResultsPart:
    """One results file."""

    path: Path
    document: dict[str, Any]
    """All but ``results`` and ``gone``."""
    entries: list[msgspec.Raw]
    """Those of both."""


def read_results_part(path: Path) -> ResultsPart:
    """Raises UsageError where it is missing or none."""
    try:
        # The file stays where it is; entries are looks into it, so that the system holds as much as it has room for.
        with open(path, "rb") as reader:
            data = mmap.mmap(reader.fileno(), 0, access=mmap.ACCESS_READ)
        document, entries = _taken_apart(data)
        missing = {*SAME_EVERYWHERE, "complete", "this_run", "not_processed"} - document.keys()
        if missing:
            raise KeyError(missing.pop())
    except OSError as error:
        raise UsageError(
            f"{path}: {(error.strerror or '').lower()}", cure="wait until the run of this part ends"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is not a results file", cure="repeat the run of this part") from error
    return ResultsPart(path, document, entries)


def check_results(parts: Sequence[ResultsPart]) -> None:
    """Raises UsageError where verdicts of different settings would come together."""
    first = parts[0]
    for part in parts[1:]:
        for name in SAME_EVERYWHERE:
            if _compared(part.document[name], name) != _compared(first.document[name], name):
                raise UsageError(
                    f"{part.path} and {first.path} differ in {_difference(name, part, first)}",
                    cure="repeat the run of each part with the same flags",
                )


@dataclass(frozen=True)
class Standing:
    """Where the videos of a merge stand, after their files were moved."""

    folders: OutputFolders
    moved: frozenset[str]
    """Those whose own files are in the output folder."""

    def of(self, entry: Entry) -> tuple[str | None, bool]:
        """Where the video stands in the folder of its verdict, and whether it is missing."""
        if entry.status != "success" or not entry.relative_path:
            return None, entry.missing
        folder = self.folders.good_dir if entry.passes_quality else self.folders.poor_dir
        path = os.path.join(folder, entry.relative_path)
        if not os.path.lexists(path):
            return None, entry.missing
        return path, entry.missing and entry.relative_path not in self.moved


def merge_results(
    parts: Sequence[ResultsPart], notices: Sequence[str], standing: Standing
) -> tuple[dict[str, Any], Sequence[Callable[[], bytes]]]:
    """The document without its results, and those in the order of their paths, one for each path: ready to be made."""
    kinds: dict[tuple[str, str], tuple[str, bool, str | None]] = {}
    raws: dict[tuple[str, str], msgspec.Raw] = {}
    gone: dict[tuple[str, str], msgspec.Raw] = {}
    for part in parts:
        for raw in part.entries:
            entry = read_entry(raw)
            key = (entry.video_path, entry.relative_path)
            if standing.of(entry)[1]:
                gone[key] = raw
                continue
            kinds[key] = (sys.intern(entry.status), entry.passes_quality, entry.decision)
            raws[key] = raw
    statuses = Counter(status for status, *_ in kinds.values())
    passing = sum(passes for _, passes, _ in kinds.values())
    decided = Counter(decision for *_, decision in kinds.values())
    documents = [part.document for part in parts]
    lists = {name: _union(documents, name) for name in LISTS}
    not_processed = sum(document["not_processed"] for document in documents)
    counts = {
        "total_videos": len(kinds) + not_processed + len(lists["pending"]),
        "successful_processing": statuses["success"],
        "good_quality": passing,
        "poor_quality": statuses["success"] - passing,
        "accepted_by_person": decided["accept"],
        "rejected_by_person": decided["reject"],
        "no_faces_detected": statuses["no_faces"],
        "processing_failed": statuses["failed"],
        "not_processed": not_processed,
        "gone": [read_json(_placed(gone[key], standing)) for key in sorted(gone.keys() - raws.keys())],
        "interrupted": any(document.get("interrupted") for document in documents),
        "complete": all(document["complete"] for document in documents),
        "this_run": _summed([document["this_run"] for document in documents]),
        "timestamp": round(time.time(), 3),
        "other_endings": _endings(parts),
        "notices": list(dict.fromkeys([*notices, *(n for document in documents for n in document.get("notices", ()))])),
    }
    return {**documents[0], **counts, **lists}, [partial(_placed, raws[key], standing) for key in sorted(raws)]


def encode_results(document: dict[str, Any], entries: Sequence[Callable[[], bytes]]) -> Iterator[bytes]:
    """The results file by its pieces, an entry a line."""
    yield json.dumps(document, allow_nan=False, indent=1).encode("ascii").removesuffix(b"\n}")
    yield b',\n "results": [\n'
    for number, entry in enumerate(entries):
        yield (b",\n" if number else b"") + entry()
    yield b"\n]}\n"


def _taken_apart(data: mmap.mmap) -> tuple[dict[str, Any], list[msgspec.Raw]]:
    """Raises ValueError, KeyError or TypeError for what is not a results file."""
    try:
        fields: dict[str, msgspec.Raw] = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        # Files of earlier versions know of none that are gone.
        lists = fields.pop("results"), fields.pop("gone", b"[]")
        entries = [entry for told in lists for entry in msgspec.json.decode(told, type=list[msgspec.Raw])]
        return {name: read_json(bytes(value)) for name, value in fields.items()}, entries
    except msgspec.MsgspecError:
        # Names of stray bytes are escapes that only Python's own reader lets pass.
        document = read_json(bytes(data))
        told = [*document.pop("results"), *document.pop("gone", ())]
        return document, [msgspec.Raw(json.dumps(entry).encode("ascii")) for entry in told]


def _placed(raw: msgspec.Raw, standing: Standing) -> bytes:
    """The entry, as its file stands after the merge."""
    entry = read_entry(raw)
    if not entry.relative_path:
        return bytes(raw)
    placed_path, missing = standing.of(entry)
    document = read_json(bytes(raw))
    return json.dumps({**document, "placed_path": placed_path, "missing": missing}).encode("ascii")


def read_entry(raw: msgspec.Raw) -> Entry:
    """As much of it as the counts need."""
    try:
        return msgspec.json.decode(raw, type=Entry)
    except msgspec.MsgspecError:
        return msgspec.convert(read_json(bytes(raw)), Entry)


def _compared(value: Any, name: str) -> Any:
    """What has to be the same. What ``auto`` came to counts, not whether a part was asked for it by name."""
    if name == "filter_settings" and isinstance(value, dict):
        return {key: setting for key, setting in value.items() if key not in ("model", "detector")}
    return value


def _difference(name: str, part: ResultsPart, other: ResultsPart) -> str:
    one, two = (_compared(document[name], name) for document in (part.document, other.document))
    if isinstance(one, dict) and isinstance(two, dict):
        return next((key if name == "filter_settings" else name for key in one if one[key] != two.get(key)), name)
    return name


def _union(documents: Sequence[dict[str, Any]], name: str) -> list[Any]:
    """Each part tells of the whole input."""
    return list(_unique(item for document in documents for item in document.get(name, ())))


def _endings(parts: Sequence[ResultsPart]) -> dict[str, int]:
    """Files that were passed over, by ending. Each part of a split has seen the whole folder, other parts their own."""
    folders: dict[tuple[str, int], Counter[str]] = {}
    seen: Counter[str] = Counter()
    for number, part in enumerate(parts):
        name = part.path.parent.resolve().name
        split = re.fullmatch(r"\d+-of-(\d+)", name, re.ASCII)
        # The same part twice is of another split into as many.
        key = (split[1], seen[name]) if split else ("", number)
        seen[name] += 1
        told: Counter[str] = Counter(part.document.get("other_endings", {}))
        folders[key] = folders.get(key, Counter()) | told
    return dict(sum(folders.values(), Counter()).most_common())


def _unique(items: Iterator[Any]) -> Iterator[Any]:
    seen = set()
    for item in items:
        key = json.dumps(item, sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield item


def _summed(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Times add up, as the work does; the most memory is that of one process."""
    summed = {name: sum(run.get(name) or 0 for run in runs) for name in runs[0]}
    if "peak_memory_mb" in summed:
        summed["peak_memory_mb"] = max(run.get("peak_memory_mb") or 0 for run in runs)
    return summed
