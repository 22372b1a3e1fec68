"""The corpus of face-track clips -> one cache of mouth pictures and samples that fits in memory."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from syncnet.conventions import SAMPLE_RATE, SAMPLES_PER_FRAME
from syncnet.models.features import MOUTH_LEFT_PX, MOUTH_SIDE_PX, MOUTH_SIZE_PX, MOUTH_TOP_PX

# Wider than the mouth square, so that augmentation can shift, turn and zoom without running out of picture.
MARGIN_PX = 27
PICTURE_SIZE = MOUTH_SIZE_PX * (MOUTH_SIDE_PX + 2 * MARGIN_PX) // MOUTH_SIDE_PX
MARGIN = (PICTURE_SIZE - MOUTH_SIZE_PX) // 2

# Real speakers, and every source that also gave a clip to the evaluation: never trained on. They serve to
# choose the best moment of the training and to calibrate the confidence.
HELD_OUT_SOURCES = frozenset(
    {
        "FreedomIntelligence/talk-vid",
        "FreedomIntelligence/TalkVid",
        "Hangz-nju-cuhk/Talking-Face_PC-AVS",
        "rizkiarm/LipNet",
        "voicecraft-dub/voicecraft-dub.github.io",
        "JusperLee/IIANet",
    }
)
# Faces that often do not talk: of no use as positives.
LEFT_OUT_SOURCES = frozenset({"KwaiVGI/LivePortrait"})
CLEANING = Path(__file__).parent / "cleaning.tsv"
"""Clips to drop, and clips whose sound is early or late: what training/clean.py found."""


@dataclass(frozen=True)
class CorpusClip:
    name: str
    source: str
    sha256: str
    first_frame: int
    frame_count: int
    """Where its mouth pictures stand in the cache."""

    @property
    def held_out(self) -> bool:
        return self.source in HELD_OUT_SOURCES

    @property
    def role(self) -> str:
        if self.held_out:
            return "held out"
        return "left out" if self.source in LEFT_OUT_SOURCES else "trained on"


@dataclass(frozen=True)
class Corpus:
    clips: tuple[CorpusClip, ...]
    mouths: np.ndarray
    """(all frames, 100, 100) uint8 grey."""
    samples: np.ndarray
    """(all frames * 640,) int16 at 16 kHz, in step with the mouths."""

    def clip_mouths(self, clip: CorpusClip) -> np.ndarray:
        return self.mouths[clip.first_frame : clip.first_frame + clip.frame_count]

    def clip_samples(self, clip: CorpusClip) -> np.ndarray:
        start = clip.first_frame * SAMPLES_PER_FRAME
        return self.samples[start : start + clip.frame_count * SAMPLES_PER_FRAME]


def read_cleaning(path: Path = CLEANING) -> dict[str, int | None]:
    """Frames by which the sound of a clip is early, or None for a clip to drop; others are as they should be."""
    with path.open(newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        return {
            row["file"]: None if row["sound_early_frames"] == "drop" else int(row["sound_early_frames"]) for row in rows
        }


def load_corpus(corpus_dir: Path, cache_dir: Path) -> Corpus:
    """The corpus from its cache, which is made first where it is missing."""
    index = cache_dir / "clips.json"
    if not index.exists():
        _build_cache(corpus_dir, cache_dir)
    clips = tuple(CorpusClip(**entry) for entry in json.loads(index.read_text()))
    return Corpus(clips, np.load(cache_dir / "mouths.npy"), np.load(cache_dir / "samples.npy"))


def write_manifest(corpus: Corpus, path: Path) -> None:
    """What was trained on and what was not, a line a clip, by name and SHA-256."""
    with path.open("w", newline="") as stream:
        table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        table.writerow(("file", "source_repository", "role", "frames", "sha256"))
        table.writerows((clip.name, clip.source, clip.role, clip.frame_count, clip.sha256) for clip in corpus.clips)


def _build_cache(corpus_dir: Path, cache_dir: Path) -> None:
    cache_dir.mkdir(parents=True, exist_ok=True)
    with (corpus_dir / "CORPUS.tsv").open(newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    clips: list[CorpusClip] = []
    mouths: list[np.ndarray] = []
    samples: list[np.ndarray] = []
    total = 0
    for row in rows:
        path = corpus_dir / row["file"]
        pictures, sound = read_face_clip(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        clips.append(CorpusClip(row["file"], row["source_repository"], digest, total, len(pictures)))
        mouths.append(pictures)
        samples.append(sound)
        total += len(pictures)
    np.save(cache_dir / "mouths.npy", np.concatenate(mouths))
    np.save(cache_dir / "samples.npy", np.concatenate(samples))
    (cache_dir / "clips.json").write_text(json.dumps([clip.__dict__ for clip in clips], indent=1))


def read_face_clip(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Mouth pictures (n, 100, 100) uint8 and n * 640 samples of a 224 x 224, 25 fps, 16 kHz mono face clip.

    These clips come from one encoder with both streams starting at 0; the media stage, which copes with
    every other kind of file, is not needed here.
    """
    with av.open(str(path)) as container:
        frames = [_cut_picture(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    blocks = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        for frame in [*container.decode(audio=0), None]:
            blocks += [block.to_ndarray()[0] for block in resampler.resample(frame)]
    sound = np.concatenate(blocks)
    wanted = len(frames) * SAMPLES_PER_FRAME
    return np.stack(frames), np.pad(sound[:wanted], (0, max(0, wanted - len(sound))))


def _cut_picture(grey: np.ndarray) -> np.ndarray:
    rows = slice(MOUTH_TOP_PX - MARGIN_PX, MOUTH_TOP_PX + MOUTH_SIDE_PX + MARGIN_PX)
    columns = slice(MOUTH_LEFT_PX - MARGIN_PX, MOUTH_LEFT_PX + MOUTH_SIDE_PX + MARGIN_PX)
    return cv2.resize(grey[rows, columns], (PICTURE_SIZE, PICTURE_SIZE), interpolation=cv2.INTER_AREA)
