"""Scoring beside an earlier build and beside decoding alone, for benchmarks/speed.py; by the wall, and in memory.

Each figure is of a process of its own. Those beside others have one thread for all, and are user and system time, which
other work on the machine disturbs less than it disturbs the clock; the one by the wall has all cores. Imports and
models are loaded, and a clip scored, before the time is taken.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av

from benchmarks.speed_clips import repeat_clip, write_scaled, write_start
from benchmarks.speed_command import REPOSITORY

LARGE_FACE = "YuvalNirkin__fsgan__conan_obrien.mp4"
"""1920 x 1080, 29.97 a second, H.264."""
UPRIGHT = "bytedance__LatentSync__demo1_video.mp4"
"""1080 x 1920, 25 a second, HEVC."""
STAGE = "ageitgey__face_recognition__short_hamilton_clip.mp4"
SHORT = "facebookresearch__VisualVoice__noisy_restaurant.mp4"
FOLDER_CLIPS, FOLDER_SECONDS = 50, 4.0
LONG_FACES = 4

_SCORE = """
import json, sys, time
from pathlib import Path
from syncnet import ScorerSettings, SyncScorer, WeightsPolicy
weights_dir, detector, workers, *videos = sys.argv[1:]
policy = WeightsPolicy(Path(weights_dir), offline=True, allow_unverified=True)
scorer = SyncScorer(ScorerSettings(model="lite", detector=detector, weights=policy), workers=int(workers))
scorer.score(Path("samples/in_sync.mp4"))
loaded, started = time.process_time(), time.perf_counter()
results = [scorer.score(Path(video)) for video in videos]
wall = time.perf_counter() - started
best = results[0].best
told = {"status": results[0].status, "confidence": best and best.confidence, "offset": best and best.offset_frames}
print(json.dumps({"seconds": time.process_time() - loaded, "start": loaded, "wall": wall, **told}))
"""
_DECODE = """
import json, sys, time, av
started = time.process_time()
for video in sys.argv[1:]:
    with av.open(video) as container:
        container.streams.video[0].thread_count = 1
        for _ in container.decode(video=0):
            pass
print(json.dumps({"seconds": time.process_time() - started}))
"""


def measure_beside(clips: Path, weights_dir: Path, earlier: Path, folder: Path, seconds: float) -> dict[str, Any]:
    """By kind of video: seconds of this build, of the checkout ``earlier`` (with YuNet), and of decoding."""
    figures = {}
    for name, videos in _write_videos(clips, folder, seconds).items():
        paths = [str(video) for video in videos]
        figures[name] = {
            "decoding": _run(REPOSITORY, _DECODE, paths),
            "this": _run(REPOSITORY, _SCORE, [str(weights_dir), "auto", str(os.cpu_count()), *paths]),
            "earlier": _run(earlier, _SCORE, [str(weights_dir), "yunet", str(os.cpu_count()), *paths]),
        }
        print(name, json.dumps(figures[name]), file=sys.stderr, flush=True)
    return figures


def measure_wall(weights_dir: Path, video: Path) -> dict[str, Any]:
    """One video at a time with all cores: what it plays for and what it took, in seconds."""
    with av.open(str(video)) as container:
        played = (container.duration or 0) / 1e6
    return {**_run(REPOSITORY, _SCORE, [str(weights_dir), "auto", "1", str(video)], threads=None), "played": played}


def measure_long_faces(minutes: Sequence[float]) -> dict[str, float]:
    """By minutes: MB that the process holds at most for faces that are seen for so long (benchmarks/memory.py)."""
    call = [sys.executable, "-m", "benchmarks.memory", "--unbroken", "--faces", str(LONG_FACES), "--minutes"]
    call += [f"{length:g}" for length in minutes]
    done = subprocess.run(call, check=True, stdout=subprocess.PIPE, cwd=REPOSITORY, text=True)
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:]]
    return {length: float(most_held) for length, _, most_held in rows}


def _write_videos(clips: Path, folder: Path, seconds: float) -> dict[str, list[Path]]:
    large, short = folder / "720p_clip.mp4", folder / "4_s.mp4"
    write_scaled(clips / LARGE_FACE, large, 1280, 720)
    write_start(clips / SHORT, short, FOLDER_SECONDS)
    repeated = {"720p": large, "1080p": clips / UPRIGHT, "360p": clips / STAGE}
    for name, clip in repeated.items():
        repeat_clip(clip, folder / f"{name}.mp4", seconds)
    copies = [folder / f"copy_{number}.mp4" for number in range(max(2, round(FOLDER_CLIPS * seconds / 60)))]
    for copy in copies:
        os.link(short, copy)
    return {**{name: [folder / f"{name}.mp4"] for name in repeated}, "folder": copies}


def _run(checkout: Path, program: str, arguments: Sequence[str], threads: int | None = 1) -> dict[str, Any]:
    environment = {**os.environ, **({"OMP_NUM_THREADS": str(threads)} if threads else {})}
    call = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(call, check=True, stdout=subprocess.PIPE, cwd=checkout, env=environment)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
