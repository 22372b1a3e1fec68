"""Names of videos below a folder, alike on every system: parts with ``/`` between them. Paths of a system <-> names."""

from __future__ import annotations

import ntpath
import os
import re
from pathlib import PurePosixPath
from types import ModuleType

_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[1-9¹²³]|lpt[1-9¹²³])\s*(\.|$)")
_NEVER = re.compile(r'[<>:"|?*\\\x00-\x1f]')
_MOST_UNITS = 255
"""Of UTF-16, that a part of a path has on the disks of Windows."""
_SHARE = "UNC"
"""Stands before server and share, as in ``\\\\?\\UNC\\server\\share``."""


def problem_of(name: str, *, windows: bool = os.name == "nt") -> str:
    """Why no file below a folder can have the name on this system; empty where one can.

    ``name``: with ``/`` between its parts. On Windows a name may also lead to another drive, be a device, or stand for
    another name: ``C:x.mp4``, ``con.mp4``, ``clip.mp4.``.
    """
    if not name or "\0" in name or name.startswith("/") or (".." in name and ".." in name.split("/")):
        return "it is not a path below a folder"
    for part in name.split("/") if windows else ():
        if strange := _NEVER.search(part):
            return f"{strange[0]!r} cannot stand in a name on Windows"
        if _DEVICE.match(part):
            return f"{part!r} is a device on Windows"
        if part not in ("", os.curdir) and part[-1] in ". ":
            return f"Windows leaves out the end of {part!r}"
        if len(part.encode("utf-16-le", "surrogatepass")) // 2 > _MOST_UNITS:
            return f"{part[:20]!r}... is longer than the {_MOST_UNITS} characters of a name on Windows"
    return ""


def name_below(path: str, base: str, system: ModuleType = os.path) -> PurePosixPath | None:
    """The name of a path below a folder; None where it is not below it. ``system``: ``posixpath`` or ``ntpath``."""
    try:
        below = system.relpath(path, base)
    except ValueError:
        # On another drive.
        return None
    parts = below.split(system.sep)
    return None if parts[0] == system.pardir else PurePosixPath(*parts)


def parts_from_root(path: str, system: ModuleType = os.path) -> tuple[str, ...]:
    """An absolute path as parts of a name: the drive is the first one, as ``C`` or ``UNC``, server and share."""
    drive, rest = system.splitdrive(system.normpath(path))
    share = (_SHARE,) if drive.startswith(system.sep) else ()
    return (*share, *filter(None, drive.replace(":", "").split(system.sep)), *filter(None, rest.split(system.sep)))


def path_from_root(parts: tuple[str, ...], system: ModuleType = os.path) -> str:
    """The path that ``parts_from_root`` took apart."""
    if system is not ntpath:
        return f"/{'/'.join(parts)}"
    if parts[0] == _SHARE:
        return ntpath.join(f"\\\\{parts[1]}\\{parts[2]}\\", *parts[3:])
    return ntpath.join(f"{parts[0]}:\\", *parts[1:])
