from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
from fakes import INFO, FakeStages, make_score, scored

from syncnet.faces.no_track import MissedGate, NoTrackReason
from syncnet.inputs.discovery import FileIdentity
from syncnet.results import VideoScore
from syncnet.scoring.evidence import Evidence, OffsetPiece
from syncnet.scoring.score import SyncScore
from syncnet.scoring.timing import Timing
from syncnet.settings import DetectSettings, ShotSettings, TrackSettings
from syncnet.state.codec import from_plain, to_plain
from syncnet.state.records import (
    VideoRecord,
    fingerprint_of,
    read_record,
    record_to_plain,
    score_from_plain,
)


def through_json(plain: Any) -> Any:
    return json.loads(json.dumps(plain, allow_nan=False))


def make_record(path: str = "sub/a.mp4", **changes: Any) -> VideoRecord:
    values: dict[str, Any] = {
        "path": path,
        "identity": FileIdentity(12, 1_700_000_000_123_456_789),
        "fingerprint": "f" * 64,
        "score": scored(make_score(7.5, 1)),
        "seconds": 1.25,
    }
    return VideoRecord(**{**values, **changes})


def test_a_score_comes_back_to_the_last_bit() -> None:
    curve = np.linspace(0.1, 1 / 3, 31).astype(np.float32)
    curve[4] = np.nan
    evidence = Evidence("weak", "few windows", 7, 3, (OffsetPiece(0.0, 2.5, -3), OffsetPiece(2.5, 4.0, 1)))
    score = SyncScore(-3, 0.1 + 0.2, float(np.float32(1.1)), curve, evidence)
    record = make_record(score=scored(score, None))
    back = from_plain(VideoRecord, through_json(record_to_plain(record)))
    assert back.score is not None
    first, second = back.score.tracks
    assert second.score is None
    assert first.score is not None
    assert (first.first_frame, first.frame_count, first.mean_box) == (0, 100, (10.2, 20.7, 110.4, 140.6))
    assert (first.score.offset_frames, first.score.confidence, first.score.min_distance) == (
        -3, 0.1 + 0.2, float(np.float32(1.1)),
    )  # fmt: skip
    assert first.score.curve.dtype == np.float32
    np.testing.assert_array_equal(first.score.curve, curve)
    assert first.score.evidence == evidence
    assert back.score.info == INFO
    assert (back.path, back.identity, back.fingerprint, back.seconds) == (
        "sub/a.mp4", FileIdentity(12, 1_700_000_000_123_456_789), "f" * 64, 1.25,
    )  # fmt: skip


@pytest.mark.parametrize("interval", [None, (-3.25, 10.5)])
def test_timing_comes_back(interval: tuple[float, float] | None) -> None:
    timing = Timing(1.5, interval)
    back = from_plain(
        VideoRecord, through_json(record_to_plain(make_record(score=scored(make_score(1.0, timing=timing)))))
    )
    assert back.score is not None
    assert back.score.tracks[0].score is not None
    assert back.score.tracks[0].score.timing == timing


def test_numbers_that_are_none_become_null_and_come_back() -> None:
    plain = record_to_plain(make_record(score=scored(make_score(math.nan))))
    assert plain["score"]["tracks"][0]["score"]["confidence"] is None
    back = from_plain(VideoRecord, through_json(plain))
    assert back.score is not None
    assert back.score.tracks[0].score is not None
    assert math.isnan(back.score.tracks[0].score.confidence)


def test_names_of_any_bytes_come_back() -> None:
    name = os.fsdecode(b'caf\xc3\xa9 \xff\n".mp4')
    assert from_plain(VideoRecord, through_json(record_to_plain(make_record(name)))).path == name


def test_a_failure_comes_back() -> None:
    record = make_record(score=None, failure="environment", error="disk full", cure="free some space")
    assert from_plain(VideoRecord, through_json(record_to_plain(record))) == record


@dataclass(frozen=True)
class Small:
    number: int
    word: Literal["a", "b"] = "a"


def test_unknown_fields_are_left_out_and_absent_ones_take_their_default() -> None:
    assert from_plain(Small, {"number": 3, "newer": True}) == Small(3, "a")


@pytest.mark.parametrize(
    "plain", [None, [], {}, {"number": "3"}, {"number": True}, {"number": None}, {"number": 3, "word": "c"}]
)
def test_what_does_not_fit_is_refused(plain: Any) -> None:
    with pytest.raises(ValueError, match=r"Small|belongs|none of"):
        from_plain(Small, plain)


