"""``--repair`` in a run, and what results, table and page tell of it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeStages
from page_fakes import make_content
from repair_clips import write_kind
from repair_fakes import score_by_clicks
from test_repair_finding import LATE, WHOLE, known, segment

from syncnet import command
from syncnet.overtime.timeline import OffsetAlong
from syncnet.report.page_data import describe_video


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    write_kind(folder, "MP4/AAC", sound_shift=0.24).rename(folder / "late.mp4")
    write_kind(folder, "MP4/AAC", sound_shift=-0.08).rename(folder / "good.mp4")
    return folder


@pytest.fixture(autouse=True)
def _by_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncnet.stages.choose_stages", lambda _request, _workers: FakeStages())
    monkeypatch.setattr("syncnet.pipeline.score_video", score_by_clicks)


def run(videos: Path, out: Path, *more: str) -> dict[str, dict[str, Any]]:
    assert command.main(["--input_dir", str(videos), "--output_dir", str(out), *more]) == 0
    results = json.loads((out / "sync_filter_results.json").read_text())["results"]
    return {entry["relative_path"]: entry for entry in results}


def below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_what_fails_by_its_offset_is_repaired_and_stays_where_it_was(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    entries = run(videos, out, "--repair")
    assert below(out / "repaired") == ["late.mp4"]
    assert below(out / "good_quality") == ["good.mp4"], "what passes is left alone"
    assert below(out / "poor_quality") == ["late.mp4"]
    told = entries["late.mp4"]["repair"]
    assert (told["path"], told["correction"]) == (str(out / "repaired" / "late.mp4"), "advance the sound by 240 ms")
    assert (told["offset_before_ms"], told["passes"], told["sound"]) == (-240.0, True, "shift")
    assert abs(told["residual_ms"]) < 1
    assert entries["good.mp4"]["repair"] is None
    assert "Repair: 1 repaired, 0 in sync, 0 refused\n  repaired  late.mp4\n" in capsys.readouterr().out
    with (out / "results.csv").open(newline="") as file:
        rows = {Path(row["video_path"]).name: row for row in csv.DictReader(file)}
        assert "curable_by_ms" in rows["late.mp4"]
    assert (rows["late.mp4"]["curable_by_ms"], rows["good.mp4"]["curable_by_ms"]) == ("-240.0", "80.0")


def test_a_second_run_repairs_nothing_again_and_still_tells_of_it(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run(videos, out, "--repair")["late.mp4"]["repair"]
    when = (out / "repaired" / "late.mp4").stat().st_mtime_ns
    assert run(videos, out, "--repair")["late.mp4"]["repair"] == first
    assert run(videos, out)["late.mp4"]["repair"] == first
    assert (out / "repaired" / "late.mp4").stat().st_mtime_ns == when
    assert len((out / "repairs.jsonl").read_text().splitlines()) == 1


def test_repair_and_keep_all_contradict_each_other(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--input_dir", str(videos), "--output_dir", str(tmp_path / "out"), "--repair", "--keep_all"]
    assert command.main(words) == 2
    assert "--repair writes files, and --keep_all writes none" in capsys.readouterr().err


def test_without_the_flag_nothing_is_repaired(videos: Path, tmp_path: Path) -> None:
    assert run(videos, tmp_path / "out")["late.mp4"]["repair"] is None
    assert below(tmp_path / "out" / "repaired") == []


def test_the_page_tells_the_correction_and_its_command_or_why_there_is_none() -> None:
    late = known(LATE, WHOLE)
    fine = known(OffsetAlong("constant", 20.0), segment(1, 50, 20), offset=0)
    content = make_content(Path("out"), [late, fine])
    told = describe_video(replace(late, path=Path("in/it's.mp4")), content)
    assert told["curable"] == "curable: advance the sound by 242 ms"
    # From the folder in which the run was started, to the output folder wherever that is.
    assert told["repair_line"] == (
        "cd /home/someone && python filter_videos_by_sync_score.py repair 'in/it'\"'\"'s.mp4' "
        f"--output_dir {Path('out').absolute()}"
    )
    told = describe_video(fine, content)
    assert told["curable"] == "a repair would leave it as it is: its sound is within 60 ms of the picture"
    assert told["repair_line"] == ""
