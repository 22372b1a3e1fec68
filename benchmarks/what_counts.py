"""Whether a score is one of the speech: pauses, edits, flashes, music, other voices and single words.

    python -m benchmarks.what_counts --clips CLIPS --weights_dir WEIGHTS --corpus CORPUS

Clips whose sync is known (the in-sync clips of training/evaluate.py, at most 480 px on the shorter side, and the
held-out face clips of the corpus, of 4 s and more) are spoilt in one way at a time, scored by the real stages and
judged at the default thresholds. Of spoilt ones in sync the share is told that passes of those that pass as they are;
of voice-overs, the share of all. Face clips have no picture around them, so flashes and edits are of whole videos only.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.what_counts_spoilers import PICTURES, SOUNDS, Recording, Spoilt, voice_over
from detectors.protocol import DetectorSpec
from detectors.registry import resolve_detector
from syncnet.conventions import FPS, SAMPLES_PER_FRAME
from syncnet.faces.crops import TrackCropper
from syncnet.media.info import MediaInfo
from syncnet.media.opening import Damage
from syncnet.models.features import cut_mouths
from syncnet.models.lite import LiteFaceEncoder, LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.pipeline import Stages, score_media
from syncnet.results import best_score
from syncnet.scoring.score import SyncScore, score_sync
from syncnet.scoring.speech import find_speech, without_long_pauses
from syncnet.settings import DetectSettings, Thresholds, TrackSettings
from syncnet.system.interruption import StopFlag
from syncnet.verdict import Verdict, judge
from training.corpus import MARGIN, MOUTH_SIZE_PX, load_corpus
from training.evaluate import IN_SYNC_CLIPS, MIN_FACE_PX
from training.figures import EXCLUDED_SOURCES, share_of
from training.robustness import Frames, find_track, read_source
from weights import WeightsPolicy

LEAST_FRAMES = 4 * FPS
VOICE_OVERS = (0.2, 0.3, 0.4, 0.5, 0.6)
DRAWS = 2
SEED = 4


@dataclass(frozen=True)
class InMemory:
    """Frames and samples as the media stage gives them."""

    held: Frames
    samples: np.ndarray
    info: MediaInfo
    path: Path = Path("spoilt")
    spare_mb: float = math.inf
    damage: Damage = field(default_factory=Damage)

    def frames(self) -> Iterator[np.ndarray]:
        return iter(self.held)

    pictures = frames


def score_frames(frames: Frames, samples: np.ndarray, model: LiteModel, detector: DetectorSpec) -> Verdict:
    """The verdict on a video that was never written."""
    height, width = frames[0].shape[:2]
    info = MediaInfo(width, height, float(FPS), len(frames) / FPS, "", "", "", 0, 0)
    stages = Stages(model, detector, TrackSettings(MIN_FACE_PX), DetectSettings(min_face_px=MIN_FACE_PX))
    video = score_media(InMemory(frames, samples, info), stages, detector, StopFlag())  # type: ignore[arg-type]
    return judge(best_score(video), Thresholds(), video.no_track)


def score_recording(recording: Recording, model: LiteModel) -> SyncScore | None:
    """The score of one face track."""
    encoder = LiteFaceEncoder(model)
    for first in range(0, len(recording.mouths), 64):
        encoder.push_mouths(recording.mouths[first : first + 64])
    frames = len(recording.mouths)
    speech = find_speech(recording.samples)
    embeddings = model.embed_features(encoder.features(), recording.samples, 0, frames, without_long_pauses(speech))
    return score_sync(embeddings, model, speech)


def passes(recording: Recording, model: LiteModel) -> bool:
    return judge(score_recording(recording, model), Thresholds()).passed


def corpus_recordings(corpus_dir: Path, cache_dir: Path) -> Iterator[Recording]:
    corpus = load_corpus(corpus_dir, cache_dir)
    inner = slice(MARGIN, MARGIN + MOUTH_SIZE_PX)
    for clip in corpus.clips:
        if clip.held_out and clip.source not in EXCLUDED_SOURCES and clip.frame_count >= LEAST_FRAMES:
            mouths = np.ascontiguousarray(corpus.clip_mouths(clip)[:, inner, inner])
            yield Recording(clip.name, mouths, corpus.clip_samples(clip))


def real_recording(name: str, frames: Frames, samples: np.ndarray, detector: DetectorSpec) -> Recording | None:
    track = find_track(frames, detector)
    if track is None or track.frame_count < LEAST_FRAMES:
        return None
    cropper = TrackCropper(track)
    mouths = [cut_mouths(cropper.crop(index, frames[index])[None])[0] for index in track.frames.tolist()]
    own = samples[track.first_frame * SAMPLES_PER_FRAME : (track.first_frame + track.frame_count) * SAMPLES_PER_FRAME]
    return Recording(name, np.stack(mouths), np.pad(own, (0, len(mouths) * SAMPLES_PER_FRAME - len(own))))


Wanted = Callable[[str], bool]
Outcomes = dict[str, list[bool]]


def judge_pictures(
    clip: str, frames: Frames, samples: np.ndarray, model: LiteModel, detector: DetectorSpec, found: Outcomes
) -> None:
    """Adds the outcome of each spoiler in ``found``, where the video passes as it is."""
    if not found or not score_frames(frames, samples, model, detector).passed:
        return
    for name, outcomes in found.items():
        verdict = score_frames(PICTURES[name](frames), samples, model, detector)
        outcomes.append(verdict.passed)
        if not verdict.passed:
            print(f"{name}: {clip}: {'; '.join(verdict.reasons)}", flush=True)


def judge_sounds(recordings: Sequence[Recording], model: LiteModel, wanted: Wanted) -> Outcomes:
    """Outcomes by spoiler of the recordings that pass as they are, and of voice-overs over all of them."""
    spoilers: dict[str, Spoilt] = {name: spoiler for name, spoiler in SOUNDS.items() if wanted(name)}
    found: Outcomes = {name: [] for name in spoilers}
    shares = [share for share in VOICE_OVERS if wanted(_voice_over_name(share))]
    found.update({_voice_over_name(share): [] for share in shares})
    rng = np.random.default_rng(SEED)
    for recording in recordings:
        strangers = [other for other in recordings if other.name != recording.name]
        if spoilers and passes(recording, model):
            for name, spoiler in spoilers.items():
                found[name].append(passes(spoiler(recording, np.random.default_rng(SEED)), model))
                if not found[name][-1]:
                    print(f"{name}: {recording.name}", flush=True)
        for share in shares:
            for _ in range(DRAWS):
                stranger = strangers[rng.integers(len(strangers))]
                spoilt = voice_over(recording, stranger.samples, share, rng)
                found[_voice_over_name(share)].append(passes(spoilt, model))
    return found


def _voice_over_name(share: float) -> str:
    return f"voice-over of {share:.0%}"


def format_table(found: Outcomes) -> str:
    lines = ["| what | passes |", "|---|---|"]
    for name, outcomes in found.items():
        share = share_of(outcomes)
        low, high = share["interval"]  # type: ignore[misc]
        lines.append(f"| {name} | {share['share']:.1%} of {share['of']} ({100 * low:.0f} .. {100 * high:.0f}) |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--weights_dir", type=Path, required=True, help="where YuNet's file lies")
    parser.add_argument("--corpus", type=Path, help="face clips besides")
    parser.add_argument("--cache", type=Path, default=Path("training/runs/cache"))
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="rows with one of these in their names")
    parser.add_argument("--out", type=Path, help="JSON of all outcomes")
    options = parser.parse_args()

    def wanted(name: str) -> bool:
        return any(word in name for word in options.only)

    model = read_lite(Path("weights") / WEIGHTS_FILE, Path("weights") / CALIBRATION_FILE, "cpu")
    detector = resolve_detector("yunet", WeightsPolicy(options.weights_dir, offline=True))
    found: Outcomes = {name: [] for name in PICTURES if wanted(name)}
    recordings = []
    for name in IN_SYNC_CLIPS:
        frames, samples = read_source(options.clips / name)
        judge_pictures(name, frames, samples, model, detector, found)
        if recording := real_recording(name, frames, samples, detector):
            recordings.append(recording)
    if options.corpus:
        recordings += corpus_recordings(options.corpus, options.cache)
    found.update(judge_sounds(recordings, model, wanted))
    print(format_table(found))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
