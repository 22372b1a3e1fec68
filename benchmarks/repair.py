"""Files whose sound was moved by known amounts, repaired by those amounts: how far from the unmoved file they come out.

    python -m benchmarks.repair

No face and no model: each file has numbered pictures and a sound that clicks, in every frame rate, container and kind
of stream start of docs/accuracy.md. What it was moved by is what it is repaired by, in the way that is the default; so
this is about the writing alone. ``benchmarks.repair_model`` has the whole command on talking clips.

Told is, as the media stage reads both, how far picture and sound lie apart in the repaired file and not in the one that
was never moved: of a constant offset the mean over all clicks, of jumps and drifts the worst click.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.media_timing import CONTAINERS, base_clip, read_bias
from benchmarks.variants import FULL, plan_variants
from syncnet.conventions import FPS
from syncnet.media.opening import open_media
from syncnet.repair.checking import check_rest_unchanged
from syncnet.repair.correction import Correction, Step, constant
from syncnet.repair.writing import ways_for, write_repaired
from syncnet.system.interruption import StopFlag
from synthetic.media import Clip, find_clicks, write_clip

SECONDS = 4.0
LONG_SECONDS = 12.0
LONG_CLICKS = tuple(float(time) for time in np.arange(0.75, LONG_SECONDS - 0.5, 0.5))
JUMPS: dict[str, tuple[tuple[float, float], ...]] = {
    "a jump of 200 ms": ((6.0, 200.0),),
    "a jump of -120 ms": ((6.0, -120.0),),
    "two jumps": ((4.0, -320.0), (8.0, 120.0)),
}
"""(seconds, milliseconds): from when on the sound is early, and by how much."""
DRIFTS = {"a drift of 1000/1001": 1000 / 1001, "a drift of 0.2 %": 1.002, "a drift of -0.5 %": 0.995}
"""How fast the sound runs."""
CLEAR_SECONDS = 0.5
NEAR_MS = 20.0
WORSE_MS = 1.0
"""Above what a file was moved by: what a codec smears."""


@dataclass(frozen=True)
class Outcome:
    """One file."""

    kind: str
    moved_ms: float
    off_ms: float
    """After the repair, from where it was before it was moved."""


def measure_constant(folder: Path) -> Iterator[Outcome]:
    """Every variant of docs/accuracy.md but the turned ones."""
    unmoved: dict[str, float] = {}
    for variant in plan_variants(SECONDS, FULL):
        if variant.clip.counter_clockwise_degrees:
            # The numbers in turned pictures cannot be read; tests/test_repair_writing.py has the turn.
            continue
        # Clicks that stay within the file wherever they are moved.
        clip = replace(variant.clip, click_times=(1.3, 1.8, 2.3, 2.7))
        path = folder / f"moved.{variant.extension}"
        if variant.kind not in unmoved:
            unmoved[variant.kind] = sum(read_bias(write_clip(path, clip), clip))
        delay_ms = 1000 * variant.delay_frames / FPS
        write_clip(path, replace(clip, sound_shift=delay_ms / 1000))
        target = repaired(path, constant(-delay_ms))
        yield Outcome(variant.kind, delay_ms, 1000 * (sum(read_bias(target, clip)) - unmoved[variant.kind]))


def measure_along(folder: Path) -> Iterator[Outcome]:
    """Jumps and drifts in every container."""
    for container in CONTAINERS:
        extension, clip = base_clip(container, "25", LONG_SECONDS)
        path = write_clip(folder / f"moved.{extension}", replace(clip, click_times=LONG_CLICKS))
        true = np.array(find_clicks(open_media(path).samples))
        for name, jumps in JUMPS.items():
            steps = (Step(0.0, 0.0), *(Step(at, ms) for at, ms in jumps))
            yield _along(f"{name}, in every container", path, clip, Correction(steps), true)
        for name, pace in DRIFTS.items():
            # What belongs to t is heard at t / pace.
            yield _along(
                f"{name}, in every container", path, clip, Correction((Step(0.0, 0.0),), 1000 * (1 - 1 / pace)), true
            )


def _along(kind: str, path: Path, clip: Clip, correction: Correction, true: np.ndarray) -> Outcome:
    # At a jump a file has sound that is there twice, or none.
    clear = [
        all(abs(time - step.from_seconds) > CLEAR_SECONDS for step in correction.steps[1:]) for time in LONG_CLICKS
    ]
    times = [time for time, is_clear in zip(LONG_CLICKS, clear, strict=True) if is_clear]
    write_clip(path, replace(clip, click_times=[time - correction.delay_ms(time) / 1000 for time in times]))
    heard = np.array(find_clicks(open_media(repaired(path, correction)).samples))
    largest = max(abs(correction.delay_ms(time)) for time in times)
    if len(heard) != len(times):
        return Outcome(kind, largest, float("nan"))
    off = heard - true[np.array(clear)]
    return Outcome(kind, largest, float(1000 * off[np.abs(off).argmax()]))


def repaired(path: Path, correction: Correction) -> Path:
    """The file beside it, written and checked as a repair does it."""
    target = path.with_name(f"repaired{path.suffix}")
    target.unlink(missing_ok=True)
    way = ways_for(path, 0, correction, None)[0]
    write_repaired(path, target, 0, correction, way, StopFlag())
    check_rest_unchanged(path, target, 0)
    return target


def format_table(outcomes: Sequence[Outcome]) -> str:
    """Markdown: a row for each kind, and one for all."""
    lines = [
        f"| file | files | within {NEAR_MS:.0f} ms | largest, in ms | worse than it went in |",
        "|---|---:|---:|---:|---:|",
    ]
    kinds = list(dict.fromkeys(one.kind for one in outcomes))
    for kind in [*kinds, "all"]:
        of_kind = [one for one in outcomes if kind in (one.kind, "all")]
        near = sum(abs(one.off_ms) <= NEAR_MS for one in of_kind)
        largest = max((one.off_ms for one in of_kind), key=abs)
        worse = sum(not abs(one.off_ms) <= abs(one.moved_ms) + WORSE_MS for one in of_kind)
        lines.append(f"| {kind} | {len(of_kind)} | {near / len(of_kind):.1%} | {largest:+.1f} | {worse} |")
    return "\n".join(lines)


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        print(format_table([*measure_constant(Path(temporary)), *measure_along(Path(temporary))]))
