"""One video from its score to its place, with a made-up score.

Long because all of it shares one bench: ledger, folders and a store in a temporary folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import av
import numpy as np
import pytest
from fakes import make_score, score_by_name, scored

from syncnet.engines.conclusion import VerdictRules
from syncnet.engines.video import VideoJob, process_video, report_hung, seconds_until_settled
from syncnet.errors import DamagedVideoError, NoAudioStreamError, NotAVideoError
from syncnet.inputs.discovery import VideoFile
from syncnet.keepsake.file import Keepsake, keepsake_path, read_keepsake
from syncnet.placement.folders import prepare_folders
from syncnet.results import VideoResult, VideoScore
from syncnet.settings import Thresholds, TrackSettings
from syncnet.state.ledger import Ledger, open_ledger
from syncnet.state.score_store import ScoreStore
from syncnet.system.interruption import Deadline, Interrupted, StopFlag


class Bench:
    """Videos in a folder, and what the engine makes of them."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.folder = folder
        self.ledger = ledger
        (folder / "in").mkdir()

    def video(self, name: str) -> VideoFile:
        path = self.folder / "in" / name
        path.write_bytes(b"1234567")
        return VideoFile(path, PurePath(name), 7, path.stat().st_mtime_ns)

    def job(self, score: object = score_by_name, *, placing: bool = False, **options: Any) -> VideoJob:
        folders = prepare_folders(self.folder / "in", self.folder / "out", keep_all=False) if placing else None
        rules = VerdictRules(Thresholds(), TrackSettings(), 9, folders, self.ledger)
        return VideoJob(lambda path, stop, _=None: score(path, None, stop), "print", rules, **options)  # type: ignore[operator]

    def process(self, name: str, score: object = score_by_name, **options: Any) -> VideoResult:
        return process_video(self.video(name), self.job(score, **options), StopFlag())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_ledger(tmp_path / "ledger.jsonl") as ledger:
        yield Bench(tmp_path, ledger)


def raising(error: Exception) -> object:
    def score(_path: Path, _stages: None, _stop: StopFlag) -> VideoScore:
        raise error

    return score


# One video


def test_the_best_track_decides_and_all_are_kept(bench: Bench) -> None:
    result = bench.process("fine.mp4")
    assert result.status == "success"
    assert result.passed
    assert result.best is not None
    assert (result.best.confidence, result.best.offset_frames) == (7.5, 1)
    assert len(result.tracks) == 2
    assert (result.error, result.cure) == ("", "")


def test_a_track_whose_confidence_is_no_number_is_never_the_best(bench: Bench) -> None:
    both = scored(make_score(float("nan")), make_score(0.5, 2))
    result = bench.process("a.mp4", lambda *_: both)
    assert result.best is not None
    assert result.best.confidence == 0.5


def test_no_face_is_a_result_with_its_reason_and_what_to_try(bench: Bench) -> None:
    result = bench.process("faceless.mp4")
    assert result.status == "no_faces"
    assert result.error == "only faces smaller than 50 px (largest 31 px)"
    assert result.cure == "try --min_face_size 30"
    assert not result.passed


def test_a_typed_error_brings_its_problem_and_cure(bench: Bench) -> None:
    error = NoAudioStreamError("no sound in it", path="a.mp4", cure="add sound")
    result = bench.process("a.mp4", raising(error))
    assert (result.status, result.error, result.cure) == ("failed", "no sound in it", "add sound")
    assert result.verdict is None


def test_an_unexpected_error_is_one_line_with_its_place(bench: Bench) -> None:
    result = bench.process("a.mp4", raising(IndexError("first\nsecond")))
    assert result.status == "failed"
    assert result.error.startswith("IndexError: first (test_video.py, line ")
    assert "report it" in result.cure


def test_memory_running_out_fails_the_video_only(bench: Bench) -> None:
    result = bench.process("memory.mp4")
    assert (result.status, result.error, result.cure) == ("failed", "not enough memory", "give fewer --max_workers")


def test_sound_that_stands_beside_no_face_is_a_failure_that_keeps_the_tracks(bench: Bench) -> None:
    result = bench.process("a.mp4", lambda *_: scored(None))
    assert (result.status, result.error) == ("failed", "no sound while a face is seen")
    assert len(result.tracks) == 1
    assert result.best is None


