"""Which files get which correction, and why others get none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import IN_SYNC, INFO, MIXED, faceless, failed, judged, make_score, successful

from syncnet.overtime.timeline import Drift, Jump, OffsetAlong, Segment
from syncnet.repair.correction import Correction, Step, constant
from syncnet.repair.finding import (
    Refusal,
    curable_by_ms,
    describe,
    fails_only_by_offset,
    find_correction,
)
from syncnet.results import VideoResult
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.stretches import Stretch
from syncnet.scoring.timing import Timing
from syncnet.settings import OverTimeSettings, Thresholds

STRONG = Evidence("strong", "", 12, 11)
SURE = Timing(-243.0, (-250.0, -236.0))


def segment(start: float, end: float, ms: float, track: int = 0, width: float = 20.0) -> Segment:
    timing = Timing(ms, (ms - width / 2, ms + width / 2))
    frames = round(ms / 40)
    return replace(
        IN_SYNC, start_seconds=start, end_seconds=end, track=track, offset_frames=frames, timing=timing
    )  # fmt: skip


def known(
    along: OffsetAlong, *segments: Segment, timing: Timing | None = SURE, evidence: Evidence = STRONG, offset: int = -6
) -> VideoResult:
    score = make_score(7.5, offset, evidence=evidence, timing=timing)
    result = replace(successful("a.mp4", score), info=replace(INFO, duration_seconds=60.0))
    return replace(result, over_time=judged(*segments, along=along))


LATE = OffsetAlong("constant", -241.5)
WHOLE = segment(1, 50, -243)


def reason_of(result: VideoResult) -> str:
    found = find_correction(result)
    assert isinstance(found, Refusal)
    assert curable_by_ms(result) is None
    return found.reason


def test_a_constant_offset_is_undone_by_as_much_the_other_way() -> None:
    # Sound 241.5 ms late (below zero) is brought forward by that much.
    result = known(LATE, WHOLE)
    assert find_correction(result) == constant(-241.5)
    assert curable_by_ms(result) == -241.5
    assert describe(constant(-241.5)) == "advance the sound by 242 ms"
    assert find_correction(known(OffsetAlong("constant", 120.0), segment(1, 50, 118))) == constant(120.0)


def test_jumps_become_steps_and_a_drift_a_line() -> None:
    jumps = OffsetAlong("jumps", None, (Jump(20.0, 19.0, 0.0, -200.0), Jump(40.0, 39.5, -200.0, 120.0)))
    result = known(jumps, segment(1, 19, 0), segment(20, 39, -200), segment(40, 55, 120))
    assert find_correction(result) == Correction((Step(0.0, 0.0), Step(20.0, -200.0), Step(40.0, 120.0)))
    assert curable_by_ms(result) == -200.0
    # -60 ms a minute through -20 ms at 10 s: -10 ms at zero.
    drift = Drift(-60.0, (-70.0, -50.0), 10.0, -20.0, 58.0, -68.0)
    found = find_correction(known(OffsetAlong("drift", drift=drift), segment(10, 58, -45)))
    assert isinstance(found, Correction)
    assert (found.steps[0].delay_ms, found.rate) == (pytest.approx(-10), pytest.approx(-1))
    assert found.largest_ms(60) == pytest.approx(-70)
    # 60 ms a minute over 58 s are 58 ms: 29 from the slope and 16.7 from the middle make 33.5 ms at the ends. Of 80 ms
    # a minute it is 44.6, and the drift is refused (below).
    rough = Drift(-60.0, (-90.0, -30.0), 0.0, 0.0, 58.0, -58.0)
    assert find_correction(known(OffsetAlong("drift", drift=rough), WHOLE)) == Correction((Step(0.0, 0.0),), -1.0)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (faceless("a.mp4"), "no face seen"),
        (failed("a.mp4"), "no sound in it"),
        (known(LATE, WHOLE, evidence=Evidence("none", "no speech in the sound")), "no evidence of sync (no speech"),
        (known(LATE, WHOLE, evidence=Evidence("weak", "")), "weak evidence"),
        (
            known(LATE, WHOLE, evidence=replace(STRONG, stretches=(Stretch(0, 2, 2, 2), Stretch(2, 6, 4, 0.1)))),
            "the lips do not fit most of the speech",
        ),
        (known(LATE, replace(WHOLE, evidence="weak")), "no segment has strong evidence"),
        (replace(known(LATE, WHOLE), over_time=None), "its score is of an earlier version"),
        (known(LATE, WHOLE, timing=Timing(-243.0, (-264.0, -223.0))), "the offset is known to 41 ms only"),
        (known(LATE, WHOLE, timing=Timing(-243.0, None)), "how sure the offset is cannot be told"),
        (known(LATE, WHOLE, segment(10, 20, 40, track=1)), "faces disagree on the offset by 283 ms at 1.0 s"),
        (known(LATE, WHOLE, segment(51, 58, 40, track=1)), "faces disagree on the offset"),
        (known(OffsetAlong("constant", 45.0), segment(1, 50, 45)), "its sound is within 60 ms of the picture"),
        (known(MIXED, WHOLE), "its sound both jumps and drifts"),
        (known(OffsetAlong("none"), WHOLE), "its offset along the file is not known"),
        (
            known(OffsetAlong("drift", drift=Drift(-700.0, (-705.0, -695.0), 1.0, 0.0, 50.0, -572.0)), WHOLE),
            "the sound is off by 688 ms, and 600 ms is the most",
        ),
        (
            known(OffsetAlong("drift", drift=Drift(-60.0, (-100.0, -20.0), 0.0, 0.0, 58.0, -58.0)), WHOLE),
            "its drift is known too roughly",
        ),
        (
            known(
                OffsetAlong("jumps", None, (Jump(20.0, 19.0, 0.0, -200.0),)),
                segment(1, 19, 0),
                segment(20, 39, -200, width=45),
            ),
            "the offset from 20.0 s on is known too roughly",
        ),
    ],
)
def test_what_is_not_known_well_is_left_alone(result: VideoResult, reason: str) -> None:
    assert reason_of(result).startswith(reason)


def test_two_faces_at_one_offset_do_not_disagree() -> None:
    assert find_correction(known(LATE, WHOLE, segment(10, 20, -225, track=1))) == constant(-241.5)


def test_only_what_fails_by_its_offset_alone_is_for_a_run_to_repair() -> None:
    limits = Thresholds(), OverTimeSettings()
    late = known(LATE, replace(WHOLE, offset_frames=-6))
    assert not late.passed
    assert fails_only_by_offset(late, *limits)
    weak = known(LATE, WHOLE)
    low = replace(weak, best=replace(make_score(3.0, -6, evidence=STRONG, timing=SURE)))
    assert not fails_only_by_offset(low, *limits)
    assert not fails_only_by_offset(replace(late, verdict=replace(late.verdict, passed=True, reasons=())), *limits)  # type: ignore[type-var]
    assert not fails_only_by_offset(late, Thresholds(), OverTimeSettings(min_coverage=0.99, min_in_sync_seconds=100))
    assert not fails_only_by_offset(faceless("a.mp4"), *limits)


def test_a_video_that_was_scored_against_a_sound_file_keeps_its_own_sound() -> None:
    own = known(OffsetAlong("constant", -243.0), segment(0.0, 6.0, -243.0))
    assert isinstance(find_correction(own), Correction)
    found = find_correction(replace(own, sound_path=Path("dub.wav")))
    assert found == Refusal(
        "it was scored against a sound file, not against its own sound", "move the sound in that file"
    )
