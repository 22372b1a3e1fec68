"""What a score rests on: windows of one second that agree, or not, with the offset of the whole track."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES
from syncnet.scoring.stretches import Stretch, find_stretches

WINDOW_LENGTH_FRAMES = FPS
WINDOW_STEP_FRAMES = 10
"""0.4 s."""
AGREEMENT_FRAMES = 2
LEAST_AGREEMENT = 0.4
"""Of the windows. Chance alone gives 5 of 31 shifts, so 0.16."""
FEWEST_WINDOWS = 5
"""With fewer, a share says nothing and the whole track's peak decides."""
LEAST_SPEECH_SECONDS = 1.2
"""With less, chance fits as well as speech too often: of wrong sounds of a second a quarter reach the default threshold
(training/calibrate.py)."""
MOST_UNMATCHED_SHARE = 0.25
"""Of the speech beside the face: where its lips do not fit more, somebody else speaks."""
LEAST_UNMATCHED_SECONDS = 0.8
"""In one stretch. Lips of speakers in sync miss shorter ones, here and there: of 105 windows of 4 s, 5 that would pass
have more than the share in pieces below this (benchmarks/what_counts.py has what it lets through)."""
SHORT_SECONDS = 2.0
"""A track, or the speech beside it, that is shorter is called so where there is no evidence."""
_LEAST_SPEECH = 0.5
"""Share of a window's frames."""
_SHUFFLES = 60
_SHUFFLED_BLOCK_FRAMES = 8
"""Neighbouring embeddings are much alike; shuffled one by one they would make chance look smoother than it is."""
_NULL_QUANTILE = 0.95
_SEED = 1
"""The same video gets the same answer every time."""


@dataclass(frozen=True)
class WindowOffset:
    """One second of a track."""

    first_frame: int
    """Of the video."""
    offset_frames: int
    depth: float
    """Median minus minimum of its curve, raw."""


@dataclass(frozen=True, slots=True)
class OffsetPiece:
    """A stretch of the video at whose windows the offset stays the same, where it does not stay so throughout."""

    start_seconds: float
    end_seconds: float
    offset_frames: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much a score rests on."""

    level: Literal["strong", "weak", "none"]
    """``weak``: too few windows to count, but the track's peak stands out from those of its shuffled sound."""
    problem: str
    """Why there is none; empty otherwise."""
    windows: int = 0
    """Windows in which somebody speaks."""
    agreeing: int = 0
    """Of these, within 2 frames of the track's offset."""
    pieces: tuple[OffsetPiece, ...] = ()
    """Where the offset changes along the video; empty where it does not."""
    stretches: tuple[Stretch, ...] = ()
    """Where somebody speaks beside the face, and whether the lips fit; empty where there is no evidence."""
    speech_seconds: float = 0.0
    """Of speech beside lips of the face."""

    @property
    def unmatched_share(self) -> float:
        """Of the speech beside the face, that its lips do not fit."""
        spoken = sum(stretch.speech_seconds for stretch in self.stretches)
        return 1 - sum(stretch.matched_seconds for stretch in self.stretches) / spoken if spoken else 0.0

    @property
    def fits(self) -> bool:
        """Whether the lips fit most of the speech beside the face, and no long part of it is another voice."""
        longest = max((s.speech_seconds - s.matched_seconds for s in self.stretches if not s.matched), default=0.0)
        return self.unmatched_share <= MOST_UNMATCHED_SHARE or longest <= LEAST_UNMATCHED_SECONDS


