"""Judges the embedded model on real clips: ``python -m training.evaluate --clips DIR --detector haar``.

Every clip goes through the real stages (media, faces, tracks, crops). Its sound is then moved by known amounts
and cut with the picture into windows of 4 s, each scored as if it were a clip of its own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from detectors import DetectorSpec, resolve_detector
from syncnet import FPS, SAMPLES_PER_FRAME
from syncnet.crops import TrackCropper
from syncnet.faces import find_faces
from syncnet.media import open_media
from syncnet.models.lite import CALIBRATION_FILE, WEIGHTS_FILE, LiteFaceEncoder, LiteModel, read_lite
from syncnet.settings import DetectSettings, ShotSettings, Thresholds, TrackSettings
from syncnet.tracks import link_tracks
from syncnet.verdict import judge
from training.judge import TalkingClip, delay_sound, score_clip, score_windows, wrong_sounds

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
SHIFTS = (-8, -5, -2, 0, 2, 5, 8)
# The face of one talk is 41 px tall: a user would lower the gate for it, as we do for all.
MIN_FACE_PX = 30


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
    return TalkingClip(path.name, encoder.features(), samples)


def judge_clips(model: LiteModel, clips: Sequence[TalkingClip], window_seconds: float) -> dict[str, float]:
    """Shares over all windows of all clips; prints a line a clip."""
    window_frames = round(window_seconds * FPS)
    thresholds = Thresholds()
    recovered, passes, wrong_passes, in_sync, wrong = [], [], [], [], []
    for index, clip in enumerate(clips):
        whole = score_clip(model, clip)
        if whole is None:
            continue
        own: list[bool] = []
        for shift in SHIFTS:
            expected = whole.offset_frames - shift
            if abs(expected) > 13:
                continue
            scores = score_windows(model, clip, window_frames, delay_sound(clip.samples, shift))
            own += [abs(score.offset_frames - expected) <= 1 for score in scores]
        recovered += own
        unmoved = score_windows(model, clip, window_frames)
        if clip.name in IN_SYNC_CLIPS:
            passes += [judge(score, thresholds).passed for score in unmoved]
            in_sync += [score.confidence for score in unmoved]
        strangers = [
            s for sound in wrong_sounds(clips, index) for s in score_windows(model, clip, window_frames, sound)
        ]
        wrong_passes += [judge(score, thresholds).passed for score in strangers]
        wrong += [score.confidence for score in strangers]
        print(
            f"{clip.name:56.56} offset {whole.offset_frames:+3d} confidence {whole.confidence:5.2f}  "
            f"windows {len(unmoved):2d}  recovered {np.mean(own) if own else float('nan'):5.1%}  "
            f"pass {np.mean([judge(s, thresholds).passed for s in unmoved]) if unmoved else float('nan'):4.0%}"
        )
    return {
        "window_seconds": window_seconds,
        "clips": len(clips),
        "shifted_windows": len(recovered),
        "recovered_within_1": round(float(np.mean(recovered)), 4),
        "in_sync_windows": len(passes),
        "in_sync_pass": round(float(np.mean(passes)), 4),
        "wrong_sound_windows": len(wrong_passes),
        "wrong_sound_pass": round(float(np.mean(wrong_passes)), 4),
        "median_confidence_in_sync": round(float(np.median(in_sync)), 2),
        "median_confidence_wrong_sound": round(float(np.median(wrong)), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--detector", choices=("haar", "yunet"), nargs="+", default=["haar", "yunet"])
    parser.add_argument("--weights", type=Path, default=Path("weights") / WEIGHTS_FILE)
    parser.add_argument("--calibration", type=Path, default=Path("weights") / CALIBRATION_FILE)
    parser.add_argument("--weights_dir", type=Path, help="where YuNet's file lies")
    parser.add_argument("--out", type=Path, help="JSON of the figures")
    options = parser.parse_args()
    model = read_lite(options.weights, options.calibration, "cpu")
    figures = {}
    for name in options.detector:
        detector = resolve_detector(name, options.weights_dir)
        found = (read_clip(options.clips / file, model, detector) for file in IN_SYNC_CLIPS + MOVED_CLIPS)
        clips = [clip for clip in found if clip is not None]
        print(f"-- {name}, model {model.identity[:12]}")
        figures[name] = judge_clips(model, clips, 4.0)
        print(json.dumps(figures[name], indent=1))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
