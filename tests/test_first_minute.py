"""What somebody sees who starts a run: the first line at once, a line for each video, a bar that is one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import replace
from pathlib import Path, PurePath

import pytest
from folders import make_videos
from test_streams import COMMAND

from syncnet.inputs.discovery import FoundVideos, SkippedPath, VideoFile
from syncnet.placement.folders import OutputFolders
from syncnet.report.opening import OpeningLine, model_for_new_folder
from syncnet.report.progress import describe_counts
from syncnet.report.run import Counts
from syncnet.settings import Request, RunOptions, ScorerSettings

REQUEST = Request(Path("talk\ning"), Path("out"))
FOUND = FoundVideos([VideoFile(Path("a"), PurePath("a"), 1)] * 1026)
FOUND.other_endings.update({".txt": 1, ".jpg": 1})


@pytest.mark.parametrize(
    ("known", "to_score", "told"),
    [
        (0, 1026, "; loading lite"),
        (20, 1006, "; 20 known, loading lite for 1,006"),
        (1026, 0, "; 1,026 known"),
        (0, 0, ""),
    ],
)
def test_the_first_line(capsys: pytest.CaptureFixture[str], known: int, to_score: int, told: str) -> None:
    with OpeningLine(quiet=False) as line:
        line.tell_found(FOUND, REQUEST)
        assert capsys.readouterr().err == "1,026 videos in talk\\ning, 2 skipped by their ending"
        line.tell_work("lite", known=known, to_score=to_score)
    assert capsys.readouterr().err == f"{told}\n"


def test_a_new_folder_has_its_first_line_whole_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with OpeningLine(quiet=False) as line:
        line.tell_found(FOUND, REQUEST, "lite")
        assert capsys.readouterr().err == "1,026 videos in talk\\ning, 2 skipped by their ending; loading lite\n"
        line.tell_work("lite", known=0, to_score=1026)
    assert capsys.readouterr().err == ""


def test_what_is_loaded_is_said_only_where_it_is_clear_at_once(tmp_path: Path) -> None:
    asked = Request(Path("talk"), tmp_path, settings=ScorerSettings(model="lite"))
    folders = OutputFolders(tmp_path)
    later = [RunOptions(limit=5), RunOptions(settle_seconds=60)]
    assert model_for_new_folder(asked, folders, FOUND) == "lite"
    assert [model_for_new_folder(replace(asked, options=each), folders, FOUND) for each in later] == ["", ""]
    assert model_for_new_folder(asked, folders, FoundVideos()) == ""
    folders.state_dir.mkdir()
    (folders.state_dir / "ledger.jsonl").touch()
    assert model_for_new_folder(asked, folders, FOUND) == ""


def test_what_goes_wrong_then_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    unreadable = FoundVideos(unreadable=[SkippedPath("x", "y")])
    with contextlib.suppress(ValueError), OpeningLine(quiet=False) as line:
        line.tell_found(unreadable, REQUEST)
        raise ValueError
    assert capsys.readouterr().err == "0 videos in talk\\ning, 1 could not be read\n"
    with OpeningLine(quiet=True) as line:
        line.tell_found(FOUND, REQUEST)
    assert capsys.readouterr().err == ""


def test_what_was_found_is_said_before_anything_heavy_is_loaded(repository: Path, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "damaged.mp4")
    program = (
        "import io, sys\n"
        "class Watched(io.StringIO):\n"
        "    loaded = None\n"
        "    def write(self, text):\n"
        "        if Watched.loaded is None:\n"
        "            Watched.loaded, Watched.text = set(sys.modules), text\n"
        "        return len(text)\n"
        "    reconfigure = lambda self, **_: None\n"
        "sys.stderr = Watched()\n"
        "from syncnet import command\n"
        f"folders = ['--input_dir', {str(videos)!r}, '--output_dir', {str(tmp_path / 'out')!r}]\n"
        "command.main([*folders, '--model', 'lite'])\n"
        "heavy = {'torch', 'cv2', 'numpy', 'av', 'scipy', 'tqdm', 'scenedetect', 'jinja2', 'asyncio'}\n"
        "print(Watched.text.strip(), sorted(heavy & Watched.loaded), sorted({'numpy'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"1 video in {videos}; loading lite [] ['numpy']"


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (200, "pass 1,234, do not 12, failed 3, no face 4"),
        (80, "pass 1,234, do not 12, failed 3"),
        (60, "pass 1,234"),
        (30, ""),
    ],
)
def test_counts_leave_room_for_the_bar(columns: int, told: str) -> None:
    assert describe_counts(Counts(good=1234, poor=12, no_faces=4, failed=3), 2000, columns) == told
    assert describe_counts(Counts(failed=1), 6, columns) == ("failed 1" if columns > 30 else "")


class Screen:
    """A pseudo-terminal of so many columns, for a process's stderr."""

    def __init__(self, columns: int) -> None:
        self._ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))

    def read(self) -> str:
        """All that was written, once nobody else holds its other end."""
        os.close(self.theirs)
        pieces = []
        # Linux says EIO at the end.
        with contextlib.suppress(OSError):
            while piece := os.read(self._ours, 65536):
                pieces.append(piece)
        os.close(self._ours)
        return b"".join(pieces).decode()


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 200])
def test_on_a_terminal_each_video_has_its_line_above_a_bar_that_is_one(
    tmp_path: Path, repository: Path, columns: int
) -> None:
    names = ["fine.mp4", "poor.mp4", "damaged.mp4", "faceless.mp4"]
    videos = make_videos(tmp_path / "in", *names)
    script = f"{COMMAND.format(repository=str(repository))}\ncommand.run_as_process()"
    flags = ["--input_dir", str(videos), "--output_dir", str(tmp_path / "out"), "--score_cache", "off"]
    screen = Screen(columns)
    done = subprocess.Popen(
        [sys.executable, "-c", script, *flags], stderr=screen.theirs, stdout=subprocess.DEVNULL, cwd=tmp_path
    )
    shown = screen.read()
    assert done.wait() == 1
    # Escapes that move the cursor, and what is drawn over.
    lines = [re.sub(r"\x1b\[\d*[A-Z]", "", piece) for piece in re.split(r"[\r\n]+", shown)]
    assert sum(any(f"] {name}: " in line for line in lines) for name in names) == len(names)
    bars = [line for line in lines if "4/4" in line and line.startswith("100%|")]
    assert bars, lines
    assert len(bars[-1]) < columns
    assert bars[-1].endswith("pass 1, do not 1, failed 1, no face 1")
    assert bars[-1].count("█") >= 10
