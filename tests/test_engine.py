from __future__ import annotations

import threading
from pathlib import Path, PurePath

import cv2
import pytest
import torch
from fakes import faceless, make_score, score_by_name, scored, successful

from syncnet.discovery import VideoFile
from syncnet.engines import VideoJob, VideoResult, process_video, threads
from syncnet.engines.cores import count_cores
from syncnet.engines.threads import run_in_threads, share_cores
from syncnet.errors import NoAudioStreamError
from syncnet.interruption import Interrupted, StopFlag
from syncnet.pipeline import VideoScore
from syncnet.placement import OutputFolders, prepare_folders
from syncnet.settings import Thresholds, TrackSettings


def job(score: object = score_by_name, folders: OutputFolders | None = None) -> VideoJob:
    return VideoJob(
        score=lambda path, stop: score(path, None, stop),  # type: ignore[operator]
        thresholds=Thresholds(),
        tracks=TrackSettings(),
        least_track_frames=9,
        folders=folders,
    )


def video(name: str) -> VideoFile:
    return VideoFile(Path("in") / name, PurePath(name), 7)


def raising(error: Exception) -> object:
    def score(_path: Path, _stages: None, _stop: StopFlag) -> VideoScore:
        raise error

    return score


# One video


def test_the_best_track_decides_and_all_are_kept() -> None:
    result = process_video(video("fine.mp4"), job(), StopFlag())
    assert result.status == "success"
    assert result.passed
    assert result.best is not None
    assert (result.best.confidence, result.best.offset_frames) == (7.5, 1)
    assert len(result.tracks) == 2
    assert (result.error, result.cure) == ("", "")


def test_a_track_whose_confidence_is_no_number_is_never_the_best() -> None:
    both = scored(make_score(float("nan")), make_score(0.5, 2))
    result = process_video(video("a.mp4"), job(lambda *_: both), StopFlag())
    assert result.best is not None
    assert result.best.confidence == 0.5


def test_no_face_is_a_result_with_its_reason_and_what_to_try() -> None:
    result = process_video(video("faceless.mp4"), job(), StopFlag())
    assert result.status == "no_faces"
    assert result.error == "only faces smaller than 50 px (largest 31 px)"
    assert result.cure == "try --min_face_size 30"
    assert not result.passed


def test_a_typed_error_brings_its_problem_and_cure() -> None:
    error = NoAudioStreamError("no sound in it", path="a.mp4", cure="add sound")
    result = process_video(video("a.mp4"), job(raising(error)), StopFlag())
    assert (result.status, result.error, result.cure) == ("failed", "no sound in it", "add sound")
    assert result.verdict is None


def test_an_unexpected_error_is_one_line_with_its_place() -> None:
    result = process_video(video("a.mp4"), job(raising(IndexError("first\nsecond"))), StopFlag())
    assert result.status == "failed"
    assert result.error.startswith("IndexError: first (test_engine.py, line ")
    assert "report it" in result.cure


def test_memory_running_out_fails_the_video_only() -> None:
    result = process_video(video("memory.mp4"), job(), StopFlag())
    assert (result.status, result.error, result.cure) == ("failed", "not enough memory", "give fewer --max_workers")


def test_sound_that_stands_beside_no_face_is_a_failure_that_keeps_the_tracks() -> None:
    result = process_video(video("a.mp4"), job(lambda *_: scored(None)), StopFlag())
    assert (result.status, result.error) == ("failed", "no sound while a face is seen")
    assert len(result.tracks) == 1
    assert result.best is None


def test_a_keyboard_interrupt_is_not_taken_for_a_bad_video() -> None:
    with pytest.raises(KeyboardInterrupt):
        process_video(video("a.mp4"), job(raising(KeyboardInterrupt())), StopFlag())  # type: ignore[arg-type]


def test_after_a_stop_nothing_is_scored() -> None:
    stop = StopFlag()
    stop.stop()
    with pytest.raises(Interrupted):
        process_video(video("fine.mp4"), job(), stop)


