"""A list in the place of an input folder: one path or URI per line -> the videos that it names, under stable names."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath

from syncnet.errors import UsageError
from syncnet.inputs.archives import (
    SCHEME,
    SEPARATOR,
    SHARD_SUFFIX,
    clean_member,
    is_member,
    is_shard,
    list_shard,
    member_uri,
    split_member,
)
from syncnet.inputs.discovery import FileIdentity, FoundVideos, SkippedPath, VideoFile, reason_of
from syncnet.inputs.paths import absolute
from syncnet.inputs.remote import look_at
from syncnet.inputs.rows import PATH_COLUMNS, Row, is_table, read_rows
from syncnet.inputs.sounds import sound_at
from syncnet.settings import STDIN, manifest_base
from syncnet.system.names import name_below, parts_from_root, path_from_root, problem_of
from syncnet.system.plain import read_json
from syncnet.system.text import masked

ELSEWHERE = "_elsewhere"
"""First folder of the names of all videos that do not lie below the manifest's own folder."""
LOCAL = "file"
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.+)", re.DOTALL)
_FOLDERS_HELD = 4096
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def find_listed(
    listed: Sequence[VideoFile], *, excluded_dirs: Iterable[Path] = (), limit_seconds: float = math.inf
) -> FoundVideos:
    """The videos of ``read_manifest``, whatever their extension, with their sizes and times.

    A file that is not there is among the videos, as ``absent``; what cannot be looked at is in ``unreadable``. What
    lies in ``excluded_dirs`` (where copies are put) is left out. ``limit_seconds``: the most that a look at a URI may
    take. Raises UsageError for URIs without the library that reads them.
    """
    found = FoundVideos(from_manifest=True)
    excluded = tuple(os.path.join(os.path.realpath(folder), "") for folder in excluded_dirs)
    real = functools.lru_cache(maxsize=_FOLDERS_HELD)(os.path.realpath)
    for video in listed:
        if not video.uri:
            _look(video, excluded, real, found)
    for video, seen in look_at([video for video in listed if video.uri], limit_seconds):
        if isinstance(seen, FileIdentity):
            found.videos.append(replace(video, file_bytes=seen.size, mtime_ns=seen.mtime_ns))
        elif seen is None:
            found.videos.append(replace(video, absent=True))
        else:
            found.unreadable.append(SkippedPath(video.location, seen))
    found.videos.sort(key=lambda video: str(video.path))
    return found


def read_manifest(manifest: Path) -> list[VideoFile]:
    """A video for each line or row, a repeated one once, in their order. Nothing is asked of any video.

    Empty lines and those that begin with ``#`` are passed over; tables and archives: see ``read_listed``. Raises
    UsageError for a manifest that cannot be read, a line that cannot be meant, and two videos of one name.
    """
    return videos_of(read_listed(manifest), manifest)


def videos_of(listed: Iterable[tuple[Row, str, VideoFile]], manifest: Path) -> list[VideoFile]:
    """The same, of what ``read_listed`` gave."""
    videos: dict[str, VideoFile] = {}
    first_lines: dict[PurePath, int] = {}
    for row, location, video in listed:
        if (known := videos.get(location)) is not None:
            if known.sound_path != video.sound_path:
                raise UsageError(
                    f"{_named(manifest)}: line {row.number} names {masked(row.location)} again, with another sound",
                    cure="list the two in two manifests with an --output_dir each",
                )
            continue
        if (first := first_lines.get(video.relative_path)) is not None:
            which = f"lines {first} and {row.number}" if first != row.number else f"line {row.number}: two videos"
            raise UsageError(
                f"{_named(manifest)}: {which} would both get the name {video.relative_path}",
                cure="rename one of the two, or list them in two manifests with an --output_dir each",
            )
        first_lines[video.relative_path] = row.number
        videos[location] = video
    return list(videos.values())


def read_listed(manifest: Path) -> Iterator[tuple[Row, str, VideoFile]]:
    """Each line or row, with the whole path or URI that it names and the video there; repeated ones too.

    A file with the ending of a table is one (``syncnet.inputs.rows``), else a list with a path or URI per line. A tar
    archive stands for the videos in it.
    """
    base, named = manifest_base(manifest), _named(manifest)
    for row in _rows(manifest):
        where = f"{named}: line {row.number}"
        location = _location(row.location, base, where)
        sound = None
        if row.audio:
            if is_uri(row.audio):
                raise UsageError(f"{where}: the sound {masked(row.audio)} is a URI", cure="give a path of this machine")
            sound = sound_at(Path(absolute(os.path.join(base, row.audio))))
        members = list_shard(location, where) if is_shard(location) else [(location, {})]
        for place, fields in members:
            columns = row.columns
            if place != location:
                columns = {
                    "path": place,
                    **{k: v for k, v in (columns or {}).items() if k not in PATH_COLUMNS},
                    **fields,
                }
            video = replace(video_at(place, base), sound=sound, columns=columns)
            if problem := problem_of(str(video.relative_path)):
                raise UsageError(f"{where}: {masked(place)}: {problem}", cure="rename it, or leave the line out")
            yield replace(row, columns=columns), place, video


