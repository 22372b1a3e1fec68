"""Runs that continue: the command on the same output folder again, with scores that follow from the names.

Long because all of it shares one made-up folder and a scorer that counts.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from fakes import score_by_name
from folders import files_below, gone_in, make_videos, plan_of, results_in, run
from test_records import make_record

from syncnet.engines.conclusion import VerdictRules
from syncnet.engines.video import VideoJob
from syncnet.inputs.discovery import FileIdentity, find_videos
from syncnet.placement.folders import prepare_folders
from syncnet.results import VideoScore
from syncnet.run.session import carry_out
from syncnet.settings import RunOptions, Thresholds, TrackSettings
from syncnet.state.ledger import open_ledger
from syncnet.system.interruption import StopFlag
from syncnet.system.locking import hold


class Scorer:
    """Notes what is scored."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, path: Path, stages: object, stop: StopFlag, _sound: Path | None = None) -> VideoScore:
        self.names.append(path.name)
        return score_by_name(path, stages, stop)

    def take(self) -> list[str]:
        names, self.names = sorted(self.names), []
        return names


@pytest.fixture
def scorer(fake_scoring: None, monkeypatch: pytest.MonkeyPatch) -> Scorer:
    scorer = Scorer()
    monkeypatch.setattr("syncnet.pipeline.score_video", scorer)
    return scorer


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    return make_videos(tmp_path / "in", "damaged.mp4", "faceless.mp4", "fine.mp4", "poor.mp4")


EVERYTHING = ["damaged.mp4", "faceless.mp4", "fine.mp4", "poor.mp4"]
OFF = ("--score_cache", "off")


