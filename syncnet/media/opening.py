"""A video file -> 25 frames a second and 16 kHz mono samples, on one clock that starts at the first shown frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np

from syncnet.conventions import FPS, SAMPLE_RATE
from syncnet.errors import DamagedVideoError, EmptyVideoError
from syncnet.media.clock import MAX_STEP_SECONDS, nearest_items
from syncnet.media.decoder import StreamDecoder
from syncnet.media.file import COPY_AGAIN, opened, picture_stream, sound_stream
from syncnet.media.info import MediaInfo
from syncnet.media.memory import MemoryBound, WorkBytes, no_work
from syncnet.media.picture import FrameConverter, orientation_of
from syncnet.media.sound import SoundTape
from syncnet.settings import MediaSettings
from syncnet.system.interruption import StopFlag

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


@dataclass(frozen=True, eq=False)
class Media:
    """One video, its sound decoded and its frames at hand as often as they are asked for."""

    path: Path
    info: MediaInfo
    samples: np.ndarray
    """Shape (S,), int16, 16 kHz mono; sample 0 belongs to the first shown frame. Sound that starts later is preceded by
    zeros, gaps are zeros. They end where the sound ends, which may be before or after the picture does."""
    threads: int = 1
    settings: MediaSettings = field(default_factory=MediaSettings)
    stop: StopFlag = field(default_factory=StopFlag)
    spare_mb: float = math.inf
    """What is left of the memory that the video may take."""

    def frames(self) -> Iterator[np.ndarray]:
        """Decode the picture anew: (H, W, 3) uint8 BGR, upright, frame n the source frame nearest to n / 25 s.

        A source frame that is shown for several ticks comes as the same array: copy it before drawing on it. Only a few
        frames are held at a time. Raises DamagedVideoError, at the end, where too much did not decode, and Interrupted.
        """
        with opened(self.path) as container:
            picture = picture_stream(container, self.path)
            sound = sound_stream(container, self.path, self.settings.audio_track)
            decoder = StreamDecoder(self.path, container, picture, sound, threads=self.threads, stop=self.stop)
            converter = FrameConverter()
            shown: VideoFrame | None = None
            for frame in nearest_items(_with_durations(decoder, picture)):
                if frame is not shown:
                    shown, image = frame, converter.convert(frame)
                yield image


def _sound_seconds(container: InputContainer, picture_end: Fraction | None, start: Fraction) -> float:
    """At most so much sound will be decoded, by what the file says of its length; 0 where it says nothing."""
    length = _length_seconds(container)
    return length if picture_end is None else min(length, float(picture_end - start + MAX_STEP_SECONDS))


def _check_passed_over(path: Path, decoder: StreamDecoder, picture: VideoStream) -> None:
    if decoder.passed_over_from is not None and decoder.ends[picture.index] > decoder.passed_over_from:
        problem = "sound and picture are more than ten minutes apart in the file"
        raise DamagedVideoError(problem, path=path, cure=COPY_AGAIN)


def _length_seconds(container: InputContainer) -> float:
    """By the container's word, 0.0 without one. Matroska's counts from zero, wherever its first stamp lies."""
    duration = container.duration or 0
    begins = container.start_time or 0
    counted = begins if "matroska" in container.format.name and 0 < begins < duration else 0
    return (duration - counted) / float(av.time_base)


def open_media(
    path: Path,
    *,
    threads: int = 1,
    settings: MediaSettings | None = None,
    stop: StopFlag | None = None,
    work_bytes: WorkBytes = no_work,
) -> Media:
    """Open a video, decode its sound, and find where its picture starts.

    ``threads`` is the number of threads that the picture's decoder may use; ``work_bytes`` says what the pictures will
    take beside, for the bound of the settings.
    Raises the errors of syncnet/errors.py: NotAVideoError, NoVideoStreamError, NoAudioStreamError, EmptyVideoError and
    DamagedVideoError; and Interrupted once ``stop`` is set, which is looked at with each packet, then and later.
    """
    settings, stop = settings or MediaSettings(), stop or StopFlag()
    bound = MemoryBound(path, settings.max_memory_mb, work_bytes)
    with opened(path) as container:
        _bound_pictures(bound, picture_stream(container, path), threads)
        first, start = _first_frame(path, container, stop)
        taken_mb = bound.check_pictures(first.width, first.height, first.format.padded_bits_per_pixel, threads)
        sound_stream(container, path, settings.audio_track)
    with opened(path) as container:
        picture, sound = picture_stream(container, path), sound_stream(container, path, settings.audio_track)
        decoder = StreamDecoder(path, container, sound, picture, stop=stop, beside=picture)
        bound.check_sound(_sound_seconds(container, decoder.own_end(picture), start))
        samples = _read_samples(bound, decoder, start)
        _check_passed_over(path, decoder, picture)
        orientation = orientation_of(first)
        info = MediaInfo(
            width=first.height if orientation.swap_axes else first.width,
            height=first.width if orientation.swap_axes else first.height,
            source_fps=float(picture.average_rate or picture.guessed_rate or 0),
            duration_seconds=float(decoder.ends.get(picture.index, start) - start),
            container=container.format.name,
            video_codec=picture.codec_context.codec.canonical_name,
            audio_codec=sound.codec_context.codec.canonical_name,
            rotation_degrees=orientation.clockwise_degrees,
            file_bytes=path.stat().st_size,
        )
    return Media(path, info, samples, threads, settings, stop, bound.spare_mb(taken_mb, len(samples) / SAMPLE_RATE))


def _bound_pictures(bound: MemoryBound, picture: VideoStream, threads: int) -> None:
    """By what the header says, which a decoder goes by from its first picture on."""
    stored = picture.codec_context.format
    if stored is not None:
        bound.check_pictures(stored.width, stored.height, stored.padded_bits_per_pixel, threads)


def _first_frame(path: Path, container: InputContainer, stop: StopFlag) -> tuple[VideoFrame, Fraction]:
    """The first shown frame and its time, in seconds of the file's own clock."""
    decoder = StreamDecoder(path, container, picture_stream(container, path), stop=stop)
    for time, frame in decoder.frames():
        return cast("VideoFrame", frame), time or Fraction(0)
    raise EmptyVideoError("no picture can be decoded", path=path, cure="check that the file plays")


def _read_samples(bound: MemoryBound, decoder: StreamDecoder, start: Fraction) -> np.ndarray:
    """All samples from ``start`` on, (S,) int16."""
    tape = SoundTape(start)
    heard = False
    for time, frame in decoder.frames():
        if not heard and time is not None and time - start > MAX_STEP_SECONDS:
            problem = f"the sound starts {float(time - start):.0f} s after the picture"
            raise DamagedVideoError(problem, path=bound.path, cure=COPY_AGAIN)
        heard = True
        tape.add(time, cast("AudioFrame", frame))
        # What the header says of the length need not be true.
        bound.check_sound(tape.seconds)
    samples = tape.finish()
    if len(samples) == 0:
        problem = "no sound can be decoded at the times of the picture"
        raise EmptyVideoError(problem, path=bound.path, cure="check that the file plays with sound")
    return samples


def _with_durations(
    decoder: StreamDecoder, picture: VideoStream
) -> Iterator[tuple[Fraction | None, Fraction, VideoFrame]]:
    usual = 1 / Fraction(picture.average_rate or picture.guessed_rate or FPS)
    for time, frame in decoder.frames():
        duration = frame.duration * picture.time_base if frame.duration and picture.time_base else usual
        yield time, duration, cast("VideoFrame", frame)
