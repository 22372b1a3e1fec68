"""Samples moved along the file: what comes out is worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from repair_clips import write_kind

from syncnet.media.opening import open_media
from syncnet.repair.correction import Correction, Step, constant
from syncnet.repair.moving import moved_blocks, pieces_of
from syncnet.repair.pace import at_pace
from syncnet.repair.quiet import cut_in_silence
from syncnet.repair.sound import SoundKind
from syncnet.repair.writing import write_repaired
from syncnet.system.interruption import StopFlag
from synthetic.media import find_clicks

RATE = 1000
FADE = 20
"""Samples of 20 ms."""
MONO = SoundKind(48_000, "mono", "fltp")


def in_blocks(samples: np.ndarray, *sizes: int) -> Iterator[np.ndarray]:
    """(1, n) each; the last one as long as what is left."""
    for size in sizes:
        yield samples[None, :size]
        samples = samples[size:]
    yield samples[None]


def moved(samples: np.ndarray, correction: Correction, *sizes: int, lead: float = 0.0) -> np.ndarray:
    pieces = pieces_of(correction, RATE, lead)
    return np.concatenate(list(moved_blocks(in_blocks(samples, *sizes), pieces, RATE)), axis=1)[0]


RAMP = np.arange(1, 3001, dtype=np.float32)


@pytest.mark.parametrize("sizes", [(), (1, 7, 900), (2999,)])
def test_a_delay_puts_silence_first_and_loses_nothing(sizes: tuple[int, ...]) -> None:
    late = moved(RAMP, constant(100), *sizes)
    assert late[:100].tolist() == [0] * 100
    assert late[100:].tolist() == RAMP.tolist()


@pytest.mark.parametrize("sizes", [(), (1, 7, 900), (2999,)])
def test_an_advance_cuts_the_beginning(sizes: tuple[int, ...]) -> None:
    assert moved(RAMP, constant(-100), *sizes).tolist() == RAMP[100:].tolist()


@pytest.mark.parametrize(("after_ms", "first_after"), [(200.0, 2 * RATE - 200), (-150.0, 2 * RATE + 150)])
def test_each_stretch_has_its_own_delay(after_ms: float, first_after: int) -> None:
    out = moved(RAMP, Correction((Step(0.0, 0.0), Step(2.0, after_ms))), 17, 1500)
    assert out[: 2 * RATE].tolist() == RAMP[: 2 * RATE].tolist()
    faded = 2 * RATE + FADE
    assert out[faded:].tolist() == RAMP[first_after + FADE :].tolist()
    assert len(out) == len(RAMP) + after_ms


def test_the_times_of_steps_count_from_the_first_picture() -> None:
    # The samples begin half a second before it.
    out = moved(RAMP, Correction((Step(0.0, 0.0), Step(1.0, 100.0))), lead=0.5)
    assert out[:1500].tolist() == RAMP[:1500].tolist()
    assert out[1520] == RAMP[1420]


def test_between_two_stretches_one_fades_into_the_other() -> None:
    levels = np.where(np.arange(3000) < 1900, 1.0, 3.0).astype(np.float32)
    # What follows the cut is 200 ms older, still the lower level; what goes on under it is the higher one.
    out = moved(levels, Correction((Step(0.0, 0.0), Step(2.0, 200.0))))
    fade = out[2000:2020]
    assert fade[0] == pytest.approx(3 - 2 * 0.5 / 20)
    assert fade[-1] == pytest.approx(3 - 2 * 19.5 / 20)
    assert (np.diff(fade) < 0).all()
    even = moved(np.ones(3000, np.float32), Correction((Step(0.0, 0.0), Step(2.0, 200.0))))
    assert even == pytest.approx(np.ones(len(even)))


def test_a_jump_is_cut_in_the_silence_near_it() -> None:
    rng = np.random.default_rng(1)
    samples = (rng.normal(size=4 * 16_000) * 3000).astype(np.int16)
    # With 0 and +100 ms of delay, the quiet place is the same in both from 2.4 to 2.5 s only.
    samples[round(2.3 * 16_000) : round(2.5 * 16_000)] = 0
    cut = cut_in_silence(Correction((Step(0.0, 0.0), Step(2.1, 100.0))), samples)
    assert 2.4 <= cut.steps[1].from_seconds <= 2.48
    assert cut.steps[1].delay_ms == 100.0
    loud = cut_in_silence(Correction((Step(0.0, 0.0), Step(3.3, 100.0))), samples)
    assert loud.steps[1].from_seconds == pytest.approx(3.3, abs=0.2)


def tone(hz: float, seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * MONO.rate)) / MONO.rate).astype(np.float32)


def pitch_of(samples: np.ndarray) -> float:
    """In hertz, by the places where the wave rises through zero, away from the ends."""
    inner = samples[4800:-4800].astype(np.float64)
    rises = np.flatnonzero((inner[:-1] < 0) & (inner[1:] >= 0))
    exact = rises + inner[rises] / (inner[rises] - inner[rises + 1])
    return float((len(exact) - 1) / (exact[-1] - exact[0]) * MONO.rate)


@pytest.mark.parametrize("pace", [1000 / 1001, 1001 / 1000, 25 / 24, 0.98])
def test_pace_changes_the_length_and_the_pitch_as_a_tape_does(pace: float) -> None:
    out = np.concatenate(list(at_pace(in_blocks(tone(440, 3), 5000, 48_000), MONO, pace, keep_pitch=False)), axis=1)[0]
    assert len(out) == pytest.approx(3 * MONO.rate / pace, abs=2)
    assert pitch_of(out) == pytest.approx(440 * pace, rel=1e-5)
    assert np.abs(out[4800:-4800]).max() == pytest.approx(1, abs=0.002)


def test_pitch_is_kept_where_that_is_asked_for() -> None:
    out = np.concatenate(list(at_pace(in_blocks(tone(440, 3)), MONO, 25 / 24, keep_pitch=True)), axis=1)[0]
    assert len(out) == pytest.approx(3 * MONO.rate * 24 / 25, rel=0.02)
    assert pitch_of(out) == pytest.approx(440, rel=0.002)


CLICKS = (0.5, 1.5, 2.5)


@pytest.mark.parametrize("kind", ["MOV/PCM", "Matroska/Opus", "MPEG-TS/AAC"])
@pytest.mark.parametrize("ms_a_second", [-40.0, 1.0, 20.0])
def test_a_drift_is_put_right_along_the_file(tmp_path: Path, kind: str, ms_a_second: float) -> None:
    # What was recorded at t is heard at t - (30 + drift t) / 1000: the sound comes early by that.
    heard = [time - (30 + ms_a_second * time) / 1000 for time in CLICKS]
    source = write_kind(tmp_path, kind, click_times=heard)
    target = tmp_path / f"out{source.suffix}"
    write_repaired(source, target, 0, Correction((Step(0.0, 30.0),), ms_a_second), "encode", StopFlag())
    assert find_clicks(open_media(target).samples) == pytest.approx(CLICKS, abs=0.001)


@pytest.mark.parametrize("kind", ["MP4/AAC", "Matroska/Opus", "AVI/MP3"])
def test_jumps_are_put_right_stretch_by_stretch(tmp_path: Path, kind: str) -> None:
    early = {0.5: 0.0, 1.5: 0.12, 2.5: -0.2}
    source = write_kind(tmp_path, kind, click_times=[time - ahead for time, ahead in early.items()])
    in_file = 0.023 if kind == "AVI/MP3" else 0.0
    target = tmp_path / f"out{source.suffix}"
    steps = (Step(0.0, 0.0), Step(1.0, 120.0), Step(2.0, -200.0))
    write_repaired(source, target, 0, Correction(steps), "encode", StopFlag())
    clicks = find_clicks(open_media(target).samples)
    assert clicks == pytest.approx([time + in_file for time in early], abs=0.0012)
