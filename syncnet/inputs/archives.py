"""Videos inside tar archives, as WebDataset shards have them: their members, and what tells them from elsewhere.

A video in a shard is named ``tar://MEMBER::SHARD``, as fsspec names it, which reads it (syncnet/inputs/remote.py).
Names inside archives are data: one that leads out of its archive is refused.
"""

from __future__ import annotations

import importlib
import json
import posixpath
import tarfile
from collections.abc import Iterator
from pathlib import PurePath, PurePosixPath
from typing import Any

from syncnet.errors import UsageError
from syncnet.inputs.discovery import VIDEO_SUFFIXES
from syncnet.inputs.rows import plain
from syncnet.system.invocation import install_requirements
from syncnet.system.plain import read_json
from syncnet.system.text import masked

SCHEME, SEPARATOR, SHARD_SUFFIX = "tar://", "::", ".tar"
LARGEST_NOTE_BYTES = 1024 * 1024
"""Of the JSON beside a video; a larger one is passed over."""


def is_shard(location: str) -> bool:
    """Whether a line of a list names an archive."""
    return location.lower().endswith(SHARD_SUFFIX) and not location.startswith(SCHEME)


def is_member(location: str) -> bool:
    """Whether it names a video inside of one."""
    return location.startswith(SCHEME) and SEPARATOR in location


def member_uri(member: str, shard: str) -> str:
    """Raises UsageError for a name that leads out of the archive."""
    check_member(member, shard)
    return f"{SCHEME}{member}{SEPARATOR}{shard}"


def split_member(uri: str) -> tuple[str, str]:
    """Member and shard."""
    member, _, shard = uri.removeprefix(SCHEME).partition(SEPARATOR)
    return member, shard


def check_member(member: str, shard: str) -> None:
    """Raises UsageError where the name inside the archive is no plain path below it."""
    parts = PurePosixPath(member).parts
    if not parts or member.startswith("/") or ".." in parts or SEPARATOR in member or "\0" in member:
        raise UsageError(
            f"{masked(shard)} has a member with the name {member!r}, which is no path inside of it",
            cure="make the archive again without it",
        )


def clean_member(member: str) -> PurePath:
    """Its name below good_quality: without ``./``."""
    return PurePosixPath(posixpath.normpath(member))


def list_shard(shard: str, named: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The URI of each video, in the order of the archive, and the fields of the JSON file of the same name.

    Raises UsageError where the archive cannot be read, and for names that lead out of it.
    """
    try:
        core = importlib.import_module("fsspec")
    except ImportError:
        cure = install_requirements("remote")
        raise UsageError(f"{named}: {masked(shard)} needs fsspec, which is not installed", cure=cure) from None
    videos: list[str] = []
    notes: dict[str, dict[str, Any]] = {}
    try:
        with core.open(shard, "rb") as reader, tarfile.open(fileobj=reader, mode="r:") as archive:
            for member in archive:
                suffix = PurePosixPath(member.name).suffix.lower()
                if not member.isreg() or PurePosixPath(member.name).name.startswith("."):
                    continue
                if suffix in VIDEO_SUFFIXES:
                    check_member(member.name, shard)
                    videos.append(member.name)
                elif suffix == ".json" and member.size <= LARGEST_NOTE_BYTES:
                    notes[_key(member.name)] = _note(archive, member)
    except (OSError, tarfile.TarError, ImportError, ValueError) as error:
        first = masked(next(iter(str(error).splitlines()), type(error).__name__))
        raise UsageError(f"{named}: {masked(shard)} cannot be read: {first}", cure="give a whole .tar file") from error
    for name in videos:
        yield member_uri(name, shard), notes.get(_key(name), {})


def _key(name: str) -> str:
    """As WebDataset has it: the path up to the first dot of the file's name."""
    folder, _, file = name.rpartition("/")
    return f"{folder}/{file.partition('.')[0]}"


def _note(archive: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, Any]:
    """The fields; none where it is no object of JSON, which WebDataset itself would pass over too."""
    reader = archive.extractfile(member)
    try:
        fields = plain(read_json(reader.read())) if reader else None
    except (ValueError, json.JSONDecodeError):
        return {}
    return fields if isinstance(fields, dict) else {}
