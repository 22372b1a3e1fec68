"""Speech from espeak-ng with the time of every phoneme, through the C library (Debian package ``libespeak-ng1``).

The library reports each phoneme while it synthesises. Where exactly a report lies depends on the kind of phoneme: that
of a voiceless stop marks its burst, not its closure, and that of a vowel lies some 30 ms behind the release of a
consonant before it, in the formant transition. ``speak`` therefore moves the edges of each phoneme to where the
sound itself shows the constriction: the stretch of low energy in the band in which an open mouth radiates.
"""

# The phonetic alphabet has letters that look like others on purpose.
# ruff: noqa: RUF001

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, sosfiltfilt

LIBRARY = "libespeak-ng.so.1"
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_PHONEME_EVENTS, INITIALIZE_PHONEME_IPA = 0x0001, 0x0002
EVENT_LIST_TERMINATED, EVENT_PHONEME = 0, 7
PARAMETER_RATE, PARAMETER_PITCH, PARAMETER_RANGE = 1, 3, 4
POSITION_CHARACTER, CHARS_UTF8 = 1, 1
"""Constants of espeak-ng/speak_lib.h."""

VOICELESS_STOPS = frozenset({"p", "t", "k", "tʃ"})
VOICED_STOPS = frozenset({"b", "d", "ɡ", "dʒ", "ɾ"})
NASALS = frozenset({"m", "n", "ŋ"})
FRICATIVES = frozenset({"f", "v", "θ", "ð", "s", "z", "ʃ", "ʒ", "h"})
CONSONANTS = VOICELESS_STOPS | VOICED_STOPS | NASALS | FRICATIVES | {"l", "ɹ", "w", "j"}

OPEN_BAND_HZ = (700.0, 4500.0)
"""An open mouth radiates here; a closed one lets through only the hum below."""
CLOSED_DB = {**dict.fromkeys(VOICELESS_STOPS | VOICED_STOPS, 18.0), **dict.fromkeys(NASALS, 9.0)}
"""How far below the vowels around it the band lies during a closure."""
SEARCH_SECONDS = 0.13
"""How far before its report a closure may begin: the longest that the voice makes, with a margin."""
LEAST_CLOSURE_SECONDS = 0.03
"""Below this, what was found is no closure."""


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Phoneme:
    """One phoneme; for a stop or a nasal, ``start`` and ``end`` are those of its closure. Times in seconds."""

    name: str
    """In the international phonetic alphabet, without stress marks; empty for a pause."""
    start: float
    end: float


@dataclass(frozen=True)
class Speech:
    """A spoken text."""

    samples: np.ndarray
    """(S,) float64, within -1..1."""
    rate: int
    phonemes: tuple[Phoneme, ...]

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return len(self.samples) / self.rate


def speak(text: str, *, voice: str, words_per_minute: int, pitch: int = 50, pitch_range: int = 50) -> Speech:
    """The text spoken by an espeak-ng voice, without the pauses before and after it."""
    samples, rate, reports = _synthesise(text, voice, words_per_minute, pitch, pitch_range)
    audible = np.flatnonzero(np.abs(samples) > 1e-3)
    first, end = int(audible[0]), int(audible[-1]) + 1
    reports = [(max(at - first, 0) / rate, name) for at, name in reports]
    samples = samples[first:end]
    phonemes = [
        Phoneme(name, start, min(until, len(samples) / rate))
        for (start, name), (until, _) in zip(reports, [*reports[1:], (len(samples) / rate, "")], strict=True)
        if start < min(until, len(samples) / rate)
    ]
    return Speech(samples, rate, tuple(_fit_to_sound(phonemes, samples, rate)))


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    """The library and its sampling rate; it can be started only once in a process."""
    library = ctypes.CDLL(LIBRARY)
    rate = library.espeak_Initialize(
        AUDIO_OUTPUT_SYNCHRONOUS, 0, None, INITIALIZE_PHONEME_EVENTS | INITIALIZE_PHONEME_IPA
    )
    if rate <= 0:
        raise RuntimeError("espeak-ng finds no data: install the Debian package espeak-ng-data")
    return library, rate


