"""What the embedded model says of hard cases: small faces, other voices, music, whisper, sound moved by little.

    python -m training.hard_cases --corpus DIR

The held-out clips of training/figures.py in windows of 4 s, each spoilt in one way at a time after the crop: the mouth
squares are shrunk to what a face of so many pixels gives, and stretched again; sound is mixed, or made anew without a
voice. Sources that are no judge of the model otherwise stand apart: dubbed by a model, and generated heads.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from syncnet.conventions import SAMPLE_RATE
from syncnet.models.lite import LiteFaceEncoder, LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.settings import Thresholds
from syncnet.verdict import judge
from training.calibrate import read_corpus_clip
from training.corpus import MARGIN, MOUTH_SIZE_PX, Corpus, CorpusClip, add_corpus_flags, load_corpus
from training.figures import EXCLUDED_SOURCES, scored_windows, share_of
from training.judge import TalkingClip, delay_sound
from training.robustness import mix, music

WINDOW_FRAMES = 100
MOUTH_OF_FACE = 0.6
"""Side of the mouth square, of the face's (syncnet/faces/crops.py, syncnet/models/features.py)."""
SHIFTS = (1, 2, 3, 5, 8)
GENERATED_SOURCES = {"ajay-sainy/Wav2Lip-GFPGAN", "yerfor/Real3DPortrait"}
DUBBED_SOURCE = "voicecraft-dub/voicecraft-dub.github.io"

Mouths = Callable[[np.ndarray], np.ndarray]
Sound = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From the clip's samples and those of another clip, as long."""


@dataclass(frozen=True)
class Case:
    name: str
    mouths: Mouths = lambda mouths: mouths
    sound: Sound = lambda own, _other: own


def seen_small(face_px: int) -> Mouths:
    side = round(MOUTH_OF_FACE * face_px)

    def shrink(mouths: np.ndarray) -> np.ndarray:
        small = (cv2.resize(mouth, (side, side), interpolation=cv2.INTER_AREA) for mouth in mouths)
        return np.stack([cv2.resize(mouth, (MOUTH_SIZE_PX, MOUTH_SIZE_PX)) for mouth in small])

    return shrink


def with_voice(decibels: float) -> Sound:
    return lambda own, other: mix(own, other, decibels)


def with_music(decibels: float) -> Sound:
    return lambda own, _other: music(decibels)(own, np.random.default_rng(1))


def whispered(own: np.ndarray, _other: np.ndarray) -> np.ndarray:
    """Noise with the speech's loudness in each of 24 bands, frame by frame: its sounds without its pitch."""
    hop = SAMPLE_RATE // 100
    noise = np.random.default_rng(1).standard_normal(len(own))
    window = np.hanning(2 * hop)
    starts = range(0, len(own) - 2 * hop + 1, hop)
    bands = np.array_split(np.arange(hop + 1), 24)
    out = np.zeros(len(own))
    for start in starts:
        piece = slice(start, start + 2 * hop)
        speech, breath = (np.fft.rfft(signal[piece] * window) for signal in (own, noise))
        for band in bands:
            breath[band] *= np.linalg.norm(speech[band]) / (np.linalg.norm(breath[band]) + 1e-9)
        out[piece] += np.fft.irfft(breath, 2 * hop)
    return np.clip(out, -32768, 32767).astype(np.int16)


CASES = (
    Case("as it is"),
    *(Case(f"face of {size} px", mouths=seen_small(size)) for size in (50, 40, 32)),
    *(Case(f"music at {level} dB", sound=with_music(level)) for level in (10, 0)),
    *(Case(f"another voice at {level} dB", sound=with_voice(level)) for level in (10, 5, 0)),
    Case("whispered", sound=whispered),
)


def read_case(model: LiteModel, corpus: Corpus, clip: CorpusClip, case: Case, other: np.ndarray) -> TalkingClip:
    encoder = LiteFaceEncoder(model)
    inner = slice(MARGIN, MARGIN + MOUTH_SIZE_PX)
    encoder.push_mouths(case.mouths(np.ascontiguousarray(corpus.clip_mouths(clip)[:, inner, inner])))
    own = corpus.clip_samples(clip)
    return TalkingClip(clip.name, encoder.features(), case.sound(own, np.resize(other, len(own))))


def shift_told(model: LiteModel, clip: TalkingClip, shift: int) -> Iterator[tuple[bool, bool]]:
    """For each window whose sound is later by ``shift`` frames: is the offset nearer to that, and does it pass."""
    unmoved = scored_windows(model, clip, WINDOW_FRAMES)
    moved = scored_windows(model, clip, WINDOW_FRAMES, delay_sound(clip.samples, shift))
    for before, after in zip(unmoved, moved, strict=True):
        yield before.offset_frames - after.offset_frames > shift / 2, judge(after, Thresholds()).passed


def _own_offset(model: LiteModel, clip: TalkingClip) -> int:
    return next(scored_windows(model, clip, clip.frame_count)).offset_frames


def _outcomes(model: LiteModel, clips: Sequence[tuple[TalkingClip, int]]) -> list[tuple[bool, bool]]:
    """For each window: offset within a frame, passes."""
    return [
        (abs(score.offset_frames - truth) <= 1, judge(score, Thresholds()).passed)
        for clip, truth in clips
        for score in scored_windows(model, clip, WINDOW_FRAMES)
    ]


def print_rows(name: str, clip_count: int, outcomes: Sequence[tuple[bool, bool]]) -> None:
    cells = []
    for place in (0, 1):
        share = share_of([outcome[place] for outcome in outcomes])
        low, high = share["interval"]  # type: ignore[misc]
        cells.append(f"{share['share']:.1%} of {share['of']} ({100 * low:.0f} .. {100 * high:.0f})")
    print(f"| {name} | {clip_count} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_corpus_flags(parser)
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="rows with one of these in their names")
    options = parser.parse_args()
    model = read_lite(Path("weights") / WEIGHTS_FILE, Path("weights") / CALIBRATION_FILE, "cpu")
    corpus = load_corpus(options.corpus, options.cache)
    held_out = [clip for clip in corpus.clips if clip.held_out and clip.frame_count >= WINDOW_FRAMES]
    chosen = [clip for clip in held_out if clip.source not in EXCLUDED_SOURCES]
    plain = [read_corpus_clip(model, corpus, clip) for clip in chosen]
    truths = [_own_offset(model, clip) for clip in plain]
    print("| case | clips | offset within a frame | passes |\n|---|---:|---|---|")
    for case in (case for case in CASES if any(word in case.name for word in options.only)):
        others = [*plain[7:], *plain[:7]]
        spoilt = [
            read_case(model, corpus, clip, case, other.samples) for clip, other in zip(chosen, others, strict=True)
        ]
        print_rows(case.name, len(spoilt), _outcomes(model, list(zip(spoilt, truths, strict=True))))
    apart = {
        "generated heads": [clip for clip in held_out if clip.source in GENERATED_SOURCES],
        "dubbed by a model": [clip for clip in held_out if clip.source == DUBBED_SOURCE],
    }
    for name, clips in apart.items():
        read = [read_corpus_clip(model, corpus, clip) for clip in clips]
        print_rows(name, len(read), _outcomes(model, [(clip, _own_offset(model, clip)) for clip in read]))
    print("\n| sound later by | clips | noticed | passes |\n|---|---:|---|---|")
    for shift in SHIFTS:
        told = [outcome for clip in plain for outcome in shift_told(model, clip, shift)]
        print_rows(f"{shift} frames", len(plain), told)


if __name__ == "__main__":
    main()
