"""Clips that are exact to the frame and the sample: all those of a video are encoded in one pass over its pictures."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from syncnet.conventions import FPS
from syncnet.errors import VideoError
from syncnet.looks.movie import Movie
from syncnet.looks.source import SourceFrame, converter_of, decoded_frames
from syncnet.media.opening import Media
from syncnet.media.own_sound import OwnSound, own_sound
from syncnet.media.sound import SoundForm
from syncnet.system.interruption import StopFlag
from syncnet.takeaway.clips import Clip, cannot_write

CRF = 18
"""Of H.264: no difference is seen. With the preset of ``syncnet.looks.movie``."""
Draw = Callable[[Fraction, np.ndarray], np.ndarray]
"""What is seen in the clip at this time of the video, of a frame (H, W, 3) uint8 BGR; both sides even."""
Describe = Callable[[Clip, Fraction], str]
"""What a clip that begins at this time of the video is to say of itself."""
_STILL_SECONDS = Fraction(1, 10)
"""A picture that is shown for longer stands still, and may be cut in two."""
_SHORT_SECONDS = Fraction(1, 10)
"""The clock's last tick may lie so much beyond the last picture."""


@dataclass(frozen=True)
class Drawn:
    """A clip, and how its pictures are made."""

    clip: Clip
    size_px: tuple[int, int]
    """Width and height."""
    draw: Draw


def whole_picture(clip: Clip, media: Media) -> Drawn:
    """The picture as it is, less the last row or column where their number is odd: H.264 keeps colours for two."""
    width, height = media.info.width // 2 * 2, media.info.height // 2 * 2
    return Drawn(clip, (width, height), lambda _, frame_bgr: np.ascontiguousarray(frame_bgr[:height, :width]))


def cut_exactly(
    media: Media,
    drawn: Sequence[Drawn],
    describe: Describe,
    stop: StopFlag,
    on_failed: Callable[[Clip, Exception], None],
) -> None:
    """Cuts all of them; what goes wrong with one is told, and the others go on.

    A clip has the pictures from the one nearest to its start up to the one nearest to its end, and the sound that
    belongs to just these. Raises DamagedVideoError where the video cannot be read on, and Interrupted: then clips
    that are finished stay, and nothing of the others.
    """
    with own_sound(media) as sound:
        left = [_Cutting(one, media, sound, describe) for one in sorted(drawn, key=lambda one: one.clip.start)]
        try:
            _cut_all(media, sound, left, stop, on_failed)
        finally:
            # What is left here was cut short.
            for cutting in left:
                cutting.discard()


def _cut_all(
    media: Media,
    sound: OwnSound,
    left: list[_Cutting],
    stop: StopFlag,
    on_failed: Callable[[Clip, Exception], None],
) -> None:
    """Takes those out of ``left`` that are finished or failed."""
    converter = converter_of(media)
    end = Fraction(0)
    sound.forget(min(cutting.sound_from for cutting in left))

    def advance(cutting: _Cutting, step: Callable[[], bool]) -> None:
        try:
            ended = step()
        except (OSError, av.FFmpegError, VideoError) as error:
            cutting.discard()
            on_failed(
                cutting.clip, error if isinstance(error, VideoError) else cannot_write(cutting.clip.target, error)
            )
            ended = True
        if ended:
            left.remove(cutting)

    for frame in decoded_frames(media):
        stop.check()
        picture = functools.cache(functools.partial(converter.convert, frame.decoded))
        for cutting in list(left):
            advance(cutting, functools.partial(cutting.take, frame, picture))
        if not left:
            return
        sound.forget(min(cutting.sound_from for cutting in left))
        end = frame.until
    for cutting in list(left):
        advance(cutting, functools.partial(cutting.end_at, end))


class _ClipSound:
    """The sound of one clip, from that of the video."""

    seconds = None

    def __init__(self, sound: OwnSound, begin: int) -> None:
        self.form: SoundForm = sound.form
        self.reached = begin
        """Of the video's samples."""
        self._sound = sound
        self._begin = begin

    def read(self, first: int, end: int) -> np.ndarray:
        self.reached = self._begin + end
        return self._sound.read(self._begin + first, self._begin + end)


class _Cutting:
    """A clip in the making."""

    def __init__(self, drawn: Drawn, media: Media, sound: OwnSound, describe: Describe) -> None:
        self.clip = drawn.clip
        self._drawn, self._media, self._sound, self._describe = drawn, media, sound, describe
        self._half = min(1 / Fraction(media.info.source_fps or FPS), _STILL_SECONDS) / 2
        self._begun: Fraction | None = None
        self._movie: Movie | None = None
        self._own: _ClipSound | None = None

    @property
    def sound_from(self) -> int:
        """The first sample of the video that is still needed."""
        return self._own.reached if self._own else self._sample_at(self.clip.start - self._half)

    def take(self, frame: SourceFrame, picture: Callable[[], np.ndarray]) -> bool:
        """The next frame of the video, of which ``picture`` makes the picture; whether the clip is finished with it.

        Raises OSError, and what the sound raises.
        """
        if not self._wants(frame):
            return False
        self._add(frame, picture())
        return self.end_at(frame.until, amid=True)

    def end_at(self, end: Fraction, *, amid: bool = False) -> bool:
        """Finishes the clip if it is over with this picture's end, ``amid`` others. Raises OSError and VideoError."""
        nearly = self._half if amid else max(self._half, _SHORT_SECONDS)
        if self._movie is not None and end >= self.clip.end - nearly:
            self._movie.finish()
            return True
        if not amid:
            raise VideoError(
                f"its pictures end at {float(end):.2f} s", path=self._media.path, cure="run the filter on it again"
            )
        return False

    def _wants(self, frame: SourceFrame) -> bool:
        """Whether the frame is one of the clip's."""
        if self._begun is not None:
            return True
        # The nearest to the start; or a picture that stands so long that it covers the start.
        return frame.shown >= self.clip.start - self._half or frame.until > self.clip.start + self._half

    def _add(self, frame: SourceFrame, picture_bgr: np.ndarray) -> None:
        if self._movie is None or self._begun is None:
            is_nearest = frame.shown >= self.clip.start - self._half
            self._begun = frame.shown if is_nearest else self.clip.start
            self._movie = self._begin(self._begun)
        shown = max(frame.shown, self._begun)
        until = frame.until if frame.until <= self.clip.end + self._half else self.clip.end
        picture = self._drawn.draw(shown, picture_bgr)
        self._movie.add(shown - self._begun, picture, until - shown)

    def _begin(self, begun: Fraction) -> Movie:
        self._own = _ClipSound(self._sound, self._sample_at(begun))
        return Movie(
            self.clip.target,
            self._drawn.size_px,
            self._media.info.source_fps or FPS,
            self._own,
            crf=CRF,
            threads=self._media.threads,
            comment=self._describe(self.clip, begun),
        )

    def discard(self) -> None:
        """Nothing of it stays."""
        if self._movie is not None:
            self._movie.discard()

    def _sample_at(self, seconds: Fraction) -> int:
        return round((seconds - self.clip.delay) * self._sound.form.rate)