def _synthesise(
    text: str, voice: str, words_per_minute: int, pitch: int, pitch_range: int
) -> tuple[np.ndarray, int, list[tuple[int, str]]]:
    """Samples, their rate, and (sample, phoneme) as the library reports them."""
    library, rate = _library()
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise RuntimeError(f"espeak-ng has no voice {voice}: install the Debian package espeak-ng-data")
    pieces: list[np.ndarray] = []
    reports: list[tuple[int, str]] = []

    @_Callback
    def collect(wave: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if wave and count > 0:
            pieces.append(np.ctypeslib.as_array(wave, (count,)) / 32768.0)
        index = 0
        while events[index].type != EVENT_LIST_TERMINATED:
            if events[index].type == EVENT_PHONEME:
                name = bytes(events[index].id.string).decode("utf-8", "ignore")
                reports.append((events[index].sample, name.strip("ˈˌ")))
            index += 1
        return 0

    library.espeak_SetSynthCallback(collect)
    for parameter, value in (
        (PARAMETER_RATE, words_per_minute),
        (PARAMETER_PITCH, pitch),
        (PARAMETER_RANGE, pitch_range),
    ):
        library.espeak_SetParameter(parameter, value, 0)
    encoded = text.encode()
    library.espeak_Synth(encoded, len(encoded) + 1, 0, POSITION_CHARACTER, 0, CHARS_UTF8, None, None)
    library.espeak_Synchronize()
    return np.concatenate(pieces), rate, reports


def _fit_to_sound(phonemes: list[Phoneme], samples: np.ndarray, rate: int) -> list[Phoneme]:
    """Closures moved to where the sound shows them; their neighbours end and begin there."""
    loudness_db = _open_band_db(samples, rate)
    edges = [[phoneme.start, phoneme.end] for phoneme in phonemes]
    for index, phoneme in enumerate(phonemes):
        if phoneme.name in CLOSED_DB:
            start, end = _closure(phoneme, loudness_db, _earliest_start(phonemes, index))
            edges[index] = [start, end]
            if index:
                edges[index - 1][1] = start
            if index + 1 < len(phonemes):
                edges[index + 1][0] = end
    return [
        Phoneme(phoneme.name, start, end)
        for phoneme, (start, end) in zip(phonemes, edges, strict=True)
        if end - start > 1e-4
    ]


def _earliest_start(phonemes: list[Phoneme], index: int) -> float:
    """Before this time, in seconds, the closure cannot begin: the sound before it is quiet for another reason."""
    phoneme, previous = phonemes[index], phonemes[index - 1] if index else None
    if previous is not None and previous.name not in CONSONANTS and previous.name:
        return max(previous.start, phoneme.start - SEARCH_SECONDS)
    # After a pause or another consonant, a stop's closure is partly in the span of what came before.
    held = 0.0 if phoneme.name in NASALS else LEAST_CLOSURE_SECONDS
    return max(phoneme.start - held, 0.0)


def _open_band_db(samples: np.ndarray, rate: int) -> np.ndarray:
    """Level of the open mouth's band at every millisecond, over 8 ms, in dB."""
    band = sosfiltfilt(butter(4, OPEN_BAND_HZ, "bandpass", fs=rate, output="sos"), samples)
    power = uniform_filter1d(band**2, round(0.008 * rate))
    return 10 * np.log10(power[(np.arange(int(len(samples) / rate * 1000)) * rate) // 1000] + 1e-9)


def _closure(phoneme: Phoneme, loudness_db: np.ndarray, earliest: float) -> tuple[float, float]:
    """Start and end of the closed stretch, in seconds, from the band's level at every millisecond."""
    at, until = round(phoneme.start * 1000), min(round(phoneme.end * 1000), len(loudness_db))
    first = round(earliest * 1000)
    # The burst of a voiceless stop and the breath after it come with open lips: its closure is over at its report.
    last = max(at, first + 1) if phoneme.name in VOICELESS_STOPS else until
    around = loudness_db[max(first - 50, 0) : until + 80]
    closed = np.flatnonzero(loudness_db[first:last] < around.max() - CLOSED_DB[phoneme.name]) + first
    runs = np.split(closed, np.flatnonzero(np.diff(closed) > 8) + 1)
    longest = max(runs, key=len)
    if len(longest) < LEAST_CLOSURE_SECONDS * 1000:
        return max(last / 1000 - 0.05, earliest), last / 1000
    return longest[0] / 1000, (longest[-1] + 1) / 1000
