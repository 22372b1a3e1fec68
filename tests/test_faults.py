"""Quick versions of benchmarks/faults.py: the same cases, with scores that follow from the names of the files."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from folders import make_videos

from benchmarks import faults

pytestmark = pytest.mark.slow

STAND_IN = """
import sys
sys.path[:0] = [{repository!r}, {repository!r} + "/tests"]
from benchmarks import faults_worker
from fakes import FakeStages, load_scorer_by_deed
from syncnet import command
from syncnet import stages as scorer_choice

scorer_choice.choose_stages = lambda request, workers: FakeStages(tracks=request.tracks)
command.load_scorer = load_scorer_by_deed
sys.exit(faults_worker.main())
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[faults.Bench]:
    tmp_path = tmp_path_factory.mktemp("faults")
    names = [f"{kind}_{number}.mp4" for number in range(3) for kind in ("damaged", "faceless", "fine", "poor")]
    make_videos(tmp_path / "in", *names)
    bench = faults.Bench(tmp_path, [sys.executable, "-c", STAND_IN.format(repository=str(repository))])
    bench.prepare()
    yield bench
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == sorted(names)


def test_kills_at_every_stage_are_made_good_by_the_next_run(bench: faults.Bench) -> None:
    aims = ["recording:4:0.0005", "placing:2:0.001", "writing results:1:0"]
    with bench.fresh() as out:
        for aim in aims:
            assert bench.start(out, aim).wait() == -9
        assert bench.finish(out) == []


def test_a_full_disk_is_made_good_when_there_is_room(bench: faults.Bench) -> None:
    finding = faults.fill_the_disk(bench)
    if finding.count.startswith("not tried"):
        pytest.skip(finding.count)
    assert finding.problems == []


def test_of_two_runs_at_once_one_works(bench: faults.Bench) -> None:
    assert faults.run_two_at_once(bench, 1).problems == []


def test_uploads_that_grow_are_whole_in_the_end(bench: faults.Bench) -> None:
    assert faults.grow_uploads(bench, 1).problems == []


def test_the_checks_above_see_what_they_look_for(bench: faults.Bench) -> None:
    with bench.fresh() as out:
        shutil.copytree(bench.reference, out)
        assert faults.problems_of(out, bench.reference, bench.names) == []
        (out / "good_quality" / "fine_0.mp4").write_bytes(b"half")
        (out / "poor_quality" / "poor_1.mp4").unlink()
        (out / "good_quality" / ".sync_filter_x.part").touch()
        ledger = out / ".sync_filter" / "ledger.jsonl"
        lines = ledger.read_bytes().splitlines(keepends=True)
        ledger.write_bytes(b"".join([*lines, *(line for line in lines if b'"kind": "video", "path": "fine_2' in line)]))
        problems = faults.problems_of(out, bench.reference, bench.names)
    assert sorted(problems) == [
        "2 records of fine_2.mp4",
        "good_quality/.sync_filter_x.part differs",
        "good_quality/fine_0.mp4 differs",
        "left over: .sync_filter_x.part",
        "poor_quality/poor_1.mp4 differs",
    ]


def test_a_crash_of_the_process_that_scores_is_made_good_by_the_same_run(bench: faults.Bench) -> None:
    struck = bench.folder / "note.crashed"
    with bench.fresh() as out:
        assert bench.start(out, "crash between stages:5:0").wait() == 1
        assert struck.exists()
        assert faults.problems_of(out, bench.reference, bench.names) == []
