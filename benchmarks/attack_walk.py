"""One chain of random steps for benchmarks/attack.py: users and runs, in turn, on one output folder.

    python -m benchmarks.attack_walk FOLDER OUTPUT_PARENT SEED WALKS RUNS

Steps of users: videos arrive, are replaced by others, edited in their place, grow, are deleted, lose their times; files
of their own come to the places of copies; the input folder moves. Steps of runs: the command with flags by chance, and
runs that are killed. After each run every content that was there before is still there, but for copies of what was
edited in its place, and the results tell how things are. A line of JSON for each run on stdout.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.attack_scores import install
from syncnet import command

NAMES = ("fine_a.mp4", "FINE_A.mp4", "fine_b.mp4", "poor_c.mp4", "faceless_d.mp4", "damaged_e.mp4", "sub/fine_a.mp4")
MODES = ("copy", "hardlink", "symlink", "move")
LONGEST_KILL_SECONDS = 0.08


class Walk:
    """The folders of one chain, and what its user did to them."""

    def __init__(self, folder: Path, output_parent: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.inputs = [folder / "in", folder / "other"]
        self.out = output_parent / f"out_{seed}"
        self.count = 0
        self.edited: set[bytes] = set()
        """What was written over by the user, in its place."""
        self.mine: dict[Path, bytes] = {}
        """Files of the user in the output folder."""
        for path in self.inputs:
            path.mkdir(parents=True)

    def content(self) -> bytes:
        self.count += 1
        return f"content {self.count} ".encode() * self.chance.randint(1, 4)

    def arrive(self) -> None:
        path = self.chance.choice(self.inputs) / self.chance.choice(NAMES)
        path.parent.mkdir(exist_ok=True)
        if self.chance.random() < 0.5:
            path.unlink(missing_ok=True)
        elif path.is_file():
            self.edited.add(path.read_bytes())
        data = self.content()
        if path.exists() and self.chance.random() < 0.3:
            data = path.read_bytes() + data
        path.write_bytes(data)

    def delete(self) -> None:
        if files := self.videos():
            self.chance.choice(files).unlink()

    def rename(self) -> None:
        if files := self.videos():
            path = self.chance.choice(self.inputs) / self.chance.choice(NAMES)
            path.parent.mkdir(exist_ok=True)
            self.chance.choice(files).rename(path)

    def clear(self) -> None:
        folder = self.chance.choice(self.inputs)
        shutil.rmtree(folder)
        folder.mkdir()

    def lose_times(self) -> None:
        for path in (self.out if self.chance.random() < 0.5 else self.inputs[0]).rglob("*.mp4"):
            if path.is_file() and not path.is_symlink():
                os.utime(path, (1_500_000_000, 1_500_000_000 + self.chance.randint(0, 9)))

    def plant(self) -> None:
        """A file of the user's own where a copy would go."""
        path = self.out / self.chance.choice(("good_quality", "poor_quality")) / self.chance.choice(NAMES)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not os.path.lexists(path):
                path.write_bytes(self.content())

    def move_input(self) -> None:
        old = self.inputs[0]
        self.inputs[0] = old.with_name(f"in_{self.count}_{self.chance.randint(0, 10**6)}")
        old.rename(self.inputs[0])

    def videos(self) -> list[Path]:
        return [path for folder in self.inputs for path in sorted(folder.rglob("*.mp4")) if path.is_file()]

    def is_mounted(self, source: Path, folder: Path) -> bool:
        """Whether the video is of the folder that the run was over, or is gone from another one that holds any: else
        nobody can tell, or it is where it was."""
        inputs = [one for one in self.inputs if source.is_relative_to(one)]
        holds_any = any(path.is_relative_to(one) for one in inputs for path in self.videos())
        return holds_any and (source.is_relative_to(folder) or not source.exists())

    def contents(self) -> set[bytes]:
        """Of all real files."""
        folders = [*self.inputs, self.out / "good_quality", self.out / "poor_quality"]
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        return {path.read_bytes() for path in files}

    def flags(self) -> tuple[list[str], str, Path]:
        mode, folder = self.chance.choice(MODES), self.chance.choice(self.inputs)
        flags = ["--input_dir", str(folder), "--output_dir", str(self.out), "--score_cache", "off", "--place", mode]
        for flag, share in (("--recursive", 0.6), ("--rescan", 0.15), ("--retry_failed", 0.2), ("--keep_all", 0.1)):
            flags += [flag] if self.chance.random() < share else []
        flags += ["--preset", "strict"] if self.chance.random() < 0.3 else []
        return [*flags, "--max_workers", str(self.chance.choice((1, 2, 4))), "--quiet"], mode, folder

    def run(self, *, killed: bool) -> dict[str, Any]:
        """What the run was and what went wrong: ``lost``, ``silent``, ``crashed``."""
        flags, mode, folder = self.flags()
        before = self.contents()
        code, said = _killed(flags, self.chance) if killed else _run(flags)
        wrong = {"crashed": [said] if "Traceback" in said else [], "lost": self.lost(before), "silent": []}
        if code in (0, 1) and not killed:
            wrong["silent"] = self.silent(code, mode, folder, kept="--keep_all" in flags)
        elif not killed and code != 2:
            wrong["crashed"].append(f"exit code {code}: {said}")
        return {"flags": flags, "killed": killed, "code": code, **wrong}

    def lost(self, before: set[bytes]) -> list[str]:
        after = self.contents()
        return [
            repr(data)
            for data in before - after
            if data not in self.edited and not any(other.startswith(data) for other in after)
        ]

    def silent(self, code: int, mode: str, folder: Path, *, kept: bool) -> list[str]:
        """Where the results are not as things are, and nobody is told."""
        document = json.loads((self.out / "sync_filter_results.json").read_text())
        sources = Counter(entry["video_path"] for entry in document["results"])
        # What was moved away, or whose name another video has, is told under the path that it had.
        present = {path for path in self.videos() if path.is_relative_to(folder) and sources[str(path)] == 1}
        wrong = []
        for entry in document["results"]:
            placed, source = entry["placed_path"], Path(entry["video_path"])
            if entry["status"] == "failed" or kept:
                continue
            if placed and not os.path.lexists(placed):
                wrong.append(f"{placed} is not there")
            elif entry["status"] == "success" and not placed and self.is_mounted(source, folder):
                wrong.append(f"{entry['relative_path']} is nowhere")
            elif placed and source in present and entry["file_size"] == source.stat().st_size:
                wrong += _misplaced(Path(placed), source, mode)
        if code == 0 and any(
            entry["status"] == "failed" and "exists" in (entry["error"] or "") for entry in document["results"]
        ):
            wrong.append("a video in the way, and exit code 0")
        return wrong


