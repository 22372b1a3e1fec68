"""Opening a video file safely, and choosing its streams."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from syncnet.media.mp4_index import has_several_edits

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

DEMUXERS = "mov,matroska,avi,mpegts,mpeg,flv,asf,mxf,dv,ogg"
"""What mp4 m4v mov 3gp 3g2 f4v, mkv webm, avi, ts mts m2ts, mpg mpeg vob, flv, wmv asf, mxf, dv, ogv and ogg hold.
FFmpeg goes by the content, not by the extension, and a playlist (concat, HLS, DASH) would make it read other files
whatever the protocol list says: so the formats are listed too."""
SOUND_DEMUXERS = f"{DEMUXERS},wav,w64,flac,mp3,aac,ac3,eac3,aiff,caf,au,amr,ape,wv,tta"
"""A sound file may also be any of those: mp3 reads mp2 too, ogg opus, mov m4a, asf wma."""
IGNORE_EDITS = "ignore_editlist"
"""The option with which FFmpeg reads MP4 as if there were no edit lists; syncnet.media.decoder follows them then."""
TAGS_IN_OLD_ENCODINGS: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
"""They must not fail a video; from PyAV 19 on they do not."""
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
    (0, b"\x06\x0e\x2b\x34"),  # MXF
    (0, b"OggS"),
)


@contextmanager
def opened(path: Path, *, sound_only: bool = False, **options: str) -> Iterator[InputContainer]:
    """The file opened by FFmpeg, closed at the end; FFmpeg's errors come out as typed errors.

    ``sound_only``: a file that is taken for its sound may be of more formats. ``options`` are those of its demuxer.
    """
    head = _read_head(path)
    formats = SOUND_DEMUXERS if sound_only else DEMUXERS
    if has_several_edits(path):
        options = {IGNORE_EDITS: "1", **options}
    try:
        # "file:" keeps a name that starts with "-" or holds a ":" from being read as anything but a path. FFmpeg's own
        # file access needs no GIL, unlike a Python file object.
        container = av.open(
            f"file:{path}",
            container_options={"format_whitelist": formats, "protocol_whitelist": "file", **options},
            **TAGS_IN_OLD_ENCODINGS,
        )
    except (av.FFmpegError, ValueError) as error:
        raise (_unknown_sound(path) if sound_only else _opening_error(path, head)) from error
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
    problem = "this is not a video file of a known kind (mp4, mov, mkv, webm, avi, ts, mpg, flv, wmv, mxf, dv, ogv)"
    return NotAVideoError(problem, path=path, cure="remove it, or convert it to mp4")


def _unknown_sound(path: Path) -> VideoError:
    problem = "this is not a sound file of a known kind (wav, flac, mp3, m4a, aac, ogg, opus, aiff, or a video's)"
    return NotAVideoError(problem, path=path, cure="convert it to wav")


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


def sound_tracks(container: InputContainer, path: Path, track: int | None = None) -> list[int]:
    """The numbers of the tracks that can be heard, those first that the file calls its default; or the one asked for.

    Never empty. Raises NoAudioStreamError.
    """
    sound_stream(container, path, track)
    if track is not None:
        return [track]
    known = [number for number, stream in enumerate(container.streams.audio) if stream.codec_context is not None]
    by_default = [n for n in known if container.streams.audio[n].disposition & Disposition.default]
    return sorted(known, key=lambda number: number not in by_default)
