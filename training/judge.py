"""How good a model is on windows of a few seconds, each treated as if it were a whole clip of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from syncnet.conventions import SAMPLES_PER_FRAME, Rows
from syncnet.models.lite import LiteModel
from syncnet.scoring.score import SyncScore, score_sync
from syncnet.scoring.speech import find_speech, without_long_pauses

HOP_FRAMES = 25


@dataclass(frozen=True)
class TalkingClip:
    """One face track with the sound beside it, ready to be cut into windows."""

    name: str
    features: Rows
    """(frames - 2, 128): what LiteFaceEncoder keeps of the track."""
    samples: np.ndarray
    """(frames * 640,) int16, in step with the track's frames."""
    recording: str = ""
    """Names what several clips were cut or copied from; the sound of one is no wrong sound for another."""

    @property
    def frame_count(self) -> int:
        return len(self.features) + 2


def score_clip(model: LiteModel, clip: TalkingClip) -> SyncScore | None:
    speech = find_speech(clip.samples)
    counts = without_long_pauses(speech)
    return score_sync(model.embed_features(clip.features, clip.samples, 0, clip.frame_count, counts), model, speech)


def delay_sound(samples: np.ndarray, frames: int) -> np.ndarray:
    """The same number of samples with the sound later by ``frames`` (earlier where negative), silence before it."""
    shift = frames * SAMPLES_PER_FRAME
    delayed = np.zeros_like(samples)
    if shift >= 0:
        delayed[shift:] = samples[: len(samples) - shift]
    else:
        delayed[:shift] = samples[-shift:]
    return delayed


def cut_windows(clip: TalkingClip, window_frames: int, samples: np.ndarray | None = None) -> Iterator[TalkingClip]:
    """Windows a second apart, each with its own sound only; ``samples`` takes the place of the clip's sound."""
    sound = clip.samples if samples is None else samples
    for first in range(0, clip.frame_count - window_frames + 1, HOP_FRAMES):
        end = first + window_frames
        yield TalkingClip(
            clip.name,
            clip.features[first : end - 2],
            sound[first * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME],
            clip.recording,
        )


def score_windows(
    model: LiteModel, clip: TalkingClip, window_frames: int, samples: np.ndarray | None = None
) -> list[SyncScore]:
    scores = (score_clip(model, window) for window in cut_windows(clip, window_frames, samples))
    return [score for score in scores if score is not None]


def wrong_sounds(clips: Sequence[TalkingClip], index: int, count: int = 3) -> Iterator[np.ndarray]:
    """Sound of ``count`` other clips, repeated or cut to the length of this clip's own."""
    own = clips[index]
    others = [
        clip for clip in clips if clip.name != own.name and not (own.recording and clip.recording == own.recording)
    ]
    step = max(1, len(others) // count)
    for other in [others[(index + k * step) % len(others)] for k in range(min(count, len(others)))]:
        yield np.resize(other.samples, len(own.samples))