def test_a_second_run_scores_nothing_and_says_the_same(
    videos: Path, out: Path, scorer: Scorer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(videos, out, *OFF) == 1
    assert scorer.take() == EVERYTHING
    first = results_in(out)
    capsys.readouterr()
    # The failure is of the first run, so this one is fine.
    assert run(videos, out, *OFF) == 0
    assert scorer.take() == []
    second = results_in(out)
    assert second["results"] == first["results"]
    for name in ("total_videos", "good_quality", "poor_quality", "no_faces_detected", "processing_failed"):
        assert second[name] == first[name]
    assert (second["this_run"]["scored"], second["this_run"]["unchanged"]) == (0, 4)
    assert (second["this_run"]["processing_failed"], second["processing_failed"]) == (0, 1)
    assert second["this_run"]["placed"] == 0
    shown = capsys.readouterr()
    assert "This run: 0 scored, 4 known from earlier runs." in shown.out
    assert shown.err == ""


def test_only_what_is_new_or_changed_is_scored(videos: Path, out: Path, scorer: Scorer) -> None:
    run(videos, out, *OFF)
    scorer.take()
    make_videos(videos, "fine_2.mp4")
    (videos / "poor.mp4").write_bytes(b"another take")
    assert run(videos, out, *OFF) == 0
    assert scorer.take() == ["fine_2.mp4", "poor.mp4"]
    assert files_below(out / "good_quality") == ["fine.mp4", "fine_2.mp4"]
    assert (out / "poor_quality" / "poor.mp4").read_bytes() == b"another take"


def test_other_face_gates_score_anew(videos: Path, out: Path, scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    from fakes import FakeStages

    def choose(request: Any, _workers: int) -> FakeStages:
        return FakeStages(tracks=request.tracks)

    monkeypatch.setattr("syncnet.stages.choose_stages", choose)
    run(videos, out, *OFF)
    scorer.take()
    run(videos, out, *OFF, "--min_face_size", "40")
    assert scorer.take() == EVERYTHING


def test_new_thresholds_score_nothing_and_move_the_copies(videos: Path, out: Path, scorer: Scorer) -> None:
    run(videos, out, *OFF)
    scorer.take()
    copy = out / "good_quality" / "fine.mp4"
    number = copy.stat().st_ino
    # Its confidence is 7.5.
    assert run(videos, out, *OFF, "--min_confidence", "7.6") == 0
    assert scorer.take() == []
    assert files_below(out / "good_quality") == []
    assert (out / "poor_quality" / "fine.mp4").stat().st_ino == number
    document = results_in(out)
    assert (document["poor_quality"], document["this_run"]["placed"]) == (2, 1)
    assert run(videos, out, *OFF) == 0
    assert copy.stat().st_ino == number


def test_analysing_first_and_filtering_afterwards(videos: Path, out: Path, scorer: Scorer, tmp_path: Path) -> None:
    run(videos, out, "--keep_all", "--preset", "medium")
    assert files_below(out) == ["sync_filter_results.json"]
    scorer.take()
    assert run(videos, out, "--preset", "high") == 0
    assert files_below(out) == ["good_quality/fine.mp4", "poor_quality/poor.mp4", "sync_filter_results.json"]
    assert scorer.take() == []
    # Into another folder: found again by their content, but for the one that has no score.
    assert run(videos, tmp_path / "other", "--preset", "high") == 1
    assert scorer.take() == ["damaged.mp4"]
    assert files_below(tmp_path / "other")[:2] == ["good_quality/fine.mp4", "poor_quality/poor.mp4"]
    assert results_in(tmp_path / "other")["this_run"]["found_again"] == 3


def test_the_cache_is_where_it_was_asked_for(videos: Path, out: Path, scorer: Scorer, tmp_path: Path) -> None:
    run(videos, out, "--score_cache", str(tmp_path / "cache"))
    assert len(files_below(tmp_path / "cache")) == 3
    assert not (Path(os.environ["XDG_CACHE_HOME"]) / "sync_filter").exists()


def test_an_account_without_a_home_does_without_the_cache(
    videos: Path, out: Path, scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert run(videos, out) == 1
    assert scorer.take() == EVERYTHING
    assert run(videos, out, "--score_cache", str(tmp_path / "file" / "scores")) == 2


def test_rescan_forgets_also_what_the_cache_knows(videos: Path, out: Path, scorer: Scorer) -> None:
    run(videos, out)
    scorer.take()
    assert run(videos, out, "--rescan") == 1
    assert scorer.take() == EVERYTHING


def test_a_failure_is_tried_again_only_where_that_may_help(tmp_path: Path, out: Path, scorer: Scorer) -> None:
    videos = make_videos(tmp_path / "in", "damaged.mp4", "memory.mp4")
    assert run(videos, out) == 1
    scorer.take()
    assert run(videos, out) == 1
    assert scorer.take() == ["memory.mp4"]
    assert run(videos, out, "--retry_failed") == 1
    assert scorer.take() == ["damaged.mp4", "memory.mp4"]
    (videos / "memory.mp4").unlink()
    assert run(videos, out) == 0


def test_a_limit_is_for_new_videos_and_the_rest_comes_later(videos: Path, out: Path, scorer: Scorer) -> None:
    assert run(videos, out, *OFF, "--limit", "2") == 1
    assert scorer.take() == ["damaged.mp4", "faceless.mp4"]
    document = results_in(out)
    assert (document["total_videos"], document["not_processed"], document["this_run"]["left_for_later"]) == (4, 2, 2)
    assert run(videos, out, *OFF, "--limit", "2") == 0
    assert scorer.take() == ["fine.mp4", "poor.mp4"]
    assert results_in(out)["not_processed"] == 0


def test_what_changed_a_moment_ago_waits(videos: Path, out: Path, scorer: Scorer) -> None:
    assert run(videos, out, "--settle", "1000") == 0
    document = results_in(out)
    assert [Path(entry["path"]).name for entry in document["pending"]] == EVERYTHING
    assert (document["total_videos"], document["not_processed"], document["results"]) == (4, 0, [])
    assert scorer.take() == []


def test_a_deleted_video_keeps_its_record_and_its_copy(videos: Path, out: Path, scorer: Scorer) -> None:
    run(videos, out, *OFF)
    (videos / "fine.mp4").unlink()
    assert run(videos, out, *OFF, "--preset", "strict") == 0
    document = results_in(out)
    assert [entry["relative_path"] for entry in document["results"]] == ["damaged.mp4", "faceless.mp4", "poor.mp4"]
    assert (document["total_videos"], gone_in(out), document["not_processed"]) == (3, ["fine.mp4"], 0)
    assert files_below(out / "poor_quality") == ["fine.mp4", "poor.mp4"]


def test_what_is_only_not_looked_at_is_not_missing(tmp_path: Path, out: Path, scorer: Scorer) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "sub/fine.mp4")
    run(videos, out, "--recursive")
    run(videos, out)
    document = results_in(out)
    assert (document["total_videos"], document["gone"], len(document["results"])) == (1, [], 1)


def test_moved_videos_are_known_and_follow_their_verdict(videos: Path, out: Path, scorer: Scorer) -> None:
    run(videos, out, *OFF, "--place", "move")
    assert files_below(videos) == ["damaged.mp4", "faceless.mp4"]
    scorer.take()
    assert run(videos, out, *OFF, "--place", "move", "--preset", "strict") == 0
    document = results_in(out)
    assert (document["total_videos"], document["gone"], document["poor_quality"]) == (4, [], 2)
    assert files_below(out / "poor_quality") == ["fine.mp4", "poor.mp4"]
    assert scorer.take() == []


def test_a_kill_between_record_and_copy_is_made_good(videos: Path, out: Path, scorer: Scorer) -> None:
    run(videos, out, *OFF)
    shutil.rmtree(out / "good_quality")
    scorer.take()
    assert run(videos, out, *OFF) == 0
    assert files_below(out / "good_quality") == ["fine.mp4"]
    assert scorer.take() == []


def test_a_torn_ledger_costs_only_its_last_video(videos: Path, out: Path, scorer: Scorer) -> None:
    run(videos, out, *OFF, "--max_workers", "1")
    ledger = out / ".sync_filter" / "ledger.jsonl"
    text = ledger.read_bytes()
    os.truncate(ledger, text.index(b"\n", text.rindex(b'{"kind": "video"')) - 7)
    scorer.take()
    assert run(videos, out, *OFF) == 0
    # In a child process: it was under way when the ledger ends.
    assert scorer.take() == []
    assert results_in(out)["this_run"]["scored"] == 1
    kinds = [json.loads(line)["kind"] for line in ledger.read_text().splitlines()]
    assert kinds.count("video") == 4


def test_a_damaged_ledger_is_told(videos: Path, out: Path, scorer: Scorer) -> None:
    run(videos, out, *OFF, "--max_workers", "1")
    ledger = out / ".sync_filter" / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    (fine,) = (number for number, line in enumerate(lines) if b'"video"' in line and b'"fine.mp4"' in line)
    lines[fine] = b"\x00" * 100 + b"\n"
    ledger.write_bytes(b"".join(lines))
    assert run(videos, out, *OFF) == 0
    assert "Lines of the ledger that cannot be read: 1. Their videos were scored again." in results_in(out)["notices"]
    assert results_in(out)["this_run"]["scored"] == 1


def test_a_stopped_run_still_tells_what_is_known(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "a.mp4", "b.mp4", "c.mp4")
    found = find_videos(videos, recursive=False)
    stop = StopFlag()
    stop.stop()
    with open_ledger(tmp_path / "ledger.jsonl") as ledger:
        for video in found.videos[:2]:
            ledger.add(make_record(str(video.relative_path), identity=video.identity))
        ledger.add(make_record("gone.mp4"))
        folders = prepare_folders(videos, tmp_path / "out", keep_all=False)
        rules = VerdictRules(Thresholds(), TrackSettings(), 9, folders, ledger)
        job = VideoJob(lambda path, flag: score_by_name(path, None, flag), "f" * 64, rules)
        plan = plan_of(found, videos, ledger, job.fingerprint, RunOptions())
        outcome = carry_out(
            plan,
            job,
            lambda: job.score,
            workers=1,
            isolate=False,
            stop=stop,
            on_result=lambda _: None,
        )
    assert [(result.path.name, result.passed, result.missing) for result in outcome.results] == [
        ("a.mp4", True, False), ("b.mp4", True, False), ("gone.mp4", True, True),
    ]  # fmt: skip
    assert files_below(tmp_path / "out") == []


def test_a_second_run_at_once_is_exit_code_75(
    videos: Path, out: Path, scorer: Scorer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(videos, out)
    before = results_in(out)
    capsys.readouterr()
    with hold(out / ".sync_filter" / "lock"):
        assert run(videos, out) == 75
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert f"another run is using {out} (pid {os.getpid()} on " in line
    assert results_in(out) == before


def test_a_file_in_the_way_fails_in_every_run_and_is_left(videos: Path, out: Path, scorer: Scorer) -> None:
    foreign = make_videos(out / "good_quality", "fine.mp4") / "fine.mp4"
    foreign.write_bytes(b"precious")
    (videos / "damaged.mp4").unlink()
    for _ in range(2):
        assert run(videos, out, *OFF) == 1
        (entry,) = (entry for entry in results_in(out)["results"] if entry["status"] == "failed")
        assert "already exists and is not a copy of this video" in entry["error"]
        assert entry["confidence"] == 7.5
    assert foreign.read_bytes() == b"precious"
    assert scorer.take() == ["faceless.mp4", "fine.mp4", "poor.mp4"]
    foreign.unlink()
    assert run(videos, out, *OFF) == 0
    assert foreign.read_bytes() == b"fine.mp4"


def test_the_results_file_is_kept_up_to_date_within_a_run(
    tmp_path: Path, out: Path, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[bool, int, int]] = []

    def note(document: dict[str, object], _path: Path) -> None:
        results = document["results"]
        assert isinstance(results, list)
        written.append((bool(document["complete"]), len(results), int(str(document["not_processed"]))))

    monkeypatch.setattr("syncnet.report.keeper.write_results", note)
    monkeypatch.setattr("syncnet.report.results.write_results", note)
    monkeypatch.setattr("syncnet.report.keeper.MOST_SHARE_OF_TIME", float("inf"))
    videos = make_videos(tmp_path / "in", *(f"fine_{number:02}.mp4" for number in range(25)))
    run(videos, out, *OFF)
    assert written == [(False, 1, 24), (False, 11, 14), (False, 21, 4), (True, 25, 0)]


def test_what_was_under_way_at_a_kill_is_tried_alone_and_last(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "a.mp4", "b.mp4", "c.mp4", "d.mp4")
    found = find_videos(videos, recursive=False)
    identities = [video.identity for video in found.videos]
    with open_ledger(tmp_path / "ledger.jsonl") as ledger:
        ledger.note_started("a.mp4", identities[0])
        # It has changed since.
        ledger.note_started("b.mp4", FileIdentity(1, 1))
        ledger.add(make_record("c.mp4", identity=identities[2], score=None, failure="killed"))
        ledger.add(make_record("d.mp4", identity=identities[3], score=None, failure="crash"))
    with open_ledger(tmp_path / "ledger.jsonl") as ledger:
        plan = plan_of(found, videos, ledger, "f" * 64, RunOptions())
        assert [video.path.name for video in plan.alone] == ["a.mp4", "c.mp4"]
        assert [video.path.name for video in plan.new] == ["b.mp4"]
        assert [record.path for record, _ in plan.known] == ["d.mp4"]
        plan = plan_of(found, videos, ledger, "f" * 64, RunOptions(retry_failed=True, limit=2))
        assert [video.path.name for video in [*plan.alone, *plan.new]] == ["a.mp4", "b.mp4"]
        assert plan.left_for_later == 2
        plan = plan_of(found, videos, ledger, "f" * 64, RunOptions(retry_failed=True))
        assert [video.path.name for video in plan.alone] == ["a.mp4", "c.mp4", "d.mp4"]
