"""From a request to the videos that it is about: those of a folder, or those that a manifest names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FoundVideos, VideoFile, find_one, find_videos
from syncnet.inputs.manifest import ELSEWHERE, find_listed, read_listed, videos_of
from syncnet.inputs.rows import Row
from syncnet.inputs.shards import shard_folder
from syncnet.inputs.sounds import SoundFolder
from syncnet.placement.folders import OutputFolders
from syncnet.settings import STDIN, Request
from syncnet.state.listed import write_rows


@dataclass(frozen=True)
class Listed:
    """What a manifest names."""

    videos: list[VideoFile]
    rows: list[tuple[Row, PurePath]]
    """Those of a table, with the names of their videos; repeated ones too."""


def with_one_video(request: Request) -> Request:
    """The request, which knows whether its input is one video."""
    return replace(request, one_video=request.input_dir is not None and os.path.isfile(request.input_dir))


def read_list(request: Request) -> Listed | None:
    """What the manifest names, before anything is made or asked for; None for a folder. Raises UsageError."""
    if request.input_manifest is None:
        return None
    rows: list[tuple[Row, PurePath]] = []

    def noted() -> Iterator[tuple[Row, str, VideoFile]]:
        for row, location, video in read_listed(request.input_manifest or STDIN):
            if row.columns is not None:
                rows.append((row, video.relative_path))
            yield row, location, video

    videos = videos_of(noted(), request.input_manifest)
    _check_remote(request, videos)
    return Listed(videos, rows)


def note_list(request: Request, folders: OutputFolders, listed: Listed | None) -> None:
    """Keeps the rows of the table that named the videos, for what picks among them later. Raises UsageError."""
    try:
        write_rows(folders.state_dir, request.input_manifest, listed.rows if listed else ())
    except OSError as error:
        raise UsageError(
            f"cannot write to {folders.state_dir}: {error.strerror}", cure="give an --output_dir you can write to"
        ) from error


def work_folder(request: Request) -> Path:
    """The folder that the run works in: the output folder, or that of its shard below it. Raises UsageError."""
    shard, input_dir, output_dir = request.scale.shard, request.searched_dir, request.output_dir
    if shard is None:
        return output_dir
    if input_dir is not None and os.path.realpath(input_dir) == os.path.realpath(output_dir):
        raise UsageError("--input_dir and --output_dir are the same folder", cure="give another --output_dir")
    return shard_folder(output_dir, shard)


def find_inputs(request: Request, folders: OutputFolders, listed: Listed | None) -> FoundVideos:
    """The videos of the folder or, as they now are, those of the list; where a shard is asked for, its own only.

    Raises UsageError.
    """
    shard = request.scale.shard
    if listed is not None:
        own = [video for video in listed.videos if shard is None or shard.holds(video.relative_path)]
        found = find_listed(
            own,
            excluded_dirs=(folders.good_dir, folders.poor_dir),
            limit_seconds=request.options.timeout_seconds,
        )
    else:
        excluded_dirs = (request.output_dir, *folders.all_dirs)
        if request.one_video:
            found = find_one(request.input_name)
        else:
            found = find_videos(request.base_dir, recursive=request.recursive, excluded_dirs=excluded_dirs)
        if shard:
            found.videos = [video for video in found.videos if shard.holds(video.relative_path)]
    found.videos = _with_sounds(found.videos, request)
    return found


def _with_sounds(videos: list[VideoFile], request: Request) -> list[VideoFile]:
    """With the sound files that they are to be scored against. Raises UsageError."""
    if request.audio_dir is not None:
        sounds = SoundFolder(request.audio_dir)
        # What a list names by its whole path has a sound file by its name alone.
        names = (v.relative_path.name if v.relative_path.parts[0] == ELSEWHERE else v.relative_path for v in videos)
        # A sound that a line of the list names itself stays.
        found = [video.sound or sounds.find(PurePath(name)) for video, name in zip(videos, names, strict=True)]
        videos = [replace(video, sound=sound) for video, sound in zip(videos, found, strict=True)]
    return videos


def _check_remote(request: Request, listed: Sequence[VideoFile]) -> None:
    """Refuses what needs a file of this machine, before anything is fetched."""
    uri = next((video.location for video in listed if video.uri), None)
    if uri is None:
        return
    if request.keep_all and request.looks.any:
        raise UsageError(
            f"--visualize and --save_outputs need a copy of {uri}",
            cure="leave out --keep_all, or leave out these two flags",
        )
    if not request.keep_all and request.options.place != "copy":
        raise UsageError(
            f"--place {request.options.place} does not reach {uri}", cure="give --place copy or --keep_all"
        )
