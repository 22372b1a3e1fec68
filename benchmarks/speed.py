"""How fast everything is, beside the published way and beside what the machine can do, in one run.

    python -m benchmarks.speed --clips DIR --weights_dir DIR [--quick] [--only PART ...] [--out FILE.json]
                               [--beside CHECKOUT]

Takes about 15 minutes on two cores that nobody else uses, and a few with --quick, which shortens every measurement. The
published way is built from our own modules: the passes of --reference, S3FD on every single frame, windows through the
3-D network in batches of 20. Weights drawn from names do (speed does not depend on them): see
benchmarks/speed_video.py for the faces. With --beside process seconds are compared with those of an earlier build,
checked out elsewhere, and of decoding alone (benchmarks/speed_beside.py); the wall and hours of faces are told too, and
it takes far longer.
Prints Markdown; --out also writes the figures.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks import speed_command
from benchmarks.speed_beside import measure_beside, measure_long_faces, measure_wall
from benchmarks.speed_clips import repeat_clip
from benchmarks.speed_networks import best_product, measure_networks
from benchmarks.speed_table import format_report
from syncnet.models.precision import is_in_hardware
from syncnet.settings import Precision
from syncnet.system.cores import count_cores

CLIPS = {
    "360p": "ageitgey__face_recognition__short_hamilton_clip.mp4",
    "720p": "facebookresearch__VisualVoice__noisy_restaurant.mp4",
    "1080p": "YuvalNirkin__fsgan__conan_obrien.mp4",
}
"""29.97, 25 and 29.97 frames a second."""
PUBLISHED_FACE_PX, DEFAULT_FACE_PX = 100, 50


@dataclasses.dataclass(frozen=True)
class Effort:
    """How long the measurements are."""

    rounds: int
    long_minutes: dict[str, float]
    """Of the video whose memory is compared with that of the clip itself."""
    known_videos: int
    folder_copies: int
    beside_seconds: float
    faces_minutes: tuple[float, float]


FULL = Effort(5, {"360p": 20, "1080p": 1}, 10_000, 8, 60.0, (20, 120))
QUICK = Effort(2, {"360p": 1}, 500, 2, 15.0, (1, 6))


class Bench:
    """The measurements, each into one entry of ``figures``."""

    def __init__(self, clips: Path, weights_dir: Path, effort: Effort, folder: Path, earlier: Path | None) -> None:
        self.figures: dict[str, Any] = {"machine": describe_machine(), "videos": {}}
        self._clips = {height: clips / name for height, name in CLIPS.items()}
        self._weights_dir = weights_dir
        self._clips_dir = clips
        self._earlier = earlier
        self._effort = effort
        self._folder = folder
        self._cores = count_cores()

    @property
    def parts(self) -> dict[str, Callable[[], None]]:
        return {
            "networks": self.networks,
            "start": self.start,
            "published": self.published,
            "videos": self.videos,
            "folder": self.folder,
            "known": self.known,
            "memory": self.memory,
            "beside": self.beside,
        }

    def networks(self) -> None:
        torch.set_num_threads(self._cores)
        precisions: list[Precision] = ["float32", *(["bfloat16"] if self.figures["machine"]["bfloat16"] else [])]
        rates = measure_networks(self._weights_dir, precisions, self._effort.rounds)
        self.figures["networks"] = {
            network: {way: dataclasses.asdict(rate) for way, rate in ways.items()} for network, ways in rates.items()
        }

    def start(self) -> None:
        self.figures["start"] = {
            "help": speed_command.seconds_of_help(3),
            "first_frame": speed_command.seconds_to_first_frame(self._weights_dir),
        }

    def published(self) -> None:
        """A whole video the published way and ours, with the same networks and gates, on all cores."""
        clip = self._clips["720p"]
        ours = {
            precision: self._video(clip, "ours", "syncnet_v2", "s3fd", PUBLISHED_FACE_PX, precision)
            for precision in ("float32", *(["bfloat16"] if self.figures["machine"]["bfloat16"] else []))
        }
        exact = self._video(clip, "ours", "syncnet_v2", "s3fd", PUBLISHED_FACE_PX, "float32", detect_every=1)
        published = self._video(clip, "published", "syncnet_v2", "s3fd", PUBLISHED_FACE_PX, "float32")
        self.figures["whole_720p"] = {"published": published, "ours": ours}
        self.figures["videos"] |= {
            "720p published": published,
            **{f"720p syncnet_v2, s3fd, {precision}": figures for precision, figures in ours.items()},
            "the same, every frame, float32": exact,
        }

    def videos(self) -> None:
        for height, clip in self._clips.items():
            name = f"{height} lite, yunet"
            self.figures["videos"][name] = self._video(clip, "ours", "lite", "yunet", DEFAULT_FACE_PX, "float32")

    def folder(self) -> None:
        """Several copies of one clip by the command, with two and with four workers."""
        videos = self._folder / "copies"
        videos.mkdir()
        copies = self._effort.folder_copies
        for number in range(copies):
            os.link(self._local_clip("720p"), videos / f"{number}.mp4")
        self.figures["workers"] = {}
        for workers in (2, 4):
            output = self._folder / f"workers_{workers}"
            seconds, peak_mb = speed_command.seconds_of_folder(videos, output, self._weights_dir, workers)
            self.figures["workers"][str(workers)] = {"seconds": seconds, "peak_mb": peak_mb}
        results = json.loads((output / speed_command.RESULTS).read_text())["results"]
        video_seconds = sum(result["duration_seconds"] for result in results)
        self.figures["folder_720p"] = {
            "video_seconds": video_seconds,
            "seconds": self.figures["workers"]["2"]["seconds"],
        }

    def known(self) -> None:
        count = self._effort.known_videos
        seconds = speed_command.seconds_for_known(self._folder, self._weights_dir, count)
        self.figures["known"] = {"videos": count, "seconds": seconds}

    def memory(self) -> None:
        """Peak memory of a clip and of the same clip many times over."""
        self.figures["memory"] = {}
        for height, minutes in self._effort.long_minutes.items():
            long = self._folder / f"long_{height}.mp4"
            short = self._folder / f"short_{height}.mp4"
            repeat_clip(self._clips[height], short, 15)
            repeat_clip(self._clips[height], long, 60 * minutes)
            self.figures["memory"][height] = [
                self._video(video, "ours", "lite", "yunet", DEFAULT_FACE_PX, "float32") for video in (short, long)
            ]

    def beside(self) -> None:
        if self._earlier is not None:
            videos = self._folder / "beside"
            videos.mkdir()
            seconds = self._effort.beside_seconds
            self.figures["beside"] = measure_beside(self._clips_dir, self._weights_dir, self._earlier, videos, seconds)
            self.figures["wall"] = measure_wall(self._weights_dir, videos / "720p.mp4")
            self.figures["long_faces"] = measure_long_faces(self._effort.faces_minutes)

    def _local_clip(self, height: str) -> Path:
        """A copy in the benchmark's own folder, to which links can be made."""
        copy = self._folder / f"{height}.mp4"
        if not copy.exists():
            copy.write_bytes(self._clips[height].read_bytes())
        return copy

    def _video(
        self,
        video: Path,
        way: str,
        model: str,
        detector: str,
        min_face_px: int,
        precision: str,
        detect_every: int = 0,
    ) -> dict[str, Any]:
        call = [sys.executable, "-m", "benchmarks.speed_video", str(video), way, model, detector]
        call += [str(self._weights_dir), str(min_face_px), precision, str(detect_every), str(self._cores)]
        done = subprocess.run(call, check=True, stdout=subprocess.PIPE, cwd=speed_command.REPOSITORY)
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures


