"""Opening a video file safely, and choosing its streams."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.stream import Disposition

from syncnet.errors import (
    DamagedVideoError,
    EmptyVideoError,
    NoAudioStreamError,
    NotAVideoError,
    NoVideoStreamError,
    VideoError,
)

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

DEMUXERS = "mov,matroska,avi,mpegts,mpeg,flv,asf"
"""What mp4 m4v mov 3gp, mkv webm, avi, ts mts m2ts, mpg mpeg, flv and wmv hold. FFmpeg goes by the content, not by the
extension, and a playlist (concat, HLS, DASH) would make it read other files whatever the protocol list says: so the
formats are listed too."""
COPY_AGAIN = "copy or download the file again, or repair it (ffmpeg -i FILE -c copy NEW_FILE)"

_SIGNATURES = (
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (8, b"AVI "),
    (0, b"FLV\x01"),
    (0, b"\x30\x26\xb2\x75"),  # ASF: WMV
    (0, b"\x00\x00\x01\xba"),  # MPEG program stream
)


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """The file opened by FFmpeg, closed at the end; FFmpeg's errors come out as typed errors."""
    head = _read_head(path)
    try:
        # "file:" keeps a name that starts with "-" or holds a ":" from being read as anything but a path. FFmpeg's own
        # file access needs no GIL, unlike a Python file object. Tags in an old encoding must not fail a video.
        container = av.open(
            f"file:{path}",
            container_options={"format_whitelist": DEMUXERS, "protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError) as error:
        raise _opening_error(path, head) from error
    with container:
        try:
            yield container
        except av.FFmpegError as error:
            problem = f"decoding failed ({error.strerror})"
            if isinstance(error, MemoryError):
                problem = "the file asks for more memory than there is; most likely it is damaged"
            raise DamagedVideoError(problem, path=path, cure=COPY_AGAIN) from error


def _read_head(path: Path) -> bytes:
    """The first bytes of the file, after making sure that it is one: a pipe or a device could block for ever."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise NotAVideoError("this is not a regular file", path=path, cure="give a video file")
        if status.st_size == 0:
            raise NotAVideoError("the file is empty (0 bytes)", path=path, cure="copy or download the file again")
        with path.open("rb") as file:
            return file.read(16)
    except FileNotFoundError as error:
        raise NotAVideoError("there is no such file", path=path, cure="check the path") from error
    except PermissionError as error:
        raise NotAVideoError("no permission to read the file", path=path, cure="make it readable (chmod +r)") from error
    except OSError as error:
        raise NotAVideoError(f"the file cannot be read ({error.strerror})", path=path, cure="check the disk") from error


def _opening_error(path: Path, head: bytes) -> VideoError:
    if _starts_like_video(head):
        problem = "the file starts like a video, but its index is missing or broken (an interrupted copy or recording?)"
        # ffmpeg -c copy needs the index too.
        return DamagedVideoError(problem, path=path, cure="copy or download the file again")
    problem = "this is not a video file of a known kind (mp4, mov, mkv, webm, avi, ts, mpg, flv, wmv, 3gp)"
    return NotAVideoError(problem, path=path, cure="remove it, or convert it to mp4")


def _starts_like_video(head: bytes) -> bool:
    return any(head[place : place + len(mark)] == mark for place, mark in _SIGNATURES)


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first stream of moving pictures that can be decoded; a cover picture is none."""
    if not container.streams:
        if _starts_like_video(_read_head(path)):
            raise EmptyVideoError("the file holds no stream at all", path=path, cure="record or export it again")
        raise _opening_error(path, b"")
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        raise NoVideoStreamError("the file holds no moving picture", path=path, cure="remove it: it is not a video")
    for stream in moving:
        if stream.codec_context is not None:
            return stream
    raise NoVideoStreamError("the picture is in an unknown codec", path=path, cure="convert it to H.264")


def sound_stream(container: InputContainer, path: Path, track: int | None = None) -> AudioStream:
    """The sound track of this number, counted from 0; None: the first one that can be decoded."""
    tracks = container.streams.audio
    if not tracks:
        raise NoAudioStreamError("the file holds no sound", path=path, cure="add its audio track, or leave it out")
    if track is not None and track >= len(tracks):
        held = "one audio track" if len(tracks) == 1 else f"{len(tracks)} audio tracks"
        known = "0" if len(tracks) == 1 else f"0 to {len(tracks) - 1}"
        problem = f"there is no audio track {track}: the file holds {held}"
        raise NoAudioStreamError(problem, path=path, cure=f"give --audio_track {known}, or leave it out")
    for stream in tracks if track is None else tracks[track : track + 1]:
        if stream.codec_context is not None:
            return stream
    raise NoAudioStreamError("the sound is in an unknown codec", path=path, cure="convert it to AAC")