def test_a_keyboard_interrupt_is_not_taken_for_a_bad_video(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.process("a.mp4", raising(KeyboardInterrupt()))  # type: ignore[arg-type]


def test_after_a_stop_nothing_is_scored(bench: Bench) -> None:
    stop = StopFlag()
    stop.stop()
    with pytest.raises(Interrupted):
        process_video(bench.video("fine.mp4"), bench.job(), stop)


def test_a_copy_that_fails_makes_the_video_failed_and_keeps_its_score(bench: Bench) -> None:
    (bench.folder / "out" / "good_quality" / "fine.mp4").mkdir(parents=True)
    result = bench.process("fine.mp4", placing=True)
    assert result.status == "failed"
    assert result.failed_now
    assert "already exists and is not a copy of this video" in result.error
    assert result.best is not None
    assert not result.passed
    record = bench.ledger.records["fine.mp4"]
    assert record.score is not None
    assert record.failure == ""


@pytest.mark.parametrize(
    ("name", "place"), [("fine.mp4", ["good_quality"]), ("poor.mp4", ["poor_quality"]), ("faceless.mp4", [])]
)
def test_each_verdict_has_its_folder(bench: Bench, name: str, place: list[str]) -> None:
    assert bench.process(name, placing=True).placed is bool(place)
    assert [copy.parent.name for copy in (bench.folder / "out").rglob(name)] == place


# What is remembered of it


def test_the_record_is_on_the_disk_before_the_video_is_placed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> bool:
        assert b'"kind": "video"' in (bench.folder / "ledger.jsonl").read_bytes().splitlines()[-1]
        raise KeyboardInterrupt

    monkeypatch.setattr("syncnet.engines.conclusion.place_video", killed)
    with pytest.raises(KeyboardInterrupt):
        bench.process("fine.mp4", placing=True)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NoAudioStreamError("no sound in it", path="a.mp4"), "file"),
        (IndexError("odd"), "file"),
        (MemoryError(), "environment"),
        (OSError(28, "No space left on device"), "environment"),
    ],
)
def test_a_failure_is_recorded_with_its_kind(bench: Bench, error: Exception, kind: str) -> None:
    result = bench.process("a.mp4", raising(error))
    record = bench.ledger.records["a.mp4"]
    assert (record.failure, record.error) == (kind, result.error)
    assert result.failed_now
    assert bench.ledger.under_way == {}


def test_an_unreadable_file_is_no_fault_of_the_video(bench: Bench) -> None:
    def score(_path: Path, _stages: None, _stop: StopFlag) -> VideoScore:
        raise NotAVideoError("no permission to read the file", path="a.mp4") from PermissionError()

    bench.process("a.mp4", score)
    assert bench.ledger.records["a.mp4"].failure == "environment"


def test_what_the_decoder_says_of_the_file_is_of_the_file(bench: Bench) -> None:
    def score(_path: Path, _stages: None, _stop: StopFlag) -> VideoScore:
        raise DamagedVideoError("decoding failed", path="a.mp4") from av.error.InvalidDataError(1, "invalid data")

    bench.process("a.mp4", score)
    assert bench.ledger.records["a.mp4"].failure == "file"


@pytest.mark.parametrize("fails", [False, True])
def test_a_file_that_changes_while_it_is_scored_is_left_for_later(bench: Bench, fails: bool) -> None:
    def score(path: Path, _stages: None, _stop: StopFlag) -> VideoScore:
        path.write_bytes(b"longer than before")
        if fails:
            raise DamagedVideoError("half a file", path=path)
        return scored(make_score(7.0))

    result = bench.process("a.mp4", score)
    assert (result.status, result.error) == ("pending", "it changed while it was being scored")
    assert not result.failed_now
    assert bench.ledger.records == {}
    assert bench.ledger.under_way == {}


def test_a_file_that_changed_a_moment_ago_is_left_for_later(bench: Bench) -> None:
    assert bench.process("a.mp4", settle_seconds=1000.0).status == "pending"
    assert bench.process("a.mp4", settle_seconds=0.0).status == "success"


