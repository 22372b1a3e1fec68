"""Whatever was being written when a run was killed: the next run finds and removes it, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from folders import files_below

from syncnet.placement.folders import OutputFolders, remove_leftovers
from syncnet.system.temporary import remove_temporaries, temporary_beside

REPOSITORY = Path(__file__).resolve().parent.parent
WRITERS = """
import os, pathlib, signal, sys
import numpy as np
from syncnet.system import atomic
from syncnet.system.atomic import write_file
from syncnet.system.interruption import StopFlag
from syncnet.keepsake.embedded import EmbeddedVideo, embedded_path, write_embedded
from syncnet.keepsake.file import Keepsake, keepsake_path, write_keepsake
from syncnet.looks.movie import open_movie
from syncnet.subcommands.merge_ledgers import write_merged
from syncnet.state.pinning import Pin, pin_choice
from weights import Identity
from syncnet.placement.folders import OutputFolders
from syncnet.placement.transfer import copy_file, hardlink_file, symlink_file

folders = OutputFolders(pathlib.Path(sys.argv[1]))
out, state = folders.output_dir, folders.state_dir
for folder in (folders.good_dir / "sub", folders.poor_dir, state, folders.outputs_dir / "a.mp4", folders.sheet_dir,
               folders.repaired_dir):
    folder.mkdir(parents=True)
video = out.parent / "a.mp4"
video.write_bytes(b"video")
chosen = Identity("lite", "lite")
embedded = EmbeddedVideo(np.zeros(0, np.int32), (), np.zeros((1, 2), np.float16), np.zeros(1, bool), "cosine", False, 0)

def write_movie(path):
    with open_movie(path, (64, 64), 25, np.zeros(640, np.int16)) as movie:
        movie.add(0.0, np.zeros((64, 64, 3), np.uint8))

writers = {
    "copy": lambda: copy_file(video, folders.good_dir / "sub" / "a.mp4", StopFlag()),
    "hard link": lambda: hardlink_file(video, folders.poor_dir / "a.mp4"),
    "symbolic link": lambda: symlink_file(video, folders.poor_dir / "a.mp4"),
    "results": lambda: write_file(folders.results_path, b"{}"),
    "table": lambda: write_file(out / "results.csv", b"{}"),
    "page": lambda: write_file(out / "report.html", b"{}"),
    "contact sheet": lambda: write_file(folders.sheet_dir / "montage.png", b"{}"),
    "command": lambda: write_file(state / "command.json", b"{}"),
    "choice of models": lambda: pin_choice(out, folders.results_path, Pin(chosen, chosen)),
    "merged ledger": lambda: write_merged([], state / "ledger.jsonl"),
    "keepsake": lambda: write_keepsake(keepsake_path(state, "a"), Keepsake((), np.zeros(0), np.zeros(0))),
    "overlay": lambda: write_movie(folders.overlays_dir / "sub" / "a.mp4.mp4"),
    "preview": lambda: write_movie(folders.previews_dir / "sub" / "a.avi.mp4"),
    "embeddings": lambda: write_embedded(embedded_path(state, "a"), embedded),
    "cut clip": lambda: write_movie(folders.segments_dir / "a.mp4" / "0.00-1.00.mp4"),
    "repaired": lambda: write_file(folders.repaired_dir / "a.mp4", b"video", exclusive=True),
    "kept output": lambda: write_file(folders.outputs_dir / "a.mp4" / "offsets.txt", b"text"),
}
# Each is killed when its file is complete but for its name.
os.replace = atomic.take_name = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
for name, write in writers.items():
    child = os.fork()
    if child == 0:
        write()
        os._exit(0)
    print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), sep=": ")
"""


def test_a_kill_amid_any_writer_leaves_nothing_that_the_next_run_does_not_remove(tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = subprocess.run(
        [sys.executable, "-c", WRITERS, str(out)], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    codes = dict(line.split(": ") for line in told.stdout.splitlines())
    assert set(codes.values()) == {str(-signal.SIGKILL)}, codes
    folders = OutputFolders(out)
    assert all(folder.is_dir() for folder in folders.written_dirs)
    left = [path for path in out.rglob("*") if not path.is_dir()]
    assert len(left) == len(codes) == 17
    assert remove_leftovers(folders) == 17
    assert files_below(out) == []
    assert [list((folders.state_dir / name).iterdir()) for name in ("keepsakes", "embeddings")] == [[], []]


def test_sound_of_a_long_file_leaves_nothing_when_the_run_is_killed(tmp_path: Path) -> None:
    writer = """
import os, signal, sys
import numpy as np
from syncnet.system.byte_store import ByteStore, FiledRows
store = ByteStore(most_held_bytes=1000)
store.write(0, bytes(2000))
assert isinstance(store.rows(np.int16), FiledRows)
print(os.listdir(os.environ["TMPDIR"]), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    told = subprocess.run(
        [sys.executable, "-c", writer],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout, told.stderr) == (-signal.SIGKILL, "[]\n", "")
    assert list(tmp_path.iterdir()) == []


def test_where_others_may_be_writing_only_what_lies_idle_is_removed(tmp_path: Path) -> None:
    old, young, other = temporary_beside(tmp_path / "a"), temporary_beside(tmp_path / "a"), tmp_path / ".sync_filter_x"
    for path in (old, young, other):
        path.touch()
    an_hour_ago = time.time() - 3600
    for path in (old, other):
        os.utime(path, (an_hour_ago, an_hour_ago))
    assert remove_temporaries(tmp_path, os.listdir(tmp_path), idle_seconds=1800) == 1
    assert sorted(tmp_path.iterdir()) == sorted([young, other])


@pytest.mark.parametrize("name", ["a", "x" * 255])
def test_a_temporary_name_fits_beside_any_name(name: str, tmp_path: Path) -> None:
    temporary_beside(tmp_path / name).touch()
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
