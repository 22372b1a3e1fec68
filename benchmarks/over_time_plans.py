"""Plans of long files for benchmarks/over_time.py: each kind of file in turn, at several frame rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.over_time_files import Part, Plan

FRAME_RATES = (25.0, 30000 / 1001, 24000 / 1001, 30.0, 50.0)
KINDS = ("plain", "jumps", "drift", "moved parts", "two in turn")
DRIFTS = (0.002, -0.001, 0.005, -0.0005, 0.001, 0.0005)
MS_PER_FRAME = 40
FEWEST_JUMP_FRAMES, MOST_JUMP_FRAMES = 3, 10


@dataclass(frozen=True)
class KnownClip:
    """A clip whose sync is known."""

    path: Path
    seconds: float
    """How long a part of it may be."""
    early_ms: float
    """By how much its sound is early."""


def make_plans(
    clips: Sequence[KnownClip], kinds: Sequence[str], count: int, seconds: float, seed: int
) -> Iterator[Plan]:
    """``count`` plans of at least so many seconds, of each of the kinds in turn."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        parts = tuple(_parts(clips, seconds, rng, pairs=kind == "two in turn"))
        rate = FRAME_RATES[number % len(FRAME_RATES)]
        plan = Plan(f"{number:02d} {kind}", parts, rate, own_early_ms=_early(clips))
        if kind == "jumps":
            plan = replace(plan, jumps=tuple(_jumps(plan, 1 + number // len(kinds) % 2, rng)))
        elif kind == "drift":
            plan = replace(plan, drift=DRIFTS[number // len(kinds) % len(DRIFTS)])
        elif kind == "moved parts":
            plan = replace(plan, parts=_moved(parts, rng))
        yield plan


def _early(clips: Sequence[KnownClip]) -> tuple[tuple[Path, float], ...]:
    return tuple((clip.path, clip.early_ms) for clip in clips)


def _parts(clips: Sequence[KnownClip], seconds: float, rng: np.random.Generator, *, pairs: bool) -> Iterator[Part]:
    """Faces that speak, and between some of them what is no face, nobody, or another one's voice."""
    made, order = 0.0, list(rng.permutation(len(clips)))
    while made < seconds:
        if len(order) < 2:
            order = [*order, *rng.permutation(len(clips))]
        clip, other = clips[order.pop(0)], clips[order[0]]
        left = bool(rng.integers(2))
        listener = other.path if pairs else None
        part = Part("pair" if pairs else "own", clip.path, listener, clip.seconds, speaker_left=left)
        between = rng.choice(["", "", "silence", "narration", "stranger"])
        yield part
        made += part.seconds
        if between == "silence":
            yield Part("silence", None, None, 3.0)
        elif between == "narration":
            yield Part("narration", other.path, None, min(4.0, other.seconds))
        elif between == "stranger":
            third = clips[order[len(order) // 2]]
            if third not in (clip, other):
                yield Part("stranger", other.path, third.path, min(other.seconds, third.seconds))


def _size(rng: np.random.Generator) -> float:
    return float(rng.integers(FEWEST_JUMP_FRAMES, MOST_JUMP_FRAMES + 1) * rng.choice([-1, 1]) * MS_PER_FRAME)


def _jumps(plan: Plan, count: int, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
    late = 0.0
    for place in range(1, count + 1):
        size = _size(rng)
        # Not beyond what is searched.
        late += size if abs(late + size) <= MOST_JUMP_FRAMES * MS_PER_FRAME else -size
        yield round(plan.seconds * (place + float(rng.uniform(-0.2, 0.2))) / (count + 1), 2), late


def _moved(parts: Sequence[Part], rng: np.random.Generator) -> tuple[Part, ...]:
    """A third and two thirds into the file, two neighbouring faces with late or early sound."""
    moved = list(parts)
    speaking = [number for number, part in enumerate(parts) if part.kind == "own"]
    for place in (len(speaking) // 3, 2 * len(speaking) // 3):
        late = _size(rng)
        for number in speaking[place : place + 2]:
            moved[number] = replace(moved[number], late_ms=late)
    return tuple(moved)


def example_plans(clips: Sequence[KnownClip]) -> Iterator[Plan]:
    """The files that passed before there were segments: a programme that is late from 90 s on, one whose sound is
    slower by 0.2 %, and a talk show of which a face in sync is a sixth.

    ``clips``: six at least.
    """
    early = _early(clips)
    faces = [Part("own", clip.path, None, clip.seconds) for clip in clips]
    silence = Part("silence", None, None, 4.0)
    parts: list[Part] = []
    while sum(part.seconds for part in parts) < 180:
        parts += [faces[len(parts) // 2 % len(faces)], silence]
    yield Plan("programme", tuple(parts), own_early_ms=early, jumps=((90.0, 240.0),))
    yield Plan("slower by 0.2 %", tuple(parts), own_early_ms=early, drift=0.002)
    strangers = [
        Part("stranger", face.path, voice.path, min(face.seconds, voice.seconds))
        for face, voice in zip(clips[1:] * 2, [*clips[2:], *clips[2:], clips[1]], strict=False)
        if face != voice
    ]
    show = [faces[0]]
    for part in strangers:
        if sum(known.seconds for known in show) < 65:
            show.append(part)
    yield Plan("talk show", tuple(show), own_early_ms=early)