def test_a_time_far_ahead_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.touch()
    os.utime(path, (0, time.time() + 100_000))
    # The inode's own time is a moment ago.
    assert 0 < seconds_until_settled(path, 60.0) <= 60.0
    assert seconds_until_settled(path, 0.0) == 0.0


def test_a_stop_leaves_no_trace(bench: Bench) -> None:
    with pytest.raises(Interrupted):
        bench.process("a.mp4", raising(Interrupted()))  # type: ignore[arg-type]
    assert bench.ledger.records == {}
    assert bench.ledger.under_way == {}


def test_a_ledger_that_cannot_be_written_fails_the_video_and_places_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("syncnet.state.ledger.os.fsync", full)
    result = bench.process("fine.mp4", placing=True)
    assert (result.status, result.error) == ("failed", "no space left on device")
    assert bench.ledger.records == {}
    assert list((bench.folder / "out").rglob("fine.mp4")) == []


def test_a_score_is_found_again_under_another_name(bench: Bench) -> None:
    store = ScoreStore(bench.folder / "scores")
    assert bench.process("fine.mp4", store=store).source == "scored"
    again = bench.process("damaged.mp4", store=store)
    assert (again.source, again.status, again.passed) == ("cache", "success", True)
    assert bench.process("damaged.mp4", store=store, find_again=False).status == "failed"


def test_a_video_over_its_time_is_failed_between_two_frames(bench: Bench) -> None:
    def score(_path: Path, _stages: None, stop: StopFlag) -> VideoScore:
        while True:
            stop.check()

    result = bench.process("a.mp4", score, timeout_seconds=0.05)
    assert (result.error, result.cure) == ("it took longer than 0.05 s", "give a longer --timeout with --retry_failed")
    assert bench.ledger.records["a.mp4"].failure == "file"


def test_a_deadline_is_a_stop_flag_too() -> None:
    stop = StopFlag()
    deadline = Deadline(stop, 1000.0)
    deadline.check()
    assert not deadline.stopped
    stop.stop()
    assert deadline.stopped
    with pytest.raises(Interrupted):
        deadline.check()


def test_a_video_that_hangs_is_recorded_as_one_to_be_tried_alone(bench: Bench) -> None:
    result = report_hung(bench.video("a.mp4"), bench.job(timeout_seconds=5.0))
    assert (result.error, result.failed_now) == ("hangs in the decoder: it did not stop after 5 s", True)
    assert bench.ledger.records["a.mp4"].failure == "crash"


# What is left for looking at


def keeping(*_: object) -> VideoScore:
    nothing = np.empty(0, np.int32)
    return replace(scored(make_score(7.5, 1)), keepsake=Keepsake((), nothing, nothing))


def test_a_scored_video_leaves_a_keepsake_and_its_record_holds_none(bench: Bench) -> None:
    state_dir = bench.folder / "state"
    bench.process("a.mp4", keeping, state_dir=state_dir)
    assert read_keepsake(keepsake_path(state_dir, "a.mp4")) is not None
    score = bench.ledger.records["a.mp4"].score
    assert score is not None
    assert score.keepsake is None


def test_a_score_found_by_its_content_brings_its_keepsake_along(bench: Bench) -> None:
    store, state_dir = ScoreStore(bench.folder / "cache"), bench.folder / "state"
    bench.process("a.mp4", keeping, store=store)
    found = bench.process("b.mp4", raising(ValueError("scored twice")), store=store, state_dir=state_dir)
    assert (found.status, found.source) == ("success", "cache")
    assert read_keepsake(keepsake_path(state_dir, "b.mp4")) is not None


def test_the_pictures_of_an_earlier_version_go(bench: Bench) -> None:
    state_dir = bench.folder / "state"
    bench.process("a.mp4", keeping, state_dir=state_dir)
    bench.process("a.mp4", lambda *_: scored(make_score(7.5)), state_dir=state_dir)
    assert not keepsake_path(state_dir, "a.mp4").exists()


def test_a_keepsake_that_cannot_be_written_fails_no_video(bench: Bench) -> None:
    (bench.folder / "state").write_text("a file in the way")
    result = bench.process("a.mp4", keeping, state_dir=bench.folder / "state")
    assert result.status == "success"