@pytest.mark.parametrize(
    ("path", "value"),
    [(("identity", "size"), None), (("score", "tracks"), {}), (("score", "tracks", 0, "mean_box"), [1, 2, 3])],
)
def test_a_record_that_is_not_whole_is_refused(path: tuple[Any, ...], value: Any) -> None:
    plain = through_json(record_to_plain(make_record()))
    inner = plain
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(ValueError, match=r"belong|no list"):
        from_plain(VideoRecord, plain)


def test_a_view_that_there_is_not_is_refused() -> None:
    plain = through_json(to_plain(scored(make_score(2.0, 1))))
    assert score_from_plain({**plain, "seen_as": "left"}).seen_as == "left"
    with pytest.raises(ValueError, match="sideways"):
        score_from_plain({**plain, "seen_as": "sideways"})


HOLED_CURVE = np.where(np.arange(31) == 1, np.nan, 1 / 3).astype(np.float32)


@pytest.mark.parametrize(
    "record",
    [
        make_record(score=scored(make_score(0.1 + 0.2, -3, timing=Timing(1.5, (-3.25, 10.5))), None)),
        make_record(
            score=scored(make_score(7.0, evidence=Evidence("weak", "few", 7, 3, (OffsetPiece(0.0, 2.5, -3),))))
        ),
        make_record(score=scored(make_score(math.nan))),
        make_record(score=VideoScore(INFO, (), NoTrackReason(MissedGate(50, 31), MissedGate(50, 7), beyond=True))),
        make_record(score=scored(SyncScore(1, 2.0, 0.5, HOLED_CURVE)), peak_memory_mb=300),
        make_record(score=None, failure="file", error="no sound", cure="add sound"),
        make_record(os.fsdecode(b"caf\xc3\xa9 \xff.mp4")),
    ],
)
def test_a_line_read_quickly_gives_what_its_values_give(record: VideoRecord) -> None:
    plain = through_json({"kind": "video", **record_to_plain(record)})
    quick = read_record(json.dumps(plain).encode("ascii"))
    slow = from_plain(VideoRecord, plain)
    # Texts, since no number equals itself where it is none.
    assert repr(quick) == repr(slow)
    assert quick.path == record.path
    for one in quick.score.tracks if quick.score else ():
        assert one.score is None or one.score.curve.dtype == np.float32


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("no face seen", NoTrackReason()),
        ("only faces smaller than 50 px (largest 31 px)", NoTrackReason(face_px=MissedGate(50, 31))),
    ],
)
def test_records_of_earlier_versions_hold_the_reason_in_words(sentence: str, reason: NoTrackReason) -> None:
    plain = through_json(record_to_plain(make_record(score=scored())))
    del plain["score"]["no_track"]
    plain["score"]["no_track_reason"] = sentence
    for score in (read_record(json.dumps(plain).encode("ascii")).score, score_from_plain(plain["score"])):
        assert score is not None
        assert score.no_track == reason


@pytest.mark.parametrize("text", [b"", b"[]", b'{"path": "a"}', b"\xff", b"{"])
def test_a_line_that_is_no_record_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_record(text)


@pytest.mark.parametrize("value", ["1.5", True, [1.0]])
def test_what_only_looks_like_a_number_is_refused(value: Any) -> None:
    plain = record_to_plain(make_record())
    plain["score"]["tracks"][0]["score"]["curve"][3] = value
    with pytest.raises(ValueError, match="where a number belongs"):
        read_record(json.dumps(plain).encode("ascii"))


def test_what_json_does_not_know_is_no_value() -> None:
    with pytest.raises(TypeError, match="set has no place in a record"):
        to_plain({1})


def test_the_fingerprint_tells_everything_apart_that_a_score_depends_on() -> None:
    def changed(**values: Any) -> str:
        return fingerprint_of(FakeStages(**values))

    other_model = FakeStages()
    other_model.model.identity = "c" * 64
    other_detector = FakeStages()
    other_detector.detector.name = "another"
    fingerprints = [
        changed(),
        changed(tracks=TrackSettings(min_face_px=49)),
        changed(tracks=TrackSettings(min_track_frames=49)),
        changed(detect=DetectSettings(detect_every_frames=1)),
        changed(shots=ShotSettings(20.0)),
        fingerprint_of(other_model),
        fingerprint_of(other_detector),
        fingerprint_of(FakeStages(), {"reference": True}),
    ]
    assert len(set(fingerprints)) == len(fingerprints)
    assert changed() == fingerprints[0]
