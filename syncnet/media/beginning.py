"""What a file tells before its sound is read, and what its first pictures do."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

from syncnet.errors import EmptyVideoError
from syncnet.media.avi import reordering_told_by_sound
from syncnet.media.decoder import StreamDecoder
from syncnet.media.edits import may_hide_pictures, picture_shift
from syncnet.media.fields import field_delay
from syncnet.media.file import opened, picture_stream, sound_tracks
from syncnet.media.memory import MemoryBound
from syncnet.media.picture import Orientation, believed_aspect, orientation_of, shown_size
from syncnet.media.rates import as_fraction, rate_of
from syncnet.settings import MediaSettings
from syncnet.system.interruption import StopFlag

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


@dataclass(frozen=True)
class Beginning:
    """What a file says of itself, and what its first picture does."""

    container: str
    video_codec: str
    rate: Fraction | None
    """See ``rate_of``."""
    tracks: list[int]
    """See ``sound_tracks``; none where the sound is of another file."""
    hides: bool
    """Whether there may be pictures before those that are shown."""
    pixel_aspect: Fraction
    size_px: tuple[int, int]
    orientation: Orientation
    interlaced: bool
    start: Fraction
    """When the first picture is shown, in seconds of the file's own clock."""
    reordering: Fraction
    """See ``StreamDecoder.reordering``."""
    taken_mb: float
    """By the pictures, at the most."""


def read_beginning(
    path: Path, bound: MemoryBound, settings: MediaSettings, threads: int, stop: StopFlag, *, own_sound: bool
) -> Beginning:
    """Opens the file and decodes its first picture. ``own_sound``: whether its sound is wanted too.

    Raises the errors of ``open_media``.
    """
    with opened(path) as container:
        picture = picture_stream(container, path)
        aspect = believed_aspect(as_fraction(picture.sample_aspect_ratio))
        _bound_pictures(bound, picture, aspect, threads)
        rate = rate_of(picture)
        first, start, reordering = _first_frame(path, container, stop)
        orientation = orientation_of(first)
        size_px = shown_size(first.width, first.height, orientation, aspect)
        taken_mb = bound.check_pictures(*size_px, first.format.padded_bits_per_pixel, threads)
        return Beginning(
            container=container.format.name,
            video_codec=picture.codec_context.codec.canonical_name,
            rate=rate,
            tracks=sound_tracks(container, path, settings.audio_track) if own_sound else [],
            hides=may_hide_pictures(path, container),
            pixel_aspect=aspect,
            size_px=size_px,
            orientation=orientation,
            interlaced=first.interlaced_frame,
            start=start,
            reordering=reordering,
            taken_mb=taken_mb,
        )


def lateness_of(path: Path, beginning: Beginning, stop: StopFlag) -> tuple[Fraction, Fraction]:
    """Seconds after their stamps at which the pictures are shown, and after that at which they were taken."""
    moved = Fraction(0)
    if beginning.hides:
        with opened(path) as container:
            moved += picture_shift(path, container)
    if beginning.reordering > 0:
        with opened(path) as container:
            moved += reordering_told_by_sound(container, beginning.reordering)
    if not beginning.interlaced:
        return moved, Fraction(0)
    with opened(path) as container:
        picture = picture_stream(container, path)
        frames = StreamDecoder(path, container, picture, stop=stop).frames()
        return moved, field_delay((cast("VideoFrame", frame) for _, frame in frames), rate_of(picture))


def _bound_pictures(bound: MemoryBound, picture: VideoStream, pixel_aspect: Fraction, threads: int) -> None:
    """By what the header says, which a decoder goes by from its first picture on."""
    stored = picture.codec_context.format
    if stored is not None:
        width, height = shown_size(stored.width, stored.height, pixel_aspect=pixel_aspect)
        bound.check_pictures(width, height, stored.padded_bits_per_pixel, threads)


def _first_frame(path: Path, container: InputContainer, stop: StopFlag) -> tuple[VideoFrame, Fraction, Fraction]:
    """The first shown frame; its time, in seconds of the file's own clock; and the depth of an AVI's reordering."""
    decoder = StreamDecoder(path, container, picture_stream(container, path), stop=stop)
    for time, frame in decoder.frames():
        return cast("VideoFrame", frame), time or Fraction(0), decoder.reordering
    raise EmptyVideoError("no picture can be decoded", path=path, cure="check that the file plays")