def _misplaced(placed: Path, source: Path, mode: str) -> list[str]:
    if mode == "move":
        return [f"{source} was not moved"]
    ways = {"symlink": placed.is_symlink(), "hardlink": not placed.is_symlink() and placed.samefile(source)}
    way = next((name for name, holds in ways.items() if holds), "copy")
    if way != mode:
        return [f"{placed} is a {way}, not a {mode}"]
    return [] if placed.read_bytes() == source.read_bytes() else [f"{placed} is not {source}"]


def _run(flags: list[str]) -> tuple[int, str]:
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            code = command.main(flags)
        except BaseException:  # noqa: BLE001 (whatever it is, it is a finding)
            code = -1
            said.write(traceback.format_exc())
    said.flush()
    return code, said.buffer.getvalue().decode(errors="replace")[-800:]  # type: ignore[attr-defined]


def _killed(flags: list[str], chance: random.Random) -> tuple[int, str]:
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os._exit(command.main(flags))
    time.sleep(chance.uniform(0.005, LONGEST_KILL_SECONDS))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -9, ""


def main() -> None:
    folder, output_parent, seed, walks, runs = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:6])
    install()
    for number in range(seed, seed + walks):
        walk = Walk(folder / f"walk_{number}", output_parent, number)
        once = (walk.delete, walk.rename, walk.clear, walk.lose_times, walk.plant, walk.move_input)
        steps: list[Callable[[], None]] = [*([walk.arrive] * 3), *once]
        for _ in range(3):
            walk.arrive()
        for _ in range(runs):
            for _ in range(walk.chance.randint(1, 3)):
                walk.chance.choice(steps)()
            told = walk.run(killed=walk.chance.random() < 0.15)
            print(json.dumps({"seed": number, **told}), flush=True)
        shutil.rmtree(walk.out, ignore_errors=True)
        shutil.rmtree(folder / f"walk_{number}")


if __name__ == "__main__":
    main()
