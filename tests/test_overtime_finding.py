"""Segments of tracks whose distances are made by hand, and what they come to at thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import IN_SYNC, OFF_SCREEN, over_time_of

from syncnet.overtime.finding import find_over_time
from syncnet.overtime.judging import judge_file, judge_over_time
from syncnet.overtime.matches import SeenFace
from syncnet.overtime.timeline import Drift, Jump, OffsetAlong, OverTime, Segment
from syncnet.overtime.words import clock, describe_along, describe_share
from syncnet.scoring.turns import TrackTable
from syncnet.settings import OverTimeSettings, Thresholds
from syncnet.verdict import Verdict
from tests.fakes import NoOdds

FPS, EDGE = 25, 5
"""Frames that the lips of a track begin after it, and end before it."""


class Model(NoOdds):
    """Five times the raw confidence."""

    def confidence(self, raw: float, embedding_count: int) -> float:
        return 5 * raw


def face(
    first: int, frames: int, *matches: tuple[int, int, int], side: int = 100, left: int = 0, depth: float = 0.25
) -> SeenFace:
    """A track whose lips fit at (offset, from, to), in frames of the video."""
    rng = np.random.default_rng(first + frames)
    lips = frames - 2 * EDGE
    distances = rng.normal(1.0, 0.1, (31, lips)).astype(np.float32)
    for offset, start, end in matches:
        inside = slice(max(0, start - first - EDGE), max(0, end - first - EDGE))
        distances[15 - offset, inside] -= depth
    boxes = np.tile(np.array([left, 0, left + side, side], np.float32), (frames, 1))
    return SeenFace(first, boxes, TrackTable(first + EDGE, distances, "cosine", 5.0))


def speech(frames: int, *pauses: tuple[int, int]) -> np.ndarray:
    spoken = np.ones(frames, bool)
    for start, end in pauses:
        spoken[start:end] = False
    return spoken


def find(faces: list[SeenFace], spoken: np.ndarray) -> OverTime:
    return find_over_time(faces, Model(), spoken)  # type: ignore[arg-type]


def told(found: OverTime) -> list[tuple[str, float, float, int | None, int | None]]:
    return [(s.kind, s.start_seconds, s.end_seconds, s.track, s.offset_frames) for s in found.segments]


def near(*expected: tuple[str, float, float, int | None, int | None]) -> list[tuple[object, ...]]:
    """Borders within a track are found to some frames."""
    exact = pytest.approx
    return [(kind, exact(start, abs=0.3), exact(end, abs=0.3), *rest) for kind, start, end, *rest in expected]


def test_a_face_in_sync_is_one_segment_from_its_cut_to_its_cut() -> None:
    found = find([face(50, 250, (1, 50, 300))], speech(400, (0, 60), (295, 400)))
    # Lips begin five frames after the cut, speech ends five before the other: both belong to the shot.
    assert told(found) == [("speech", 2.0, 12.0, 0, 1)]
    (segment,) = found.segments
    assert (segment.evidence, segment.box, segment.speech_seconds) == ("strong", (0.0, 0.0, 100.0, 100.0), 235 / 25)
    assert (found.speech_seconds, found.seen_speech_seconds, found.face_seconds) == (9.4, 9.4, 10.0)
    assert found.along.kind == "constant"


def test_a_change_of_offset_ends_a_segment_and_wrong_sound_is_none() -> None:
    found = find([face(0, 750, (0, 0, 250), (-6, 250, 500))], speech(750))
    assert told(found) == near(
        ("speech", 0.0, 10.0, 0, 0), ("speech", 10.0, 20.0, 0, -6), ("no_match", 20.0, 30.0, 0, None)
    )
    (jump,) = found.along.jumps
    assert jump.at_seconds == pytest.approx(10.0, abs=0.3)
    assert jump.after_ms - jump.before_ms == pytest.approx(-240, abs=15)


def test_what_is_weak_counts_at_the_offset_of_the_file_and_nowhere_else() -> None:
    def weak(offset: int, lips: int, *others: SeenFace) -> list[tuple[str, int | None]]:
        """Lips at 1.7 of the spread, each of them worth 0.4 * (1.7 - 0.6)."""
        shallow = face(250, 250, (offset, 350, 350 + lips), depth=0.17)
        segments = find([*others, shallow], speech(500)).segments
        return [(one.evidence, one.offset_frames) for one in segments if one.kind == "speech"][len(others) :]

    sure = face(0, 250, (2, 0, 250))
    # 28 lips are worth 13: too short for evidence of their own, but enough for the offset that the file has.
    assert weak(2, 28) == []
    assert weak(2, 28, sure) == [("weak", 2)]
    # 40 lips are worth 18, which chance reaches too at one of 29 offsets.
    assert weak(-3, 40) == [("weak", -3)]
    assert weak(-3, 40, sure) == []


def test_a_voice_that_fits_by_chance_is_no_jump() -> None:
    faces = [face(0, 250, (0, 0, 250)), face(250, 100, (9, 290, 320)), face(350, 250, (0, 350, 600))]
    assert find(faces, speech(600)).along.kind == "constant"
    # Who is late for the whole shot is.
    faces[1] = face(250, 100, (9, 250, 350))
    assert [round(jump.after_ms, -2) for jump in find(faces, speech(600)).along.jumps] == [400, 0]


def test_pauses_of_more_than_a_second_end_a_segment() -> None:
    for pause, count in ((25, 1), (40, 2)):
        found = find([face(0, 500, (0, 0, 500))], speech(500, (250, 250 + pause)))
        assert [kind for kind, *_ in told(found)] == ["speech"] * count


def test_who_listens_is_no_mismatch_while_another_face_speaks() -> None:
    faces = [face(0, 500, (0, 0, 250), side=200), face(0, 500, (0, 250, 500), left=300)]
    found = find(faces, speech(500))
    assert told(found) == near(("speech", 0.0, 10.0, 0, 0), ("speech", 10.0, 20.0, 1, 0))
    # Where neither does, the larger face is named.
    found = find([face(0, 500, side=200), face(0, 500, left=300)], speech(500))
    assert told(found) == [("no_match", 0.0, 20.0, 0, None)]


def test_speech_without_a_face_is_off_screen() -> None:
    found = find([face(100, 100), face(300, 200, (2, 300, 500))], speech(600, (500, 600)))
    assert told(found) == [
        ("off_screen", 0.0, 4.0, None, None), ("no_match", 4.0, 8.0, 0, None),
        ("off_screen", 8.0, 12.0, None, None), ("speech", 12.0, 20.0, 1, 2),
    ]  # fmt: skip
    assert (found.speech_seconds, found.off_screen_seconds) == (20.0, 8.0)


def test_a_face_without_sound_beside_it_and_a_file_without_faces() -> None:
    silent = SeenFace(0, np.zeros((100, 4), np.float32), None)
    assert told(find([silent], speech(100))) == [("no_match", 0.0, 4.0, 0, None)]
    assert told(find([], speech(100))) == [("off_screen", 0.0, 4.0, None, None)]
    assert find([], speech(0)) == OverTime((), 0.0, 0.0, 0.0, OffsetAlong("none"))


LATE = Segment("speech", 5.0, 9.0, 3.6, 0, (0.0, 0.0, 9.0, 9.0), -6, None, 8.0, "strong", 8, 8)
SHORT = Segment("speech", 9.5, 11.0, 1.4, 0, (0.0, 0.0, 9.0, 9.0), 0, None, 8.0, "weak", 2, 2)


def test_segments_pass_by_the_thresholds_and_sums_follow() -> None:
    over_time = over_time_of(IN_SYNC, OFF_SCREEN, LATE, SHORT)
    judged = judge_over_time(over_time, Thresholds(), OverTimeSettings())
    assert [(one.segment, one.passes) for one in judged.segments] == [
        (IN_SYNC, True), (OFF_SCREEN, False), (LATE, False),
    ]  # fmt: skip
    assert judged.segments[2].reasons == ("offset -6 frames (240 ms, sound late) is beyond 3",)
    # 2.8 of 7.8 s with a face; 2.2 of 10 without.
    assert (judged.in_sync_seconds, judged.coverage, judged.off_screen_share) == (
        3.0, pytest.approx(2.8 / 7.8), pytest.approx(0.22),
    )  # fmt: skip
    wider = judge_over_time(over_time, Thresholds(7.0, 6), OverTimeSettings(min_segment_seconds=1.0))
    assert [one.passes for one in wider.segments] == [True, False, True, True]
    assert wider.in_sync_seconds == 3.0 + 4.0 + 1.5
    strict = judge_over_time(over_time, Thresholds(9.0), OverTimeSettings())
    assert (strict.in_sync_seconds, strict.coverage) == (0.0, 0.0)


def test_two_faces_in_sync_at_once_count_once() -> None:
    twice = over_time_of(IN_SYNC, IN_SYNC)
    assert judge_over_time(twice, Thresholds(), OverTimeSettings()).in_sync_seconds == 3.0


GOOD = Verdict(True, ())


def file_verdict(over_time: OverTime, best: Verdict = GOOD, **settings: float) -> Verdict:
    chosen = OverTimeSettings(**settings)
    return judge_file(best, judge_over_time(over_time, Thresholds(), chosen), Thresholds(), chosen)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"min_coverage": 0.36}, "in sync for 35.9% of the speech with a face in view, 36.0% is needed"),
        ({"min_in_sync_seconds": 3.5}, "in sync for 3.0 s only, 3.5 s are needed"),
        ({"max_off_screen": 0.2}, "no face is seen for 22.0% of the speech, 20.0% is allowed"),
    ],
)
def test_a_share_that_is_missed_is_a_reason(settings: dict[str, float], reason: str) -> None:
    over_time = over_time_of(IN_SYNC, OFF_SCREEN, LATE, SHORT)
    assert file_verdict(over_time) == GOOD
    assert file_verdict(over_time, **settings) == Verdict(False, (reason,))
    (name, limit), *_ = settings.items()
    nearly = limit + 0.02 if name == "max_off_screen" else limit - 0.5 if limit > 1 else limit - 0.002
    assert file_verdict(over_time, **{name: nearly}) == GOOD


def test_a_jump_beyond_the_thresholds_is_told_in_words_of_an_editor() -> None:
    late = OffsetAlong("jumps", None, (Jump(90.2, 88.0, -3.0, -243.0),))
    assert file_verdict(over_time_of(IN_SYNC, along=late)).reasons == ("sound 240 ms late from 1:30 on",)
    cured = OffsetAlong("jumps", None, (Jump(90.2, 88.0, -243.0, 2.0),))
    assert file_verdict(over_time_of(IN_SYNC, along=cured)).reasons == ("sound 240 ms late until 1:28",)
    there_and_back = OffsetAlong("jumps", None, (Jump(90.0, 88.0, 0.0, 320.0), Jump(3700.0, 3699.0, 320.0, 40.0)))
    assert file_verdict(over_time_of(IN_SYNC, along=there_and_back)).reasons == (
        "sound 320 ms early from 1:30 to 1:01:39",
    )
    # From two frames late to two early: both are allowed.
    within = OffsetAlong("jumps", None, (Jump(90.0, 88.0, -80.0, 80.0),))
    assert file_verdict(over_time_of(IN_SYNC, along=within)) == GOOD


def test_the_words_of_the_best_face_are_not_repeated() -> None:
    late = OffsetAlong("jumps", None, (Jump(90.2, 88.0, -3.0, -243.0),))
    own = Verdict(False, ("confidence 4.0 is below 5.0", "the offset changes: +0 from 0.0 s to 88.0 s, -6 from ..."))
    assert file_verdict(over_time_of(IN_SYNC, along=late), own).reasons == (
        "confidence 4.0 is below 5.0",
        "sound 240 ms late from 1:30 on",
    )


def test_a_drift_is_called_one() -> None:
    drift = Drift(-119.6, (-123.0, -116.0), 5.0, -10.0, 178.0, -355.0)
    reasons = file_verdict(over_time_of(IN_SYNC, along=OffsetAlong("drift", drift=drift))).reasons
    assert reasons == ("sound drifts: in sync at 0:05, 360 ms late at 2:58 (120 ms a minute, 0.20 % too slow)",)
    small = Drift(30.0, (28.0, 32.0), 5.0, 0.0, 178.0, 86.0, "")
    assert file_verdict(over_time_of(IN_SYNC, along=OffsetAlong("drift", drift=small))) == GOOD
    named = Drift(60.0, (58.0, 62.0), 5.0, 0.0, 605.0, 600.0, "1000/1001")
    both = OffsetAlong("mixed", None, (Jump(61.0, 60.0, 0.0, 200.0),), named)
    assert file_verdict(over_time_of(IN_SYNC, along=both)).reasons == (
        "sound drifts: in sync at 0:05, 600 ms early at 10:05 (60 ms a minute, 0.10 % too fast, 1000/1001)",
        "the sound jumps at 1:01",
    )


def test_words_for_times_and_shares() -> None:
    assert [clock(seconds) for seconds in (0, 59.6, 89.6, 3725)] == ["0:00", "1:00", "1:30", "1:02:05"]
    assert describe_share(11.2, 73.4) == "in sync for 11 of 73 s"
    assert describe_share(1.26, 5.0) == "in sync for 1.3 of 5.0 s"
    assert describe_along(OffsetAlong("constant", 41.3)) == "sound 40 ms early"
    assert describe_along(OffsetAlong("none")) == ""
