"""How well the command finds a timing that is known, over frame rates, containers, stream starts and rotations.

    python -m benchmarks.known_shift --clips DIR --weights_dir DIR --out known_shift.json [--quick]

From the first 5 s of each talking clip of clips.json, which is in sync, variants are encoded whose sound is moved by
known amounts (variants.py). Pictures are reduced to 360 px on their shorter side, less where the face would fall below
80 px, and brought to each frame rate by taking the source frame nearest in time. The real command then runs on the
variants (--keep_all), and its offsets are held against those of the same clip in MP4/AAC at 25 fps: printed are, for
each kind of variant, the share within one frame of the truth, those lost (no score, or more than 3 frames off), and the
bias of the others: positive where the sound was taken for earlier than it is, with its standard error over clips. The
reference cannot show a bias of its own: the media stage is measured apart, with synthetic clips (media_timing.py).
Markdown on stdout, every number in the JSON of --out.

Some 17 minutes on two free cores, 2 with --quick (3 clips, fewer delays). With --work_dir a stopped run goes on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.media_timing import STORES_NO_DELAY, format_tables, measure_all
from benchmarks.shift_figures import Figures, Outcome, format_table, reference_offset, summarise
from benchmarks.variants import FULL, QUICK, REFERENCE_KINDS, Delays, Variant, plan_variants, write_variant
from synthetic.source_clip import read_source

COMMAND = Path(__file__).resolve().parent.parent / "filter_videos_by_sync_score.py"
CLIPS_FILE = Path(__file__).with_name("clips.json")
SECONDS = 5.0
SHORTER_SIDE_PX = 360
LEAST_FACE_PX = 80
MIN_FACE_PX = 30
"""One talk shows a face of 41 px: a user would lower the gate for it, as is done here for all."""
RESULTS_FILE = "sync_filter_results.json"
QUICK_CLIPS = ("OpenTalker__video-retalking__face_5.mp4", "bytedance__LatentSync__demo1_video.mp4", "example.avi")


@dataclass(frozen=True)
class TalkingClip:
    """One entry of clips.json."""

    name: str
    face_px: int
    sound_early_frames: float
    note: str

    def scale(self, width: int, height: int) -> float:
        """By how much the picture is reduced; 1 or less."""
        return min(1.0, max(SHORTER_SIDE_PX / min(width, height), LEAST_FACE_PX / self.face_px))


def main() -> None:
    options = parse_arguments()
    clips = [TalkingClip(**entry) for entry in json.loads(CLIPS_FILE.read_text(encoding="utf-8"))["in_sync"]]
    if options.quick:
        clips = [clip for clip in clips if clip.name in QUICK_CLIPS]
    outcomes: list[Outcome] = []
    run: dict[str, Any] = {}
    for number, clip in enumerate(clips, 1):
        print(f"[{number}/{len(clips)}] {clip.name}", file=sys.stderr, flush=True)
        found, run = run_clip(clip, QUICK if options.quick else FULL, options)
        outcomes += found
    report(outcomes, run, options)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder of the clips named in clips.json")
    parser.add_argument("--weights_dir", type=Path, help="folder of model files, as for the command")
    parser.add_argument("--model", default="lite", help="as for the command (default %(default)s)")
    parser.add_argument("--detector", default="auto", help="as for the command (default %(default)s)")
    parser.add_argument(
        "--min_face_size", type=int, default=MIN_FACE_PX, help="as for the command (default %(default)s)"
    )
    parser.add_argument("--max_workers", type=int, default=2, help="as for the command (default %(default)s)")
    parser.add_argument("--work_dir", type=Path, help="keep variants and scores here (500 MB), for a run that may stop")
    parser.add_argument("--quick", action="store_true", help="3 clips and fewer delays")
    parser.add_argument("--out", type=Path, required=True, help="JSON of everything that was found")
    return parser.parse_args()


def run_clip(clip: TalkingClip, delays: Delays, options: argparse.Namespace) -> tuple[list[Outcome], dict[str, Any]]:
    """What the command found in each variant of a clip, and its results file."""
    variants = plan_variants(SECONDS, delays)
    with TemporaryDirectory() as temporary:
        folder = options.work_dir / clip.name if options.work_dir else Path(temporary)
        videos = folder / "videos"
        videos.mkdir(parents=True, exist_ok=True)
        paths = write_variants(videos, options.clips / clip.name, clip, variants, options.max_workers)
        # The output folder remembers what is scored: a stopped run goes on, another one scores nothing anew.
        run = run_command(videos, folder / "out", options)
    offsets = {Path(entry["video_path"]).name: entry["offset"] for entry in run["results"]}
    outcomes = [
        Outcome(clip.name, variant.kind, variant.delay_frames, offsets[path.name])
        for variant, path in zip(variants, paths, strict=True)
    ]
    return outcomes, run


def write_variants(folder: Path, path: Path, clip: TalkingClip, variants: list[Variant], workers: int) -> list[Path]:
    """Encode those variants of one clip that are not there; the paths of all, in the same order."""
    source = read_source(path, SECONDS, clip.scale)

    def write(number: int) -> Path:
        target = folder / f"{number:03}.{variants[number].extension}"
        if not target.exists():
            unfinished = folder.parent / target.name
            write_variant(unfinished, source, variants[number], clip.sound_early_frames)
            unfinished.replace(target)
        return target

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(write, range(len(variants))))


def run_command(videos: Path, output_dir: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The results file of the real command."""
    arguments = [
        f"--input_dir={videos}",
        f"--output_dir={output_dir}",
        "--keep_all",
        "--score_cache",
        "off",
        f"--model={options.model}",
        f"--detector={options.detector}",
        f"--min_face_size={options.min_face_size}",
        f"--max_workers={options.max_workers}",
    ]
    if options.weights_dir:
        arguments.append(f"--weights_dir={options.weights_dir}")
    command = [sys.executable, str(COMMAND), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # A crash of the interpreter ends with 1 as well, which otherwise means that some video failed.
    if done.returncode not in (0, 1) or not (output_dir / RESULTS_FILE).is_file():
        raise SystemExit(done.stderr)
    results: dict[str, Any] = json.loads((output_dir / RESULTS_FILE).read_text(encoding="utf-8"))
    return results


def report(outcomes: list[Outcome], run: dict[str, Any], options: argparse.Namespace) -> None:
    """Print the tables and write the JSON."""
    own_offsets, rows = summarise_all(outcomes)
    print("Measuring the media stage", file=sys.stderr, flush=True)
    media = measure_all()
    print(f"Model {run['model']['name']}, detector {run['detector']['name']}\n\n{format_table(rows)}\n")
    print(f"The media stage alone:\n\n{format_tables(media)}")
    document = {
        "model": run["model"],
        "detector": run["detector"],
        "versions": run["versions"],
        "seconds": SECONDS,
        "own_offsets_frames": own_offsets,
        "figures": [asdict(row) for row in rows],
        "media": [asdict(bias) for bias in media],
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def summarise_all(outcomes: list[Outcome]) -> tuple[dict[str, float], list[Figures]]:
    """Each clip's own offset in frames, and a row for each kind in the order of the plan, a last one for most."""
    by_clip: dict[str, list[Outcome]] = {}
    by_kind: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_kind.setdefault(outcome.kind, []).append(outcome)
        if outcome.kind in REFERENCE_KINDS:
            by_clip.setdefault(outcome.clip, []).append(outcome)
    offsets = {clip: reference_offset(found) for clip, found in by_clip.items()}
    own_offsets = {clip: offset for clip, offset in offsets.items() if offset is not None}
    rows = [summarise(kind, found, own_offsets) for kind, found in by_kind.items()]
    storing = [outcome for outcome in outcomes if not outcome.kind.startswith(STORES_NO_DELAY)]
    return own_offsets, [*rows, summarise(f"all but {STORES_NO_DELAY}", storing, own_offsets)]


if __name__ == "__main__":
    main()