def weigh(
    distances: np.ndarray, offset_frames: int, speech: np.ndarray, first_frame: int
) -> tuple[Evidence, np.ndarray]:
    """The evidence for a track's offset, and the curves of the windows it rests on, shape (n, 31).

    ``distances`` (31, W): of lip i and sound i + k - 15, NaN where no such pair exists or the lip does not count.
    ``speech`` (W,) bool: whether somebody speaks at lip i. ``first_frame``: the video's frame of lip 0.
    """
    windows, curves = _find_windows(distances, speech, first_frame)
    heard = np.isfinite(distances).any(axis=0)
    spoken = float((heard & speech).sum()) / FPS
    agreeing = sum(abs(window.offset_frames - offset_frames) <= AGREEMENT_FRAMES for window in windows)
    pieces = find_pieces(windows)
    level: Literal["strong", "weak"] = "weak" if len(windows) < FEWEST_WINDOWS else "strong"
    problem = ""
    if abs(offset_frames) == MAX_SHIFT_FRAMES:
        problem = "the best shift is at the edge of the search range"
    elif spoken == 0 and len(heard) / FPS >= SHORT_SECONDS:
        problem = "no speech in the sound"
    elif spoken < LEAST_SPEECH_SECONDS or (level == "weak" and not _stands_out(distances)):
        problem = _too_little(spoken, len(heard) / FPS)
    elif level == "strong" and not pieces and not _agree(windows, offset_frames):
        problem = f"{agreeing} of {len(windows)} one-second windows agree with the offset"
    if problem:
        return Evidence("none", problem, len(windows), agreeing, speech_seconds=spoken), curves
    offsets = _offsets_along(pieces, offset_frames, distances.shape[1], first_frame)
    stretches = find_stretches(distances, offsets, speech, first_frame)
    return Evidence(level, "", len(windows), agreeing, pieces, stretches, spoken), curves


def find_offset(distances: np.ndarray, curve: np.ndarray, speech: np.ndarray) -> int:
    """The offset of the mean curve (31,); where its windows do not agree, that of a stretch whose windows do."""
    offset_frames = MAX_SHIFT_FRAMES - int(np.nanargmin(curve))
    windows, _ = _find_windows(distances, speech, 0)
    if len(windows) < FEWEST_WINDOWS or _agree(windows, offset_frames):
        return offset_frames
    run = max(_runs(windows), key=len)
    return _middle(run) if len(run) >= _PIECE_WINDOWS else offset_frames


def _find_windows(distances: np.ndarray, speech: np.ndarray, first_frame: int) -> tuple[list[WindowOffset], np.ndarray]:
    starts, curves = window_curves(distances, speech)
    windows = [
        WindowOffset(first_frame + start, MAX_SHIFT_FRAMES - int(np.nanargmin(curve)), _depth(curve))
        for start, curve in zip(starts, curves, strict=True)
    ]
    return windows, curves


def _agree(windows: Sequence[WindowOffset], offset_frames: int) -> bool:
    """Whether enough of the windows have the offset, over all of the track or in one stretch of it."""
    agreeing = [abs(window.offset_frames - offset_frames) <= AGREEMENT_FRAMES for window in windows]
    longest = max((len(list(run)) for agrees, run in itertools.groupby(agreeing) if agrees), default=0)
    return sum(agreeing) >= LEAST_AGREEMENT * len(windows) or longest >= _PIECE_WINDOWS


def least_telling_frames(min_track_frames: int) -> int:
    """Frames of the shortest track that can have evidence, for a model that needs so many to give any number.

    That is one lip more than the far shifts take; so much speech needs LEAST_SPEECH_SECONDS of lips.
    """
    return min_track_frames - MAX_SHIFT_FRAMES - 1 + round(LEAST_SPEECH_SECONDS * FPS)


def _too_little(spoken_seconds: float, track_seconds: float) -> str:
    """Why a short track, or little speech, is no evidence."""
    if track_seconds < SHORT_SECONDS:
        return f"too short to say ({track_seconds:.1f} s)"
    if spoken_seconds < SHORT_SECONDS:
        return f"too little speech to tell ({spoken_seconds:.1f} s)"
    return "shuffled sound fits as well"


def _offsets_along(pieces: Sequence[OffsetPiece], offset_frames: int, lip_count: int, first_frame: int) -> np.ndarray:
    """The offset that holds at each lip, (lip_count,) int: that of its piece, where there are some."""
    offsets = np.full(lip_count, offset_frames)
    for before, piece in zip((None, *pieces), pieces, strict=False):
        start_seconds = (before.end_seconds + piece.start_seconds) / 2 if before else 0.0
        offsets[max(0, round(start_seconds * FPS) - first_frame) :] = piece.offset_frames
    return offsets