def describe_machine() -> dict[str, Any]:
    load = os.getloadavg()[0]
    torch.set_num_threads(count_cores())
    return {
        "processor": _processor_name(),
        "cores": count_cores(),
        "torch": torch.__version__,
        "bfloat16": is_in_hardware("bfloat16", "cpu"),
        "product_gflops": best_product(torch.float32) / 1e9,
        "load": load,
    }


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    arguments = parse_arguments()
    effort = QUICK if arguments.quick else FULL
    with TemporaryDirectory(prefix="speed_") as folder:
        earlier = arguments.beside and arguments.beside.resolve()
        bench = Bench(arguments.clips.resolve(), arguments.weights_dir.resolve(), effort, Path(folder), earlier)
        for name, measure in bench.parts.items():
            if not arguments.only or name in arguments.only:
                print(f"measuring: {name}", file=sys.stderr, flush=True)
                measure()
    if arguments.out:
        arguments.out.write_text(json.dumps(bench.figures, indent=1) + "\n")
    print(format_report(bench.figures), end="")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder of the clips named in benchmarks/speed.py")
    parser.add_argument(
        "--weights_dir", type=Path, required=True, help="folder of syncnet_v2.model, sfd_face.pth and YuNet's file"
    )
    parser.add_argument("--quick", action="store_true", help="short measurements, for a look")
    parser.add_argument(
        "--only", nargs="+", metavar="PART", help="networks start published videos folder known memory beside"
    )
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT", help="of an earlier build, for the part beside")
    parser.add_argument("--out", type=Path, metavar="FILE", help="figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
