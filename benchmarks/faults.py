"""What is left after kills, crashes, stops, a full disk, two runs at once, growing uploads: docs/reliability.md.

    python -m benchmarks.faults [--kills 50] [--crashes 8] [--clips 20] [--seed 1] [--out faults.json]

Each case runs the real command on small clips made from samples/, again and again until a run gets to its end, and
then holds the output folder against that of an undisturbed run: one record for each video, the same files with the
same bytes and times, the same results, no temporary file. Half of the kills come at random moments, the others at the
start of a stage or a few milliseconds later, in turn; the table says in which stage each one fell. Markdown on
stdout, the counts in the JSON of --out, progress on stderr. About 25 minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.faults_folder import make_clips, problems_of
from benchmarks.faults_worker import NOTE_BYTES, STAGES

REPOSITORY = Path(__file__).resolve().parent.parent

MOST_AIM_DELAY_SECONDS = 0.02
MOST_RUNS = 200
STOP_SECONDS = 10.0
SMALL_DISK_MB = 18
"""16 MB are kept free, so that two megabytes of copies fit."""


@dataclass
class Bench:
    """Clips, the output of an undisturbed run over them, and room for others."""

    folder: Path
    command: list[str]
    """What is started, up to the flags."""
    run_seconds: float = 0.0
    """Of the undisturbed run."""
    names: list[str] = field(default_factory=list)

    @property
    def clips(self) -> Path:
        return self.folder / "in"

    @property
    def reference(self) -> Path:
        return self.folder / "reference"

    def prepare(self) -> None:
        self.names = sorted(path.name for path in self.clips.iterdir())
        started = time.monotonic()
        # Clips without sound are among them.
        code = self.start(self.reference).wait()
        if code != 1:
            raise RuntimeError(f"the undisturbed run ended with exit code {code}")
        self.run_seconds = time.monotonic() - started

    def start(
        self, out: Path, aim: str = "-", clips: Path | None = None, wrap: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        folders = ["--input_dir", str(clips or self.clips), "--output_dir", str(out)]
        flags = [*folders, "--score_cache", "off", "--min_track", "40"]
        return subprocess.Popen(
            [*wrap, *self.command, str(self.note), aim, *flags],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=REPOSITORY,
            # A shell's background job ignores SIGINT and hands that down.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    @property
    def note(self) -> Path:
        return self.folder / "note"

    def stage(self) -> str:
        """The stage that the last run was in."""
        return self.note.read_bytes()[:NOTE_BYTES].decode().strip()

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        out = self.folder / "out"
        try:
            yield out
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def finish(self, out: Path, clips: Path | None = None) -> list[str]:
        """Runs to the end; what is wrong then."""
        code = self.start(out, clips=clips).wait()
        wrong = [] if code in (0, 1) else [f"exit code {code}"]
        return wrong + problems_of(out, self.reference, self.names)


@dataclass
class Finding:
    case: str
    count: str
    problems: list[str]


def kill_at_any_moment(bench: Bench, kills: int, seed: int) -> tuple[Finding, Counter[str]]:
    """SIGKILL, restarted each time; a folder that is done before the last kill is checked and begun anew."""
    chance = random.Random(seed)
    stages: Counter[str] = Counter()
    problems: list[str] = []
    folders = 0
    aims = list(STAGES)
    while sum(stages.values()) < kills:
        folders += 1
        with bench.fresh() as out:
            for _ in range(MOST_RUNS):
                number = sum(stages.values())
                if number >= kills:
                    break
                aim = "-"
                if number % 2:
                    # Some stages take no longer than a thread takes to start.
                    delay = chance.choice((0, chance.uniform(0, MOST_AIM_DELAY_SECONDS)))
                    aim = f"{aims[number // 2 % len(aims)]}:{chance.randint(1, 3)}:{delay}"
                process = bench.start(out, aim)
                try:
                    process.wait(chance.uniform(0.1, bench.run_seconds) if aim == "-" else None)
                except subprocess.TimeoutExpired:
                    process.kill()
                if process.wait() != -signal.SIGKILL:
                    break
                stages[bench.stage()] += 1
                print(f"kill {number + 1} of {kills}: {bench.stage()}", file=sys.stderr, flush=True)
            problems += bench.finish(out)
    return Finding("kill -9, restarted each time", f"{kills} kills, {folders} folders", problems), stages


def crash_at_any_moment(bench: Bench, crashes: int, seed: int) -> Finding:
    """The process that scores is ended by SIGSEGV in each of its stages: the same command scores everything."""
    chance = random.Random(seed)
    problems: list[str] = []
    for number in range(crashes):
        stage = ("opening", "finding faces", "linking tracks", "scoring tracks")[number % 4]
        struck = Path(f"{bench.note}.crashed")
        struck.unlink(missing_ok=True)
        with bench.fresh() as out:
            delay = chance.choice((0, chance.uniform(0, MOST_AIM_DELAY_SECONDS)))
            code = bench.start(out, f"crash {stage}:{chance.randint(1, 3)}:{delay}").wait()
            if (code, struck.exists()) != (1, True):
                problems.append(f"exit code {code}, {'a' if struck.exists() else 'no'} crash")
            problems += problems_of(out, bench.reference, bench.names)
    return Finding("the process that scores crashes", f"{crashes} crashes", problems)


def stop_at_any_moment(bench: Bench, stops: int, seed: int) -> Finding:
    """SIGTERM and SIGINT in turn; once the first video was begun, the exit code and the time are held to their word."""
    chance = random.Random(seed)
    problems: list[str] = []
    slowest = 0.0
    with bench.fresh() as out:
        for number in range(stops):
            kind = (signal.SIGTERM, signal.SIGINT)[number % 2]
            shutil.rmtree(out, ignore_errors=True)
            process = bench.start(out)
            while process.poll() is None and not (out / "sync_filter_results.json").exists() and not _begun(out):
                time.sleep(0.05)
            time.sleep(chance.uniform(0, bench.run_seconds / 2))
            stopped = time.monotonic()
            process.send_signal(kind)
            code = process.wait()
            slowest = max(slowest, time.monotonic() - stopped)
            if code not in (128 + kind, 0, 1):
                problems.append(f"exit code {code} after {kind.name}")
            if not isinstance(json.loads((out / "sync_filter_results.json").read_text())["results"], list):
                problems.append("no results")
            problems += bench.finish(out)
    if slowest > STOP_SECONDS:
        problems.append(f"a stop took {slowest:.1f} s")
    return Finding("SIGTERM, SIGINT", f"{stops} stops, the slowest {slowest:.1f} s", problems)


def _begun(out: Path) -> bool:
    ledger = out / ".sync_filter" / "ledger.jsonl"
    return ledger.exists() and b'"started"' in ledger.read_bytes()


def fill_the_disk(bench: Bench) -> Finding:
    """A disk that fills up while the run copies, then one without a single free byte, then room again."""
    with bench.fresh() as out:
        out.mkdir()
        codes = bench.folder / "codes"
        run = '"$@"; echo $? >> "$CODES"'
        script = (
            f'mount -t tmpfs -o size={SMALL_DISK_MB}m none "$OUT" && {run}; '
            'head -c 100m /dev/zero > "$OUT/filler" 2> "$CODES.said"; '
            f'{run}; rm "$OUT/filler"; mount -o remount,size=500m none "$OUT"; {run}; cp -a "$OUT/." "$OUT.kept"'
        )
        os.environ.update(OUT=str(out), CODES=str(codes))
        process = bench.start(out, wrap=("unshare", "-rm", "sh", "-c", script, "sh"))
        if process.wait() != 0:
            return Finding("full disk", "not tried: no user namespaces here", [])
        kept = Path(f"{out}.kept")
        problems = problems_of(kept, bench.reference, bench.names)
        told = codes.read_text().split()
        # Failed copies, then set-up refused or failed, then what was not copied is copied; no old failure alarms.
        if not (told[0] == "1" and told[1] in ("1", "2") and told[2] in ("0", "1")):
            problems.append(f"exit codes {told}")
        shutil.rmtree(kept)
        return Finding("full disk", f"exit codes {', '.join(told)}", problems)


def run_two_at_once(bench: Bench, times: int) -> Finding:
    """A run that is held up at its work, and another: the one does the work, the other leaves with 75."""
    problems: list[str] = []
    met = tries = 0
    while met < times and (tries := tries + 1) <= MOST_RUNS:
        with bench.fresh() as out:
            first = bench.start(out)
            while first.poll() is None and not _begun(out):
                time.sleep(0.005)
            first.send_signal(signal.SIGSTOP)
            if first.poll() is not None:
                continue  # Done before it could be held up: they would not meet.
            met += 1
            other = bench.start(out).wait()
            first.send_signal(signal.SIGCONT)
            if (codes := [first.wait(), other]) != [1, 75]:
                problems.append(f"exit codes {codes}")
            problems += problems_of(out, bench.reference, bench.names)
    return Finding("two runs at once", f"{times} times", problems if met == times else [*problems, f"met {met} times"])


def grow_uploads(bench: Bench, seed: int) -> Finding:
    """Clips that arrive piece by piece while run after run looks at them."""
    chance = random.Random(seed)
    arriving = bench.folder / "arriving"
    arriving.mkdir()

    def upload() -> None:
        for name in bench.names:
            content = (bench.clips / name).read_bytes()
            with open(arriving / name, "wb") as writer:
                for start in range(0, len(content), len(content) // 8 + 1):
                    writer.write(content[start : start + len(content) // 8 + 1])
                    writer.flush()
                    time.sleep(chance.uniform(0, bench.run_seconds / len(bench.names) / 8))
            shutil.copystat(bench.clips / name, arriving / name)

    runs = 0
    with bench.fresh() as out:
        uploader = threading.Thread(target=upload)
        uploader.start()
        while uploader.is_alive():
            bench.start(out, clips=arriving).wait()
            runs += 1
        uploader.join()
        problems = bench.finish(out, arriving)
    shutil.rmtree(arriving)
    # Half a file that nobody wrote to for a while was rightly recorded as it was, before it grew.
    problems = [problem for problem in problems if problem.startswith("0 ") or "records of" not in problem]
    return Finding("growing uploads", f"{runs + 1} runs", problems)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag, default in {"--kills": 50, "--crashes": 8, "--stops": 6, "--clips": 20, "--seed": 1}.items():
        parser.add_argument(flag, type=int, default=default)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder), [sys.executable, "-m", "benchmarks.faults_worker"])
        make_clips(bench.clips, options.clips)
        bench.prepare()
        killed, stages = kill_at_any_moment(bench, options.kills, options.seed)
        findings = [killed, crash_at_any_moment(bench, options.crashes, options.seed)]
        findings += [stop_at_any_moment(bench, options.stops, options.seed), fill_the_disk(bench)]
        findings += [run_two_at_once(bench, 3), grow_uploads(bench, options.seed)]
    print("| case | how often | what is wrong in the end |\n|---|---|---|")
    for finding in findings:
        print(f"| {finding.case} | {finding.count} | {'; '.join(finding.problems) or 'nothing'} |")
    print("\n| stage of the kill | kills |\n|---|---|")
    for stage in ("starting", *STAGES, "between stages"):
        print(f"| {stage} | {stages[stage]} |")
    if options.out:
        told = [vars(finding) for finding in findings]
        options.out.write_text(json.dumps({"findings": told, "stages": stages}, indent=2) + "\n")
    return int(any(finding.problems for finding in findings))


if __name__ == "__main__":
    sys.exit(main())
