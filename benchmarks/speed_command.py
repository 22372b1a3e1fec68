"""The command as a user starts it: how soon it answers, and how much it gets done, for benchmarks/speed.py."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from syncnet.keepsake.file import keepsake_path

REPOSITORY = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, str(REPOSITORY / "filter_videos_by_sync_score.py")]
RESULTS = "sync_filter_results.json"


def seconds_of_help(rounds: int) -> float:
    """Of the quickest of some calls of ``--help``."""
    return min(_timed([*COMMAND, "--help"]) for _ in range(rounds))


def seconds_to_first_frame(weights_dir: Path) -> float:
    """From the start of a process to the first frame that is handed to the stages, models loaded."""
    program = (
        "import sys, pathlib; from syncnet import ScorerSettings, WeightsPolicy;"
        "from syncnet.stages import choose_stages;"
        "from syncnet.media.opening import open_media; p = WeightsPolicy(pathlib.Path(sys.argv[1]), True, True);"
        "choose_stages(ScorerSettings(model='lite', detector='yunet', weights=p), 1).load();"
        "next(iter(open_media(pathlib.Path(sys.argv[2])).frames()))"
    )
    video = REPOSITORY / "samples" / "in_sync.mp4"
    call = [sys.executable, "-c", program, str(weights_dir), str(video)]
    return min(_timed(call) for _ in range(2))


def seconds_for_known(folder: Path, weights_dir: Path, count: int) -> float:
    """A run over so many videos that an earlier run scored and placed, nothing having changed since."""
    videos, output = folder / "known", folder / "known_sorted"
    videos.mkdir()
    first = videos / "0.mp4"
    shutil.copy2(REPOSITORY / "samples" / "in_sync.mp4", first)
    run_command(videos, output, weights_dir, 1, "--place", "hardlink")
    ledger = output / ".sync_filter" / "ledger.jsonl"
    lines = ledger.read_text().splitlines()
    placed = next(output.glob("*_quality/0.mp4")).parent
    for number in range(1, count):
        os.link(first, videos / f"{number}.mp4")
        os.link(first, placed / f"{number}.mp4")
    status = first.stat()
    with ledger.open("a") as writer:
        for number in range(1, count):
            for line in lines:
                writer.write(line.replace('"0.mp4"', f'"{number}.mp4"') + "\n")
    if first.stat().st_mtime_ns != status.st_mtime_ns:
        raise RuntimeError("a link changed the time of its file")
    state_dir = output / ".sync_filter"
    for number in range(1, count):
        os.link(keepsake_path(state_dir, "0.mp4"), keepsake_path(state_dir, f"{number}.mp4"))
    call = command_line(videos, output, weights_dir, 2, "--place", "hardlink")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{count:,} known videos: {seconds:.1f} s, of which the processor was busy for {busy:.1f} s", file=sys.stderr)
    results = json.loads((output / RESULTS).read_text())
    if results["this_run"]["unchanged"] != count:
        raise RuntimeError(f"{results['this_run']} instead of {count} unchanged videos")
    return seconds


def seconds_of_folder(videos: Path, output: Path, weights_dir: Path, workers: int) -> tuple[float, float]:
    """Seconds that the run itself took, models loaded, and its peak memory in MB."""
    results = run_command(videos, output, weights_dir, workers, "--keep_all")
    return results["this_run"]["seconds"], results["this_run"]["peak_memory_mb"]


def run_command(
    videos: Path, output: Path, weights_dir: Path, workers: int, *flags: str
) -> dict[str, dict[str, float]]:
    """The results of one run with the embedded model and YuNet."""
    call = command_line(videos, output, weights_dir, workers, *flags)
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    results: dict[str, dict[str, float]] = json.loads((output / RESULTS).read_text())
    return results


def command_line(videos: Path, output: Path, weights_dir: Path, workers: int, *flags: str) -> list[str]:
    """A run with the embedded model and YuNet."""
    call = [*COMMAND, "--input_dir", str(videos), "--output_dir", str(output), "--max_workers", str(workers)]
    call += ["--model", "lite", "--detector", "yunet", "--weights_dir", str(weights_dir), "--offline"]
    return [*call, "--allow_unverified_weights", "--score_cache", "off", *flags]


def _timed(call: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL, cwd=REPOSITORY)
    return time.perf_counter() - started