def name_of(location: str, base: Path | str) -> PurePath:
    """The name below good_quality and poor_quality, and in the ledger: it depends on this one line, and no other.

    Of a video in an archive it is that of the archive, and the path inside. Below ``base`` it is the path from there;
    of any other file ``_elsewhere/file/`` and its path from the root, of a
    URI ``_elsewhere/``, its scheme and the rest, without secrets.
    """
    if is_member(location):
        member, shard = split_member(location)
        return name_of(shard, base) / clean_member(member)
    uri = _URI.fullmatch(masked(location))
    if uri:
        return PurePosixPath(ELSEWHERE, uri[1].lower(), *filter(None, uri[2].split("/")))
    below = name_below(location, os.fspath(base))
    return PurePosixPath(ELSEWHERE, LOCAL, *parts_from_root(absolute(location))) if below is None else below


def location_of(name: PurePath, base: Path | str) -> str:
    """The path or URI that ``name_of`` makes this name of."""
    for place in range(1, len(name.parts)):
        shard = PurePosixPath(*name.parts[:place])
        if is_shard(str(shard)) and not os.path.isdir(os.path.join(base, shard)):
            return member_uri("/".join(name.parts[place:]), location_of(shard, base))
    if name.parts[:1] != (ELSEWHERE,) or len(name.parts) < 3:
        return os.path.join(base, name)
    scheme, rest = name.parts[1], name.parts[2:]
    return path_from_root(rest) if scheme == LOCAL else f"{scheme}://{'/'.join(rest)}"


def video_at(location: str, base: Path | str) -> VideoFile:
    """The video of a path or URI; its size and time are not known yet."""
    uri = location if is_uri(location) else ""
    return VideoFile(Path(masked(location)), name_of(location, base), 0, uri=uri)


def as_line(location: str) -> str:
    """The path or URI as a line that is read back exactly: one that would be taken otherwise, as a string of JSON."""
    plain = os.fsencode(location)
    if plain.startswith((b"#", b'"', _BYTE_ORDER_MARK)):
        # Else it would be a comment, or such a string.
        location = f"./{location}"
    return location if plain == plain.strip() and b"\n" not in plain else json.dumps(location)


def is_uri(location: str) -> bool:
    """Whether this is no path but has to be fetched."""
    return _URI.fullmatch(location) is not None


def _rows(manifest: Path) -> Iterator[Row]:
    if manifest != STDIN and is_table(manifest):
        try:
            yield from read_rows(manifest, _named(manifest))
        except OSError as error:
            raise UsageError(f"{_named(manifest)}: {reason_of(error)}", cure="give a table that can be read") from error
    elif manifest != STDIN and is_shard(str(manifest)):
        yield Row(1, os.path.abspath(manifest))
    else:
        yield from (Row(number, line) for number, line in _lines(manifest))


def _lines(manifest: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line that names something."""
    try:
        data = sys.stdin.buffer.read() if manifest == STDIN else manifest.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{_named(manifest)}: {reason_of(error)}", cure="give a text file with one path or URI per line"
        ) from error
    for number, line in enumerate(data.removeprefix(_BYTE_ORDER_MARK).split(b"\n"), start=1):
        text = line.strip()
        location = _unquoted(os.fsdecode(text))
        if "\0" in location:
            raise UsageError(
                f"{_named(manifest)}: line {number} holds a zero byte",
                cure="give a text file in UTF-8 with one path or URI per line",
            )
        if text and not text.startswith(b"#"):
            # Names of any bytes are names.
            yield number, location


def _unquoted(line: str) -> str:
    """``"a name "`` is a string of JSON, for names that a plain line cannot hold."""
    if line.startswith('"') and line.endswith('"'):
        with contextlib.suppress(ValueError):
            return str(read_json(line))
    return line


def _location(line: str, base: Path, where: str) -> str:
    """The absolute path, or the URI as it stands there."""
    if is_member(line):
        member, shard = split_member(line)
        if not is_shard(shard) or SEPARATOR in shard:
            cure = f"write {SCHEME}PATH/INSIDE.mp4{SEPARATOR}ARCHIVE{SHARD_SUFFIX}"
            raise UsageError(f"{where}: {masked(line)} names no video in an archive", cure=cure)
        return member_uri(member, _location(shard, base, where))
    uri = _URI.fullmatch(line)
    if uri is None:
        return absolute(os.path.join(base, line))
    scheme, rest = uri[1].lower(), uri[2]
    if scheme == LOCAL:
        if not rest.startswith("/"):
            raise UsageError(f"{where}: {line} names another machine", cure="write file:///path, or the path alone")
        return absolute(rest)
    parts = rest.split("/")
    if os.pardir in parts or not any(parts[1:]):
        raise UsageError(f"{where}: {masked(line)} names no file", cure=f"write {scheme}://bucket/path/of/video.mp4")
    return f"{scheme}://{rest}"


def _look(video: VideoFile, excluded: tuple[str, ...], real: Callable[[Path], str], found: FoundVideos) -> None:
    path = video.path
    if os.path.join(real(path.parent), "").startswith(excluded):
        found.left_out.append(SkippedPath(path, "it is in a folder where copies are put"))
        return
    try:
        status = path.lstat()
        is_link = stat.S_ISLNK(status.st_mode)
        if is_link:
            status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        found.videos.append(replace(video, absent=True))
    except OSError as error:
        found.unreadable.append(SkippedPath(path, reason_of(error)))
    else:
        if stat.S_ISREG(status.st_mode):
            found.videos.append(replace(video, is_link=is_link).seen_as(status))
        else:
            kind = "a folder, and no video" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            found.unreadable.append(SkippedPath(path, kind))


def _named(manifest: Path) -> str:
    return f"--input_manifest {manifest}"
