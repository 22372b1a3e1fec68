"""Files of a user in the output folder: what the tool did not write is never written over."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from folders import files_below, make_videos, results_in, run

pytestmark = pytest.mark.usefixtures("fake_scoring")
OFF = ("--score_cache", "off")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


USERS_OWN = {
    "sync_filter_results.json": ((), b'{"filter_settings": {"min_confidence": 5.0}, "results": []}'),
    "results.csv": ((), b"video,score\na.mp4,3\n"),
    "segments.csv": ((), b"video,from,to\na.mp4,3,4\n"),
    "segments.parquet": (("--table", "parquet"), b"PAR1 of somebody"),
    "results.parquet": (("--table", "parquet"), b"PAR1 of somebody"),
    "report.html": ((), b"<title>Quarterly report</title>"),
    "visualized/fine.mp4.mp4": (("--visualize", "all"), b"drawn by hand"),
    "syncnet_outputs/fine.mp4/analysis/tracks.json": (("--save_outputs",), b"{}"),
}


@pytest.mark.parametrize("keep_all", [False, True])
@pytest.mark.parametrize("name", USERS_OWN)
def test_a_file_of_the_users_in_the_place_of_an_output_is_refused_before_any_work(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], name: str, keep_all: bool
) -> None:
    flags, data = USERS_OWN[name]
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    videos = make_videos(tmp_path / "in", "fine.mp4")
    make_videos(out, name)
    (out / name).write_bytes(data)
    assert run(videos, out, *OFF, *flags, *(["--keep_all"] if keep_all else [])) == 2
    assert {path: (out / path).read_bytes() for path in files_below(out)} == (
        {name: data} if Path(name).name not in ("results.csv", "segments.csv", "report.html") else {}
    )
    assert (out / name).read_bytes() == data
    top = out / Path(name).parts[0]
    assert f"{top} was not written by this tool: move it away, or give another --output_dir" in capsys.readouterr().err
    # Where it is not asked for it does not stand in the way.
    if flags:
        assert run(videos, out, *OFF) == 0
        assert (out / name).read_bytes() == data
    else:
        shutil.move(top, tmp_path / "away")
        assert run(videos, out, *OFF) == 0
        assert run(videos, out, *OFF) == 0, "what the tool wrote itself is no hindrance"


def test_a_report_that_comes_while_a_run_is_under_way_is_left(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    from fakes import score_by_name

    def meanwhile(*arguments: Any) -> object:
        (out / "results.csv").write_bytes(b"precious")
        return score_by_name(*arguments)

    monkeypatch.setattr("syncnet.pipeline.score_video", meanwhile)
    assert run(videos, out, *OFF) == 0
    assert (out / "results.csv").read_bytes() == b"precious"
    assert "results.csv: it was not written by this tool" in capsys.readouterr().err
    assert results_in(out)["good_quality"] == 1


def test_tables_and_pages_of_earlier_versions_are_the_tools_own(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, out, *OFF) == 0
    table = (out / "results.csv").read_text().splitlines()
    (out / "results.csv").write_text("\n".join(",".join(line.split(",")[:20]) for line in table) + "\n")
    assert run(videos, out, *OFF) == 0
    (out / "results.csv").write_bytes(b"")
    assert run(videos, out, *OFF) == 0
    assert (out / "results.csv").read_text().splitlines() == table
