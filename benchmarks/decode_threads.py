"""Workers against threads of the decoder, on the cores of this machine: docs/performance.md.

    python -m benchmarks.decode_threads --video FILE [--copies 4] [--rounds 2]

Scores the file so many times with the defaults, by each number of workers and threads in turn, and prints what each
took by the wall and of the processor, as ratios to one worker a core with one thread each. Models are loaded once.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from syncnet import ScorerSettings, SyncScorer, WeightsPolicy
from syncnet.engines.threads import share_cores
from syncnet.pipeline import Stages, score_video
from syncnet.system.cores import count_cores
from syncnet.system.interruption import StopFlag

Seconds = tuple[float, float]
"""By the wall, and of the processor."""


def choices(cores: int) -> list[tuple[int, int]]:
    """Workers and threads of the decoder: from one worker that has all cores to one a core, and with threads to spare.

    The first is what the others are compared with.
    """
    workers = sorted({1, max(1, cores // 2), cores}, reverse=True)
    return [(count, threads) for count in workers for threads in sorted({1, max(1, cores // count), cores})]


def measure(stages: Stages, video: Path, copies: int, workers: int, threads: int) -> Seconds:
    share_cores(workers)
    own = dataclasses.replace(stages, decode_threads=threads)
    wall, processor = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda _: score_video(video, own, StopFlag()), range(copies)))
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    stages = SyncScorer(ScorerSettings(model="lite", weights=WeightsPolicy(offline=True))).stages
    measure(stages, options.video, 1, 1, 1)
    ways = choices(count_cores())
    taken: dict[tuple[int, int], list[Seconds]] = {way: [] for way in ways}
    for _ in range(options.rounds):
        for way in ways:
            taken[way].append(measure(stages, options.video, options.copies, *way))
    wall, processor = (median(seconds[k] for seconds in taken[ways[0]]) for k in (0, 1))
    print(f"{count_cores()} cores, {options.copies} copies\n")
    print("| workers | threads of the decoder | wall | processor |\n|---:|---:|---:|---:|")
    for way, seconds in taken.items():
        own_wall, own_processor = (median(one[k] for one in seconds) for k in (0, 1))
        print(f"| {way[0]} | {way[1]} | {own_wall / wall:.2f} x | {own_processor / processor:.2f} x |")


if __name__ == "__main__":
    main()
