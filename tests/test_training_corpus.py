"""Face clips go into the corpus and come out of its cache as they were."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from training.corpus import is_open, load_corpus, read_face_clip
from training.gather import write_face_clip

FLASH = 12
HEADER = "file\tsource_repository\twhat\tlicence\tremarks\n"


def write_flash(path: Path, frame_count: int) -> None:
    """A face clip that turns white at frame FLASH, when a click sounds."""
    crops = np.full((frame_count, 224, 224, 3), 30, np.uint8)
    crops[FLASH:] = 220
    samples = np.zeros(frame_count * 640, np.int16)
    samples[FLASH * 640 : FLASH * 640 + 40] = 20_000
    write_face_clip(path, crops, samples)


def test_a_written_clip_has_its_sound_beside_its_frames(tmp_path: Path) -> None:
    write_flash(tmp_path / "flash.mkv", 30)
    mouths, samples = read_face_clip(tmp_path / "flash.mkv")
    assert mouths.shape == (30, 100, 100)
    assert np.argmax(mouths.mean(axis=(1, 2)) > 100) == FLASH
    assert len(samples) == 30 * 640
    assert np.argmax(samples > 10_000) == FLASH * 640


def test_the_cache_grows_by_the_clips_that_are_new_and_reads_no_other_again(tmp_path: Path) -> None:
    corpus_dir, cache = tmp_path / "corpus", tmp_path / "cache"
    corpus_dir.mkdir()
    write_flash(corpus_dir / "a.mkv", 30)
    (corpus_dir / "CORPUS.tsv").write_text(HEADER + "a.mkv\tone/source\t\t\t\n")
    before = load_corpus(corpus_dir, cache)
    shutil.move(corpus_dir / "a.mkv", corpus_dir / "b.mkv")
    write_flash(corpus_dir / "b.mkv", 40)
    with (corpus_dir / "CORPUS.tsv").open("a") as table:
        table.write("b.mkv\tanother/source\t\t\t\n")
    load_corpus(corpus_dir, cache)
    after = load_corpus(corpus_dir, cache)
    assert [(clip.name, clip.source, clip.frame_count) for clip in after.clips] == [
        ("a.mkv", "one/source", 30),
        ("b.mkv", "another/source", 40),
    ]
    first, second = after.clips
    assert np.array_equal(after.clip_mouths(first), before.mouths)
    assert np.argmax(after.clip_samples(second) > 10_000) == FLASH * 640


@pytest.mark.parametrize(
    ("licence", "usable"),
    [
        ("Apache-2.0 repository", True),
        ("CC BY-SA 4.0 (page)", True),
        ("CC BY-NC 4.0", False),
        ("CC BY-NC-ND (TED), demo page", False),
        ("BSD-2 repository (clip: TED)", False),
        ("none stated", False),
        ("", False),
    ],
)
def test_which_licences_allow_commercial_use(licence: str, usable: bool) -> None:
    assert is_open(licence) is usable