def window_curves(distances: np.ndarray, speech: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Starts and mean curves, shape (n, 31), of the windows in which somebody speaks at least half the time."""
    starts, curves = [], []
    for start in range(0, distances.shape[1] - WINDOW_LENGTH_FRAMES + 1, WINDOW_STEP_FRAMES):
        window = slice(start, start + WINDOW_LENGTH_FRAMES)
        exists = np.isfinite(distances[:, window]).sum(axis=1)
        # Where hardly a pair is left, its mean would win or lose by chance.
        usable = exists * 2 >= WINDOW_LENGTH_FRAMES
        if speech[window].mean() < _LEAST_SPEECH or not usable[MAX_SHIFT_FRAMES]:
            continue
        sums = np.nansum(distances[:, window], axis=1)
        starts.append(start)
        curves.append(np.where(usable, sums / np.maximum(exists, 1), np.nan))
    return starts, np.array(curves).reshape(-1, len(distances))


def _depth(curve: np.ndarray) -> float:
    return float(np.nanmedian(curve) - np.nanmin(curve))


def _stands_out(distances: np.ndarray) -> bool:
    """Whether the track's curve is deeper than with its sound shuffled, nineteen times of twenty.

    Shuffled: every stretch of eight lips meets the sound at a shift of its own, drawn at random. Lips that no sound
    stands beside, where it ends before the picture, say nothing either way.
    """
    distances = distances[:, np.isfinite(distances).any(axis=0)]
    shifts, count = distances.shape
    rng = np.random.default_rng(_SEED)
    filled = np.where(np.isfinite(distances), distances, np.nanmean(distances, axis=0))
    lips = np.arange(count)
    blocks = lips // _SHUFFLED_BLOCK_FRAMES
    turns = rng.integers(shifts, size=(_SHUFFLES, blocks[-1] + 1))[:, blocks]
    rows = (np.arange(shifts)[:, None, None] + turns) % shifts
    shuffled = filled[rows, lips].mean(axis=2)
    depths = np.median(shuffled, axis=0) - shuffled.min(axis=0)
    return _depth(filled.mean(axis=1)) > float(np.quantile(depths, _NULL_QUANTILE))


_PIECE_WINDOWS = 5
"""Consecutive windows, 2.6 s, that a stretch needs."""
_PIECE_TOLERANCE_FRAMES = 1
_CHANGE_FRAMES = 3
"""Least difference between stretches: two frames may be noise."""
_PIECES_COVER = 0.6
"""Share of all windows that the stretches must explain together."""


def find_pieces(windows: Sequence[WindowOffset]) -> tuple[OffsetPiece, ...]:
    """Stretches of constant offset, where windows agree with their neighbours but move along the video; else nothing.

    A jump gives two stretches, a drift a staircase of them.
    """
    runs = [run for run in _runs(windows) if len(run) >= _PIECE_WINDOWS]
    offsets = [_middle(run) for run in runs]
    covered = sum(len(run) for run in runs)
    if len(runs) < 2 or max(offsets) - min(offsets) < _CHANGE_FRAMES or covered < _PIECES_COVER * len(windows):
        return ()
    pieces: list[OffsetPiece] = []
    for run, offset in zip(runs, offsets, strict=True):
        end = (run[-1].first_frame + WINDOW_LENGTH_FRAMES) / FPS
        if pieces and pieces[-1].offset_frames == offset:
            pieces[-1] = OffsetPiece(pieces[-1].start_seconds, end, offset)
        else:
            pieces.append(OffsetPiece(run[0].first_frame / FPS, end, offset))
    return tuple(pieces)


def _runs(windows: Sequence[WindowOffset]) -> list[list[WindowOffset]]:
    """Consecutive windows whose offsets stay within a frame of the run's start; single strays do not end a run."""
    runs: list[list[WindowOffset]] = []
    strays: list[WindowOffset] = []
    for window in windows:
        if runs and abs(window.offset_frames - _middle(runs[-1][:_PIECE_WINDOWS])) <= _PIECE_TOLERANCE_FRAMES:
            runs[-1].append(window)
            strays = []
        elif runs and not strays and len(runs[-1]) >= 2:
            strays = [window]
        else:
            runs.append(
                [*strays, window] if strays and abs(strays[0].offset_frames - window.offset_frames) <= 1 else [window]
            )
            strays = []
    return runs


def _middle(run: Sequence[WindowOffset]) -> int:
    return int(np.median([window.offset_frames for window in run]))
