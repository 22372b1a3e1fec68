from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import ONE_OF_EACH
from folders import make_videos, run
from page_fakes import make_content, make_keepsake, with_score

from syncnet import command
from syncnet.errors import UsageError
from syncnet.keepsake.file import keepsake_path, write_keepsake
from syncnet.report.montage import MOST_VIDEOS, choose_videos, describe, read_strip, write_montage
from syncnet.settings import Thresholds


def test_the_nearest_to_the_thresholds_are_chosen_in_their_order(tmp_path: Path) -> None:
    results = [with_score(f"{number:02d}.mp4", 5.0 + 0.1 * number) for number in range(30)]
    results += [with_score("below.mp4", 4.75), with_score("odd.mp4", math.nan), *ONE_OF_EACH[2:]]
    chosen = choose_videos(make_content(tmp_path, results, Thresholds(5.0, 3)))
    names = [str(result.relative_path) for result in chosen]
    assert len(names) == MOST_VIDEOS
    # An offset of 0 needs four frames to leave its limits of 3; so confidence decides among these.
    assert names[:5] == ["00.mp4", "01.mp4", "02.mp4", "below.mp4", "03.mp4"]


def test_the_words_say_verdict_and_offset() -> None:
    assert describe(with_score("a.mp4", 4.04, 6), 5.0)[0] == "a.mp4   4.0, sound 240 ms early: does not pass"
    assert describe(with_score("a.mp4", 7.0), 5.0)[0] == "a.mp4   7.0, in sync: passes"


def test_the_strip_is_that_of_the_keepsake(tmp_path: Path) -> None:
    result = with_score("a.mp4", 7.0)
    content = make_content(tmp_path, [result])
    assert read_strip(result, content) is None
    write_keepsake(keepsake_path(content.folders.state_dir, "a.mp4"), make_keepsake())
    strip = read_strip(result, content)
    assert strip is not None and strip.shape == (64, 768, 3)
    assert abs(float(strip.mean()) - 90) < 2, "a JPEG of one grey keeps it within its rounding"


@pytest.mark.parametrize("count", [1, 3])
def test_the_sheet_is_a_picture_with_the_strips_in_it(tmp_path: Path, count: int) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    # Mathematics and letters that the font lacks are no reason to fail, nor to warn.
    results = [with_score(f"$\\frac{{{number}$ \u4f60\x1b.mp4", 6.0) for number in range(count)]
    content = make_content(tmp_path, results)
    write_keepsake(keepsake_path(content.folders.state_dir, results[0].relative_path), make_keepsake())
    path = tmp_path / "report" / "montage.png"
    assert write_montage(content, path) == count
    picture = cv2.imread(str(path))
    assert picture is not None and picture.shape[1] == 1950
    # The one strip, in its grey: about a twelfth of an inch high at least, and a third of the sheet wide.
    grey = np.abs(picture.astype(int) - 90).max(axis=2) <= 2
    assert grey.sum() > 600 * 50


def test_with_nothing_near_a_threshold_there_is_no_sheet(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no video has a score"):
        write_montage(make_content(tmp_path, ONE_OF_EACH[2:]), tmp_path / "montage.png")


@pytest.mark.usefixtures("fake_scoring")
def test_the_command_makes_it_beside_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    out = tmp_path / "out"
    run(make_videos(tmp_path / "in", "fine.mp4"), out)
    capsys.readouterr()
    assert command.main(["report", "--output_dir", str(out), "--montage"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{out}/report.html", f"{out}/report/montage.png"]
    assert (out / "report" / "montage.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("fake_scoring")
def test_without_matplotlib_the_way_to_get_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(make_videos(tmp_path / "in", "fine.mp4"), out)
    (out / "report.html").unlink()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert command.main(["report", "--output_dir", str(out), "--montage"]) == 2
    assert "--montage needs matplotlib: pip install 'matplotlib>=" in capsys.readouterr().err
    assert not (out / "report.html").exists()
