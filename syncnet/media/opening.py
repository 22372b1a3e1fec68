"""A video file -> 25 frames a second and 16 kHz mono samples, on one clock that starts at the first shown frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from syncnet.conventions import FPS, SAMPLE_RATE, Samples
from syncnet.media.beginning import lateness_of, read_beginning
from syncnet.media.clock import nearest_items
from syncnet.media.decoder import StreamDecoder
from syncnet.media.file import opened, picture_stream, sound_stream
from syncnet.media.info import MediaInfo
from syncnet.media.listening import PictureStart, listen, listen_elsewhere
from syncnet.media.memory import MemoryBound, WorkBytes, no_work
from syncnet.media.picture import (
    SQUARE,
    FrameConverter,
    Picture,
    orientation_of,
    shown_size,
)
from syncnet.media.rates import rate_of, told_rate
from syncnet.settings import MediaSettings
from syncnet.system.interruption import StopFlag

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


@dataclass
class Damage:
    """What was met on the way through the pictures."""

    corrupt_pictures: int = 0
    """Decoded, but by the decoder's own word not as they were: something that they are built from is missing."""


@dataclass(frozen=True, eq=False)
class Media:
    """One video, its sound decoded and its frames at hand as often as they are asked for."""

    path: Path
    info: MediaInfo
    samples: Samples
    """Shape (S,), int16, 16 kHz mono; sample 0 belongs to the first shown frame. Sound that starts later is preceded by
    zeros, gaps are zeros. They end where the sound ends, which may be before or after the picture does."""
    threads: int = 1
    settings: MediaSettings = field(default_factory=MediaSettings)
    stop: StopFlag = field(default_factory=StopFlag)
    spare_mb: float = math.inf
    """What is left of the memory that the video may take."""
    pixel_aspect: Fraction = SQUARE
    """Width over height of the stored pixels."""
    may_grow: bool = False
    """Whether ``frames`` breaks off where larger pictures come than ``info`` tells, those of the start."""
    work_bytes: WorkBytes = no_work

    start: PictureStart = field(default_factory=PictureStart)
    phase: Fraction = Fraction(0)
    """When the clock begins, in seconds after the first shown frame; see ``syncnet.media.clock.grid_phase``."""
    damage: Damage = field(default_factory=Damage)
    sound_file: Path | None = None
    """Where the sound is from, if not from the video itself."""

    def frames(self) -> Iterator[np.ndarray]:
        """Decode the picture anew: (H, W, 3) uint8 BGR, upright, frame n the source frame nearest to n / 25 s.

        A source frame that is shown for several ticks comes as the same array: copy it before drawing on it. Only a few
        frames are held at a time. Raises DamagedVideoError, at the end, where too much did not decode, and Interrupted;
        and PicturesGrowError where that was asked for.
        """
        shown: Picture | None = None
        for picture in self.pictures():
            if picture is not shown:
                shown, image = picture, picture.bgr()
            yield image

    def pictures(self) -> Iterator[Picture]:
        """As ``frames``, but their pixels are made when they are asked for."""
        converter = FrameConverter((self.info.width, self.info.height), self.pixel_aspect, may_grow=self.may_grow)
        with self._decoding() as (decoder, stream):
            shown: VideoFrame | None = None
            for frame in nearest_items(self._timed(decoder, stream), self.phase):
                if frame is not shown:
                    shown, picture = frame, converter.picture(frame)
                yield picture

    def at_largest_size(self) -> Media:
        """The same with all its pictures brought to the size of the largest, which is looked for in all of them.

        Raises TooLargeError and what ``frames`` does.
        """
        bound = MemoryBound(self.path, self.settings.max_memory_mb, self.work_bytes)
        sizes, orientation, bits = set(), None, 0
        with self._decoding() as (decoder, _):
            for _, decoded in decoder.frames():
                frame = cast("VideoFrame", decoded)
                orientation = orientation or orientation_of(frame)
                sizes.add(shown_size(frame.width, frame.height, orientation, self.pixel_aspect))
                bits = max(bits, frame.format.padded_bits_per_pixel)
        width, height = (max(side) for side in zip((self.info.width, self.info.height), *sizes, strict=True))
        taken_mb = bound.check_pictures(width, height, bits, self.threads)
        return replace(
            self,
            info=replace(self.info, width=width, height=height),
            spare_mb=bound.spare_mb(taken_mb, len(self.samples) / SAMPLE_RATE),
            may_grow=False,
        )

    @contextmanager
    def _decoding(self) -> Iterator[tuple[StreamDecoder, VideoStream]]:
        with opened(self.path) as container:
            picture = picture_stream(container, self.path)
            decoder = StreamDecoder(
                self.path, container, picture, *self.own_sound(container), threads=self.threads, stop=self.stop
            )
            yield decoder, picture

    def own_sound(self, container: InputContainer) -> list[AudioStream]:
        """What is read along with the pictures: the file's clock is straightened by what both streams say."""
        if self.sound_file is not None:
            return []
        return [sound_stream(container, self.path, self.settings.audio_track)]

    def _timed(
        self, decoder: StreamDecoder, picture: VideoStream
    ) -> Iterator[tuple[Fraction | None, Fraction, VideoFrame]]:
        usual = 1 / (rate_of(picture) or Fraction(self.info.source_fps or FPS))
        corrupt, durations = 0, {0: usual}
        for time, decoded in decoder.frames():
            frame = cast("VideoFrame", decoded)
            corrupt += frame.is_corrupt
            self.damage.corrupt_pictures = max(self.damage.corrupt_pictures, corrupt)
            ticks = frame.duration or 0
            if ticks not in durations:
                durations = {0: usual, ticks: ticks * picture.time_base if picture.time_base else usual}
            yield time, durations[ticks], frame


