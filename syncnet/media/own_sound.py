"""The sound that was scored at its own rate and with its own channels, in pieces, on the clock of the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from syncnet.media.decoder import StreamDecoder
from syncnet.media.file import opened, picture_stream, sound_stream
from syncnet.media.listening import lay_sound
from syncnet.media.opening import Media
from syncnet.media.sound import SoundForm, SoundTape

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
"""Samples a second that AAC has."""
LAYOUTS = {
    **{name: name for name in ("mono", "stereo", "3.0", "4.0", "5.0", "5.1")},
    "5.0(side)": "5.0",
    "5.1(side)": "5.1",
}
"""Channels that every AAC decoder knows, by FFmpeg's name of the same ones in a file."""
_LEAD_SECONDS = 1
"""Of sound before the first picture: more than any offset."""
_AHEAD_SECONDS = 1
"""The tape is read when it is written so much further: stamps step back, and a resampler holds samples back."""


class OwnSound:
    """Decoded as far as it is asked for; what is no longer needed is let go of."""

    def __init__(self, media: Media, decoder: StreamDecoder, form: SoundForm) -> None:
        self.form = form
        self._lead = _LEAD_SECONDS * form.rate
        self._tape = SoundTape(media.start.seconds + media.phase - _LEAD_SECONDS, form=form)
        self._laying = lay_sound(media.path, decoder, self._tape, media.start.stamp)
        self._ended = False

    def read(self, first: int, end: int) -> np.ndarray:
        """Samples of the form's rate, counted from the start of the clock: (end - first, channels) int16.

        Zeros where there is none, and more than a second before the start. Raises DamagedVideoError and Interrupted.
        """
        first, end = first + self._lead, end + self._lead
        while not self._ended and self._tape.seconds < end / self.form.rate + _AHEAD_SECONDS:
            if next(self._laying, self) is self:
                self._ended = True
                self._tape.finish()
        return self._tape.read(first, end)

    def forget(self, before: int) -> None:
        """Samples before this one will not be asked for any more."""
        self._tape.forget(before + self._lead)


@contextmanager
def own_sound(media: Media) -> Iterator[OwnSound]:
    """Of the audio track that was heard. Raises the errors of ``open_media``."""
    with opened(media.path) as container:
        picture = picture_stream(container, media.path)
        sound = sound_stream(container, media.path, media.info.sound_track)
        decoder = StreamDecoder(media.path, container, sound, picture, stop=media.stop, beside=picture)
        yield OwnSound(media, decoder, kept_form(sound))


def kept_form(sound: AudioStream) -> SoundForm:
    """Its own rate and channels, or what AAC has in their place: the next rate above, and stereo."""
    context = sound.codec_context
    rate = next((rate for rate in RATES if rate >= context.sample_rate), RATES[-1])
    others = "mono" if context.layout.nb_channels == 1 else "stereo"
    return SoundForm(rate, LAYOUTS.get(context.layout.name, others))
