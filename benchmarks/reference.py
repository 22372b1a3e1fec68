"""How far the published preprocessing (--reference) and the default path differ: timing, pixels, scores.

    python -m benchmarks.reference --clips DIR --weights_dir DIR [--seeded DIR] [--names NAME ...]

Two tables. The first needs no face and no model: synthetic clips whose frames show their numbers and whose sound clicks
at known times, through the default media stage and through the published passes; the bias is how much earlier the sound
lies against the picture than it was written, in milliseconds, as in benchmarks/media_timing.py. The second takes real
clips through both ways with the same model and YuNet, whose file is looked for in --weights_dir like the model's.
``--seeded DIR`` takes weights drawn from names instead of the published ones (DIR holds goldens/bn_stats.npz): the
scores mean nothing then, but the pixels and the size of the differences do.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from benchmarks.media_timing import base_clip, read_bias
from detectors.registry import resolve_detector
from syncnet.conventions import FPS
from syncnet.errors import VideoError
from syncnet.models.choice import SYNCNET_V2_FILE
from syncnet.models.odds import Odds
from syncnet.models.protocol import Embeddings, FaceEncoder, SyncModel
from syncnet.models.registry import load_model
from syncnet.pipeline import Stages, score_video
from syncnet.reference.choice import find_reference_tools
from syncnet.reference.pyav import PyavTools
from syncnet.reference.tools import WHOLE_FRAME_QUALITY, ReferenceJob, ReferenceTools, list_frames, read_wav
from syncnet.results import TrackScore
from syncnet.settings import TrackSettings
from syncnet.system.interruption import StopFlag
from synthetic.media import Clip, find_clicks, read_frame_number, write_clip
from synthetic.weights import write_seeded_syncnet_v2
from weights import WeightsPolicy

FRAME_RATES = ("23.976", "25", "29.97", "30", "50", "60")
SOUNDS = {
    "MP4/AAC 48 kHz": ("MP4/AAC", 48_000),
    "MOV/PCM 44.1 kHz": ("MOV/PCM", 44_100),
    "MOV/PCM 16 kHz": ("MOV/PCM", 16_000),
}
"""Container and sample rate: the delay of an MP3 encoder is counted in samples."""
GATES = TrackSettings(min_face_px=50, min_track_frames=50)
"""Of both ways, so that the same tracks are compared; the published pipeline's own are 100 and 100."""
LAGS = range(4)
"""Frames by which the published picture may be late; where the crops differ least, the lag itself is left out."""
NAMES = (
    "rizkiarm__LipNet__bbaf2n.mpg",
    "Hangz-nju-cuhk__Talking-Face_PC-AVS__00015.mp4",
    "OpenTalker__video-retalking__face_5.mp4",
    "YuvalNirkin__fsgan__conan_obrien.mp4",
    "OpenTalker__video-retalking__face_4.mp4",
    "Zz-ww__SadTalker-Video-Lip-Sync__face_dain_50fps.mp4",
)
"""25, 25, 25, 29.97, 30 and 50 frames a second."""


def main() -> None:
    arguments = _parse_arguments()
    tools = find_reference_tools(1)
    print(f"Published passes by {tools.name}.\n")
    print(format_timing(tools))
    if arguments.clips is None:
        return
    with TemporaryDirectory() as folder:
        policy = WeightsPolicy(arguments.weights_dir)
        model_policy = policy
        if arguments.seeded is not None:
            write_seeded_syncnet_v2(Path(folder) / SYNCNET_V2_FILE, arguments.seeded)
            model_policy = WeightsPolicy(Path(folder), allow_unverified=True)
        model = load_model("syncnet_v2", "auto", model_policy)
        stages = Stages(model, resolve_detector("yunet", policy), GATES)
        print()
        print(format_clips([arguments.clips / name for name in arguments.names], stages, tools))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, help="folder of real clips; without it only the timing is measured")
    parser.add_argument("--names", nargs="+", default=NAMES, help="which of them")
    parser.add_argument("--weights_dir", type=Path, help="folder of model files")
    parser.add_argument("--seeded", type=Path, metavar="DIR", help="seeded syncnet_v2 weights; DIR holds goldens/")
    return parser.parse_args()


