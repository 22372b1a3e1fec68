"""One output folder, one model and one detector: scores of two never mix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from syncnet.errors import UsageError
from syncnet.inputs.discovery import STATE_FOLDER
from syncnet.system.atomic import write_file
from syncnet.system.plain import read_json
from weights import Identity

PIN_FILE = "models.json"
GONE_DETECTORS = ("haar",)
"""Folders of earlier versions may have been begun with these."""
NO_DETECTOR = "none"
"""Name and identity of the detector where every frame is a face crop already."""


@dataclass(frozen=True)
class Pin:
    """What the results of a folder were made with."""

    model: Identity
    detector: Identity


def pin_choice(output_dir: Path, results_path: Path, choice: Pin, *, scored: bool = True) -> None:
    """Notes the choice in a folder that has none, and raises UsageError where it differs from the one it has.

    ``scored``: whether anything was scored there yet; before that no choice holds.
    """
    pin_path = output_dir / STATE_FOLDER / PIN_FILE
    if not scored:
        _write(pin_path, choice)
        return
    earlier = begun_with(output_dir, results_path)
    if earlier is None:
        _write(pin_path, choice)
        return
    kinds = {"model": (earlier.model, choice.model), "detector": (earlier.detector, choice.detector)}
    differing = {kind: (was, now) for kind, (was, now) in kinds.items() if was != now}
    if differing:
        held = " and ".join(f"{kind} {_short(was)}" for kind, (was, _) in differing.items())
        wanted = " and ".join(_short(now) for _, now in differing.values())
        raise UsageError(
            f"{output_dir} holds results of {held}, this run would use {wanted}", path=output_dir, cure=_cure(differing)
        )


def pinned_model(output_dir: Path, results_path: Path) -> str:
    """Name of the model that the folder's scores are of. Raises UsageError where nothing tells it."""
    pin = begun_with(output_dir, results_path)
    if pin is None:
        raise UsageError(f"nothing in {output_dir} tells which model scored it", cure="run the filter on it again")
    return pin.model.name


def begun_with(output_dir: Path, results_path: Path) -> Pin | None:
    """What the results of a folder were made with; None where it has none. Raises UsageError."""
    return _read(output_dir / STATE_FOLDER / PIN_FILE) or _read(results_path)


def _cure(differing: Mapping[str, tuple[Identity, Identity]]) -> str:
    if any(was.name == now.name for was, now in differing.values()):
        return "give another --output_dir: scores of two versions cannot be compared"
    gone = [f"{kind} {was.name}" for kind, (was, _) in differing.items() if was.name in GONE_DETECTORS]
    if gone:
        return f"give another --output_dir: this version has no {' and no '.join(gone)}"
    flags = " ".join(_flag(kind, was.name) for kind, (was, _) in differing.items())
    without = " without --no_detection" if any(now.name == NO_DETECTOR for _, now in differing.values()) else ""
    return f"choose {flags}{without} to continue there, or give another --output_dir"


def _flag(kind: str, name: str) -> str:
    return "--no_detection" if name == NO_DETECTOR else f"--{kind} {name}"


def _short(chosen: Identity) -> str:
    """The embedded model's identity has two parts, of which either may differ."""
    if chosen.name == chosen.identity:
        return chosen.name
    return f"{chosen.name} ({'+'.join(part[:8] for part in chosen.identity.split('+'))})"


def _chosen(document: dict[str, Any]) -> Identity:
    """Raises LookupError or TypeError where it holds no name and identity."""
    name, identity = document["name"], document["identity"]
    if not (isinstance(name, str) and isinstance(identity, str)):
        raise TypeError("a name and an identity are texts")
    return Identity(name, identity)


def _read(path: Path) -> Pin | None:
    """The choice that a file holds: our own note, or the results of a version that wrote none."""
    try:
        document: dict[str, Any] = read_json(path.read_text(encoding="utf-8", errors="surrogateescape"))
        return Pin(_chosen(document["model"]), _chosen(document["detector"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"{path} cannot be read, so the model of the results there is unknown",
            path=path,
            cure="restore or delete it, or give another --output_dir",
        ) from error


def _write(path: Path, choice: Pin) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, json.dumps(asdict(choice), indent=1).encode("ascii") + b"\n")
    except OSError as error:
        raise UsageError(
            f"cannot write to {path.parent}: {error.strerror}", cure="give an --output_dir you can write to"
        ) from error
