"""The corpus of face-track clips -> one cache of mouth pictures and samples that fits in memory."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
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
        "X-LANCE/MSDWILD",
        "snap-research/Panda-70M",
        "demo2show/Samples",
        "roudimit/whisper-flamingo",
        "ajay-sainy/Wav2Lip-GFPGAN",
        "yerfor/Real3DPortrait",
        "looking-to-listen/looking-to-listen.github.io",
        "Sindhu-Hegde/gestsync",
        "mrjunjieli/mrjunjieli.github.io",
        "ImperialCollegeLondon/sap-elospheres-audiovisual-test",
    }
)
OPEN_LICENCES = ("Apache-2.0", "MIT", "BSD", "CC BY 4.0", "CC BY-SA 4.0", "CC0")
"""As the column begins; those with NC or ND are none of them."""
# Few speakers in one studio, or lips that a model drew: plenty of it, and it teaches less than other people do.
NARROW_SOURCES = frozenset(
    {
        "SAGAR0097/LIP-READING-USING-DEEP-LEARNING-",
        "TVR28/LipNet",
        "congwei1230/MoChaBench",
        "omnihuman-lab/omnihuman-lab.github.io",
        "cyberhost/cyberhost.github.io",
        "X-LANCE/AniTalker",
        "Kedreamix/Linly-Talker",
        "Fantasy-AMAP/fantasy-talking",
        "liveavatar/liveavatar.github.io",
        "Zejun-Yang/AniPortrait",
        "loopyavatar/loopyavatar.github.io",
        "jdh-algo/JoyHallo",
        "Francis-Rings/StableAvatar",
        "tanshuai0219/EDTalk",
        "aaxwaz/Ovi",
        "character-ai/Ovi",
    }
)
NARROW_SHARE = 0.35
"""How often a clip of those is drawn, where one of other people is drawn once."""
# Faces that often do not talk: of no use as positives.
LEFT_OUT_SOURCES = frozenset({"KwaiVGI/LivePortrait"})
CLEANING = Path(__file__).parent / "cleaning.tsv"
"""Clips to drop, and clips whose sound is early or late: what training/clean.py found."""


def add_corpus_flags(parser: argparse.ArgumentParser) -> None:
    """The corpus and its cache, which ``load_corpus`` takes."""
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("training/runs/cache"))


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
    def chance(self) -> float:
        """Relative; it grows with the square root of the length."""
        return float(np.sqrt(self.frame_count)) * (NARROW_SHARE if self.source in NARROW_SOURCES else 1.0)

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
    """The corpus from its cache, to which clips are added first that the table has and the cache has not."""
    cached = _read_cache(cache_dir)
    with (corpus_dir / "CORPUS.tsv").open(newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    known = {clip.name for clip in cached.clips}
    new = [row for row in rows if row["file"] not in known]
    return _with_clips(cached, corpus_dir, new, cache_dir) if new else cached


def open_clips(corpus_dir: Path) -> set[str]:
    """Files of the table whose licence allows commercial use and names no source that does not."""
    with (corpus_dir / "CORPUS.tsv").open(newline="") as table:
        return {row["file"] for row in csv.DictReader(table, delimiter="\t") if is_open(row["licence"])}


def is_open(licence: str) -> bool:
    """By what a column ``licence`` says; a note on where the clips come from (``clip: TED``) is a second licence."""
    return licence.startswith(OPEN_LICENCES) and "clip" not in licence


def write_manifest(corpus: Corpus, path: Path) -> None:
    """What was trained on and what was not, a line a clip, by name and SHA-256."""
    with path.open("w", newline="") as stream:
        table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        table.writerow(("file", "source_repository", "role", "frames", "sha256"))
        table.writerows((clip.name, clip.source, clip.role, clip.frame_count, clip.sha256) for clip in corpus.clips)


def _read_cache(cache_dir: Path) -> Corpus:
    index = cache_dir / "clips.json"
    if not index.exists():
        return Corpus((), np.empty((0, PICTURE_SIZE, PICTURE_SIZE), np.uint8), np.empty(0, np.int16))
    clips = tuple(CorpusClip(**entry) for entry in json.loads(index.read_text()))
    return Corpus(clips, np.load(cache_dir / "mouths.npy"), np.load(cache_dir / "samples.npy"))


def _with_clips(cached: Corpus, corpus_dir: Path, rows: Sequence[Mapping[str, str]], cache_dir: Path) -> Corpus:
    """The cached clips and those of the rows, which are written into the cache too."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    clips, mouths, samples = list(cached.clips), [cached.mouths], [cached.samples]
    total = len(cached.mouths)
    for row in rows:
        path = corpus_dir / row["file"]
        pictures, sound = read_face_clip(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        clips.append(CorpusClip(row["file"], row["source_repository"], digest, total, len(pictures)))
        mouths.append(pictures)
        samples.append(sound)
        total += len(pictures)
    corpus = Corpus(tuple(clips), np.concatenate(mouths), np.concatenate(samples))
    # The index last: it says that the rest is whole.
    (cache_dir / "clips.json").unlink(missing_ok=True)
    np.save(cache_dir / "mouths.npy", corpus.mouths)
    np.save(cache_dir / "samples.npy", corpus.samples)
    (cache_dir / "clips.json").write_text(json.dumps([clip.__dict__ for clip in clips], indent=1))
    return corpus


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