def format_timing(tools: ReferenceTools) -> str:
    """A Markdown table of the bias in milliseconds, one line for each kind of sound and way."""
    lines = [f"| bias in ms | {' | '.join(FRAME_RATES)} |", "|---|" + "---:|" * len(FRAME_RATES)]
    ways = [("default", None), ("--reference", tools), ("--reference, PyAV", PyavTools())]
    with TemporaryDirectory() as folder:
        for sound in SOUNDS:
            for way, way_tools in ways:
                cells = [_timing_cell(Path(folder), sound, rate, way_tools) for rate in FRAME_RATES]
                lines.append(f"| {sound}, {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _timing_cell(folder: Path, sound: str, rate: str, tools: ReferenceTools | None) -> str:
    container, sample_rate = SOUNDS[sound]
    extension, clip = base_clip(container, rate)
    clip = replace(clip, sample_rate=sample_rate)
    path = write_clip(folder / f"clip.{extension}", clip)
    late, early = read_bias(path, clip) if tools is None else read_published_bias(path, clip, tools)
    return f"{1000 * (late + early):+.1f}"


def read_published_bias(path: Path, clip: Clip, tools: ReferenceTools) -> tuple[float, float]:
    """Mean seconds by which the picture is behind its ticks, and by which the clicks are heard early, after the
    published passes over the whole video; those over the crops move nothing (tests/test_reference_tools.py)."""
    job = ReferenceJob(path, StopFlag(), 120)
    with TemporaryDirectory() as folder:
        avi, wav = Path(folder) / "video.avi", Path(folder) / "audio.wav"
        tools.reencode(job, path, avi)
        tools.write_frames(job, avi, Path(folder), WHOLE_FRAME_QUALITY)
        tools.write_sound(job, avi, wav, align_start=False)
        numbers = [read_frame_number(cv2.imread(str(file))) for file in list_frames(Path(folder))]
        heard = find_clicks(read_wav(wav))
    times = [float(time) for time in clip.times_of_frames()]
    late = [tick / FPS - times[number] for tick, number in enumerate(numbers)]
    return float(np.mean(late)), float(np.mean(np.asarray(clip.times_of_clicks()) - np.asarray(heard)))


@dataclass
class RecordingEncoder:
    """Keeps the crops on their way to a model's own encoder."""

    inner: FaceEncoder
    pieces: list[np.ndarray] = field(default_factory=list)

    def push(self, crops: np.ndarray) -> None:
        self.pieces.append(crops)
        self.inner.push(crops)


class RecordingModel:
    """A model that remembers the crops of each track."""

    def __init__(self, model: SyncModel) -> None:
        self._model = model
        self.name, self.identity, self.min_track_frames = model.name, model.identity, model.min_track_frames
        self.crops: list[np.ndarray] = []

    def face_encoder(self) -> RecordingEncoder:
        return RecordingEncoder(self._model.face_encoder())

    def embed(
        self,
        encoder: RecordingEncoder,
        samples: np.ndarray,
        first_frame: int,
        frame_count: int,
        counts: np.ndarray | None = None,
    ) -> Embeddings:
        self.crops.append(np.concatenate(encoder.pieces))
        return self._model.embed(encoder.inner, samples, first_frame, frame_count, counts)

    def confidence(self, raw: float, embedding_count: int) -> float:
        return self._model.confidence(raw, embedding_count)

    def odds(self, signs: np.ndarray) -> Odds | None:
        return self._model.odds(signs)


@dataclass(frozen=True)
class Way:
    """What one way made of a clip's longest track."""

    track: TrackScore
    crops: np.ndarray


def format_clips(clips: Sequence[Path], stages: Stages, tools: ReferenceTools) -> str:
    """A Markdown table, one line a clip: offset, confidence and minimum distance of both ways, and their crops."""
    lines = [
        "| clip | fps | offset | confidence | min distance | pixels as shown | pixels, lag taken out | lag |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for clip in clips:
        fps, default = _take(clip, stages)
        _, published = _take(clip, replace(stages, reference=tools))
        if default is None or published is None or default.track.score is None or published.track.score is None:
            lines.append(f"| {clip.name} | {fps:.5g} | no track both ways | | | | | |")
            continue
        was, now = default.track.score, published.track.score
        differences = [pixel_difference(default, published, lag) for lag in LAGS]
        lines.append(
            f"| {clip.name} | {fps:.5g} | {was.offset_frames:+d} / {now.offset_frames:+d} "
            f"| {was.confidence:.3f} / {now.confidence:.3f} | {was.min_distance:.3f} / {now.min_distance:.3f} "
            f"| {differences[0]:.1f} | {min(differences):.1f} | {int(np.argmin(differences))} |"
        )
    return "\n".join(lines)


def _take(clip: Path, stages: Stages) -> tuple[float, Way | None]:
    """Frame rate, and the longest track with its crops."""
    recorder = RecordingModel(stages.model)
    try:
        scored = score_video(clip, replace(stages, model=recorder), StopFlag())
    except VideoError as error:
        raise SystemExit(f"{clip.name}: {error}") from error
    if not scored.tracks:
        return scored.info.source_fps, None
    longest = max(scored.tracks, key=lambda track: track.frame_count)
    return scored.info.source_fps, Way(longest, max(recorder.crops, key=len))


def pixel_difference(default: Way, published: Way, lag: int) -> float:
    """Mean absolute difference in grey levels where published crop n stands for default crop n - lag."""
    first = max(default.track.first_frame + lag, published.track.first_frame)
    end = min(default.track.first_frame + lag + len(default.crops), published.track.first_frame + len(published.crops))
    ours = default.crops[first - lag - default.track.first_frame : end - lag - default.track.first_frame]
    theirs = published.crops[first - published.track.first_frame : end - published.track.first_frame]
    return float(np.mean([np.abs(a.astype(np.int16) - b).mean() for a, b in zip(ours, theirs, strict=True)]))


if __name__ == "__main__":
    main()