def open_media(
    path: Path,
    *,
    threads: int = 1,
    settings: MediaSettings | None = None,
    stop: StopFlag | None = None,
    work_bytes: WorkBytes = no_work,
    may_grow: bool = False,
    sound_file: Path | None = None,
) -> Media:
    """Open a video, decode its sound, and find where its picture starts.

    ``sound_file``: its sound takes the place of the video's own, from its first sample on at the first shown frame.

    ``threads`` is the number of threads that the picture's decoder may use; ``work_bytes`` says what the pictures will
    take beside, for the bound of the settings. ``may_grow``: see ``Media``.
    Raises the errors of syncnet/errors.py: NotAVideoError, NoVideoStreamError, NoAudioStreamError, EmptyVideoError and
    DamagedVideoError; and Interrupted once ``stop`` is set, which is looked at with each packet, then and later.
    """
    settings, stop = settings or MediaSettings(), stop or StopFlag()
    bound = MemoryBound(path, settings.max_memory_mb, work_bytes)
    beginning = read_beginning(path, bound, settings, threads, stop, own_sound=sound_file is None)
    if sound_file is None:
        begun = PictureStart(beginning.start, *lateness_of(path, beginning, stop))
        heard = listen(path, bound, beginning.tracks, begun, stop)
    else:
        # Sound of another file has no clock that pictures could be late on.
        begun = PictureStart(beginning.start)
        heard = listen_elsewhere(path, sound_file, bound, beginning.start, stop)
    info = MediaInfo(
        width=beginning.size_px[0],
        height=beginning.size_px[1],
        source_fps=told_rate(beginning.rate, beginning.container, heard.picture_rate),
        duration_seconds=float(heard.picture_seconds),
        container=beginning.container,
        video_codec=beginning.video_codec,
        audio_codec=heard.codec,
        rotation_degrees=beginning.orientation.clockwise_degrees,
        file_bytes=path.stat().st_size,
        sound_track=heard.track,
        sound_tracks=heard.tracks,
    )
    return Media(
        path,
        info,
        heard.samples,
        threads,
        replace(settings, audio_track=None if sound_file else heard.track),
        stop,
        bound.spare_mb(beginning.taken_mb, len(heard.samples) / SAMPLE_RATE),
        pixel_aspect=beginning.pixel_aspect,
        may_grow=may_grow,
        work_bytes=work_bytes,
        start=begun,
        phase=heard.phase,
        sound_file=sound_file,
    )
