"""new_passing.txt: the videos that pass now and did not at the end of the last run, a path or URI each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from syncnet.inputs.manifest import as_line
from syncnet.inputs.paths import absolute
from syncnet.report.names import PASSED_NAME
from syncnet.report.run import Run
from syncnet.results import VideoResult
from syncnet.system.atomic import write_file
from syncnet.system.plain import read_json


def write_new_passing(run: Run, path: Path) -> None:
    """Raises OSError. What a kill interrupts is told once more by the next run, and nothing is told never."""
    kept = run.folders.state_dir / PASSED_NAME
    before = _read_passed(kept)
    passing = {str(result.relative_path): result for result in run.results if result.passed}
    new = (result for name, result in passing.items() if name not in before)
    write_file(path, (os.fsencode(as_line(_location(result))) + b"\n" for result in new))
    # What this run did not look at stays as it was.
    seen = {str(result.relative_path) for result in (*run.results, *run.gone)}
    _write_passed({*passing, *(before - seen)}, kept)


def follow_passed(renamed: Mapping[str, str], state_dir: Path) -> None:
    """A new name does not make a video pass anew. Raises OSError."""
    before = _read_passed(state_dir / PASSED_NAME)
    if before & renamed.keys():
        _write_passed({renamed.get(name, name) for name in before}, state_dir / PASSED_NAME)


def forget_passed(names: AbstractSet[str], state_dir: Path) -> None:
    """Nothing is known of these any more; the next video of that name passes anew. Raises OSError."""
    before = _read_passed(state_dir / PASSED_NAME)
    if before & names:
        _write_passed(before - names, state_dir / PASSED_NAME)


def _location(result: VideoResult) -> str:
    if result.uri:
        return result.location
    moved = result.placed_path if not os.path.lexists(result.path) else None
    return absolute(moved or result.path)


def _read_passed(path: Path) -> set[str]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return set()
    return {name for line in lines if isinstance(name := _parsed(line), str)}


def _parsed(line: bytes) -> object:
    try:
        return read_json(line)
    except ValueError:
        return None


def _write_passed(names: set[str], path: Path) -> None:
    # ASCII, so that names of any bytes come back as they were.
    write_file(path, (json.dumps(name).encode("ascii") + b"\n" for name in sorted(names)))