def test_a_copy_that_fails_makes_the_video_failed_and_keeps_its_score(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    folders = prepare_folders(tmp_path / "in", tmp_path / "out", keep_all=False)
    missing = VideoFile(tmp_path / "in" / "fine.mp4", PurePath("fine.mp4"), 7)
    result = process_video(missing, job(folders=folders), StopFlag())
    assert result.status == "failed"
    assert result.error == "could not be copied: no such file or directory"
    assert result.best is not None
    assert not result.passed


@pytest.mark.parametrize(
    ("name", "place"), [("fine.mp4", ["good_quality"]), ("poor.mp4", ["poor_quality"]), ("faceless.mp4", [])]
)
def test_each_verdict_has_its_folder(tmp_path: Path, name: str, place: list[str]) -> None:
    path = tmp_path / "in" / name
    path.parent.mkdir()
    path.write_bytes(b"1234567")
    folders = prepare_folders(path.parent, tmp_path / "out", keep_all=False)
    process_video(VideoFile(path, PurePath(name), 7), job(folders=folders), StopFlag())
    assert [copy.parent.name for copy in (tmp_path / "out").rglob(name)] == place


# Many videos


def run(work: object, count: int, workers: int, stop: StopFlag | None = None, **options: float) -> threads.Batch:
    videos = [video(f"{number}.mp4") for number in range(count)]
    return run_in_threads(
        videos,
        work,  # type: ignore[arg-type]
        workers=workers,
        stop=stop or StopFlag(),
        on_result=lambda _: None,
        **options,
    )


def result_of(item: VideoFile) -> VideoResult:
    return successful(str(item.relative_path), make_score(7.0))


def test_results_are_in_path_order_whatever_finishes_first() -> None:
    second_done = threading.Event()

    def work(item: VideoFile) -> VideoResult:
        if item.path.name == "0.mp4":
            assert second_done.wait(60)
        return result_of(item)

    heard: list[str] = []

    def hear(result: VideoResult) -> None:
        heard.append(result.path.name)
        if result.path.name == "1.mp4":
            second_done.set()

    batch = run_in_threads(
        [video("0.mp4"), video("1.mp4"), video("2.mp4")],
        work,
        workers=2,
        stop=StopFlag(),
        on_result=hear,
    )
    assert [result.path.name for result in batch.results] == ["0.mp4", "1.mp4", "2.mp4"]
    assert sorted(heard) == ["0.mp4", "1.mp4", "2.mp4"]
    assert heard.index("1.mp4") < heard.index("0.mp4")
    assert batch.abandoned == 0


def test_as_many_at_once_as_there_are_workers() -> None:
    # Three threads meet at the barrier; with fewer workers it would break after its time-out.
    barrier = threading.Barrier(3, timeout=60)

    def work(item: VideoFile) -> VideoResult:
        barrier.wait()
        return result_of(item)

    assert len(run(work, 6, 3).results) == 6


def test_no_videos_are_no_results() -> None:
    assert run(result_of, 0, 1) == threads.Batch([], 0)


def test_a_stop_keeps_what_is_finished_and_starts_nothing_more() -> None:
    stop = StopFlag()
    started: list[str] = []

    def work(item: VideoFile) -> VideoResult:
        stop.check()
        started.append(item.path.name)
        if item.path.name == "1.mp4":
            stop.stop()
            raise Interrupted
        return result_of(item)

    batch = run(work, 50, 1, stop)
    assert [result.path.name for result in batch.results] == ["0.mp4"]
    assert started == ["0.mp4", "1.mp4"]
    assert batch.abandoned == 0


def test_a_video_under_way_may_finish_within_the_grace() -> None:
    stop = StopFlag()

    def work(item: VideoFile) -> VideoResult:
        stop.stop()
        return result_of(item)

    assert len(run(work, 1, 1, stop).results) == 1


def test_a_thread_that_hangs_is_left_behind_after_the_grace() -> None:
    stop, release = StopFlag(), threading.Event()

    def work(item: VideoFile) -> VideoResult:
        stop.stop()
        release.wait(60)
        return result_of(item)

    batch = run(work, 3, 1, stop, grace_seconds=0.0)
    release.set()
    assert batch == threads.Batch([], 1)


# Cores


def test_each_worker_gets_its_share_of_the_cores_in_its_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads(), cv2.getNumThreads()
    monkeypatch.setattr(threads, "count_cores", lambda: 7)
    seen: list[int] = []

    def work(item: VideoFile) -> VideoResult:
        # Torch learns its number of threads at the first parallel work of each thread.
        torch.ones(10).sum()
        seen.append(torch.get_num_threads())
        return faceless(item.path.name)

    try:
        assert share_cores(2) == 3
        run(work, 2, 2)
        assert seen == [3, 3]
        assert cv2.getNumThreads() == 3
        assert share_cores(50) == 1
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


@pytest.mark.parametrize(
    ("quota", "cores"), [("max 100000", 64), ("150000 100000", 2), ("50000 100000", 1), ("9900000 100000", 64)]
)
def test_a_cgroup_quota_limits_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(64)), raising=False)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "cpu.max").write_text(f"{quota}\n")
    (tmp_path / "own").write_text("0::/a/b\n")
    assert count_cores(tmp_path, tmp_path / "own") == cores


def test_a_quota_of_the_first_kind_of_cgroup_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(64)), raising=False)
    folder = tmp_path / "cpu" / "docker"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("400000\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "own").write_text("7:memory:/docker\n3:cpu,cpuacct:/docker\n")
    assert count_cores(tmp_path, tmp_path / "own") == 4


def test_without_cgroups_the_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 5, 6}, raising=False)
    assert count_cores(tmp_path, tmp_path / "none") == 3
