"""One output folder, one model and one detector: scores of two never mix."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from syncnet.errors import UsageError

STATE_FOLDER = ".sync_filter"
PIN_FILE = "models.json"


@dataclass(frozen=True)
class Chosen:
    """A model or a detector."""

    name: str
    identity: str
    """SHA-256 of the files that its answers depend on."""


@dataclass(frozen=True)
class Pin:
    """What the results of a folder were made with."""

    model: Chosen
    detector: Chosen


def pin_choice(output_dir: Path, results_path: Path, choice: Pin) -> None:
    """Notes the choice in a folder that has none, and raises UsageError where it differs from the one it has."""
    pin_path = output_dir / STATE_FOLDER / PIN_FILE
    earlier = _read(pin_path) or _read(results_path)
    if earlier is None:
        _write(pin_path, choice)
        return
    for kind, was, now in (
        ("model", earlier.model, choice.model),
        ("detector", earlier.detector, choice.detector),
    ):
        if was != now:
            raise UsageError(
                f"{output_dir} holds results of {kind} {_short(was)}, this run would use {_short(now)}",
                path=output_dir,
                cure=_cure(kind, was, now),
            )


def _cure(kind: str, was: Chosen, now: Chosen) -> str:
    if was.name == now.name:
        return "give another --output_dir: scores of two versions do not mix"
    return f"choose --{kind} {was.name} to go on there, or give another --output_dir"


def _short(chosen: Chosen) -> str:
    return f"{chosen.name} ({chosen.identity[:8]})"


def _read(path: Path) -> Pin | None:
    """The choice that a file holds: our own note, or the results of a version that wrote none."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        return Pin(*(Chosen(document[kind]["name"], document[kind]["identity"]) for kind in ("model", "detector")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"{path} cannot be read, so that nobody knows which model the results there are of",
            path=path,
            cure="restore or delete it, or give another --output_dir",
        ) from error


def _write(path: Path, choice: Pin) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        temporary.write_text(json.dumps(asdict(choice), indent=1) + "\n", encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise UsageError(
            f"cannot write to {path.parent}: {error.strerror}", cure="give an --output_dir you can write to"
        ) from error
