"""Sound of long files, on the disk: the same samples and the same scores as from memory, and nothing left behind."""

from __future__ import annotations

import math
import resource
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from detectors.registry import resolve_detector
from syncnet.conventions import SAMPLES_PER_FRAME, Samples
from syncnet.looks.movie import HeldSound
from syncnet.media.listening import _is_recorded
from syncnet.media.opening import open_media
from syncnet.media.sound import SoundTape
from syncnet.models.lite import load_lite
from syncnet.models.syncnet_v2 import SyncNetV2, SyncNetV2FaceEncoder
from syncnet.models.syncnet_v2_network import SyncNetV2Layers, SyncNetV2Streams
from syncnet.pipeline import Stages, score_video
from syncnet.reference.tools import write_wav
from syncnet.repair.checking import misplaced_ms
from syncnet.repair.correction import Correction, Step
from syncnet.repair.quiet import cut_in_silence
from syncnet.system import byte_store
from syncnet.system.byte_store import ByteStore, FiledRows
from syncnet.system.interruption import StopFlag
from synthetic.media import Clip, find_clicks, write_clip
from weights import WeightsPolicy

LIMIT = "syncnet.media.listening.MOST_HELD_BYTES"
SOUND = np.random.default_rng(3).integers(-9000, 9000, 20_000).astype(np.int16)
WRITES = [(0, 300), (300, 500), (790, 40), (2000, 800), (1500, 100), (-50, 90), (2800, 1), (100, 2600), (2801, 199)]
"""First sample and number of samples: steps back, overlaps, a gap, one that begins before the start."""


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_store, "_PIECE_BYTES", 256)


@contextmanager
def full_disk(after_bytes: int) -> Iterator[None]:
    """No file grows beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def filed(samples: np.ndarray) -> FiledRows:
    store = ByteStore(most_held_bytes=0)
    store.write(0, samples.tobytes())
    laid = store.rows(np.int16)
    assert isinstance(laid, FiledRows)
    return laid


def lay(store: ByteStore) -> tuple[Samples, np.ndarray]:
    """What the store makes of the writes, and the same laid by hand."""
    by_hand = np.zeros(3000, np.int16)
    for number, (first, count) in enumerate(WRITES):
        block = SOUND[number : number + count]
        store.write(2 * first, block.tobytes())
        by_hand[max(first, 0) : first + count] = block[max(-first, 0) :]
    return store.rows(np.int16, first=7), by_hand[7:]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("most_held_bytes", [0, 255, 1000, 5000, math.inf])
def test_samples_lie_where_they_were_laid(most_held_bytes: float) -> None:
    samples, by_hand = lay(ByteStore(most_held_bytes))
    assert isinstance(samples, np.ndarray) == math.isinf(most_held_bytes)
    assert len(samples) == len(by_hand)
    assert (samples[:] == by_hand).all()


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("after_bytes", [0, 100, 1000, 4000, 5700])
def test_a_full_disk_is_as_if_there_were_none(after_bytes: int) -> None:
    with full_disk(after_bytes):
        samples, by_hand = lay(ByteStore(most_held_bytes=500))
    assert isinstance(samples, np.ndarray)
    assert (samples == by_hand).all()


def test_a_disk_that_fails_at_a_step_back_loses_nothing() -> None:
    store = ByteStore(most_held_bytes=0)
    store.write(0, SOUND[:3000].tobytes())
    with full_disk(0):
        store.write(2000, SOUND[5000:6000].tobytes())
    assert (store.rows(np.int16)[:] == np.concatenate([SOUND[:1000], SOUND[5000:6000], SOUND[2000:3000]])).all()


def test_without_a_folder_for_temporary_files_all_stays_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    samples, by_hand = lay(ByteStore(most_held_bytes=500))
    assert isinstance(samples, np.ndarray)
    assert (samples == by_hand).all()


@pytest.mark.parametrize(
    "part", [slice(None), slice(5, 90), slice(-30, None), slice(19_990, 30_000), slice(40, 30), slice(30_000, 40_000)]
)
def test_a_part_is_that_of_an_array(part: slice) -> None:
    found = filed(SOUND)[part]
    assert found.dtype == np.int16
    assert found.tolist() == SOUND[part].tolist()


def test_samples_of_a_file_are_not_skipped() -> None:
    with pytest.raises(ValueError, match="in their order"):
        filed(SOUND)[::2]


def test_what_is_on_the_disk_is_not_in_memory() -> None:
    block = bytes(2**16)
    tracemalloc.start()
    try:
        store = ByteStore(most_held_bytes=2**20)
        for number in range(16 * 16):
            store.write(number * len(block), block)
        assert len(store.rows(np.int16)) == 8 * 2**20
        # 16 MB were laid. One is held before the first writing, one before each later one.
        assert tracemalloc.get_traced_memory()[1] < 3 * 2**20
    finally:
        tracemalloc.stop()


def test_the_file_ends_with_its_samples() -> None:
    samples = filed(SOUND)
    file = samples._file._file
    assert not file.closed
    del samples
    assert file.closed


def test_a_tape_without_a_limit_reads_and_forgets_as_before() -> None:
    tape = SoundTape(Fraction(0))
    tape._store.write(0, SOUND[:100].tobytes())
    tape.forget(40)
    assert tape.read(30, 110)[:, 0].tolist() == [0] * 10 + SOUND[40:100].tolist() + [0] * 10
    assert tape.read(5, 20)[:, 0].tolist() == [0] * 15


def test_a_long_file_is_heard_as_a_short_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip())
    held = open_media(path).samples
    write_wav(tmp_path / "other.wav", held[:])
    beside = open_media(path, sound_file=tmp_path / "other.wav").samples
    monkeypatch.setattr(LIMIT, 1000)
    long = open_media(path).samples
    long_beside = open_media(path, sound_file=tmp_path / "other.wav").samples
    assert isinstance(long, FiledRows) and isinstance(long_beside, FiledRows)
    assert find_clicks(held[:]) == pytest.approx([0.5, 1.0, 1.5], abs=0.001)
    assert (long[:] == held).all() and len(long) == len(held)
    assert (long_beside[:] == beside).all() and len(long_beside) == len(beside)


def test_a_long_silent_track_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(click_times=()))
    monkeypatch.setattr("syncnet.media.listening.SAMPLES_LOOKED_AT", 1000)
    loud = write_clip(tmp_path / "loud.mp4", Clip(click_times=(1.9,)))
    # Only the last of many parts holds anything.
    assert not _is_recorded(filed(open_media(path).samples[:]))
    assert _is_recorded(filed(open_media(loud).samples[:]))


def test_a_score_is_the_same_to_the_last_digit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = WeightsPolicy(offline=True)
    stages = Stages(load_lite("cpu", policy), resolve_detector("lite", policy), keep_embeddings=True)
    path = repository / "samples" / "in_sync.mp4"
    held = score_video(path, stages, StopFlag())
    monkeypatch.setattr(LIMIT, 1000)
    monkeypatch.setattr("syncnet.models.lite.MOST_HELD_BYTES", 1000)
    monkeypatch.setattr("syncnet.scoring.lips.LIPS_AT_ONCE", 30)
    long = score_video(path, stages, StopFlag())
    assert held.tracks and held.keepsake and long.keepsake and held.embedded and long.embedded
    assert repr(replace(long, keepsake=None, embedded=None)) == repr(replace(held, keepsake=None, embedded=None))
    for now, before in zip(long.keepsake.tracks, held.keepsake.tracks, strict=True):
        np.testing.assert_array_equal(now.curves, before.curves)
        np.testing.assert_array_equal(now.confidence, before.confidence)
    np.testing.assert_array_equal(long.keepsake.loudness_db, held.keepsake.loudness_db)
    np.testing.assert_array_equal(long.keepsake.speech, held.keepsake.speech)
    np.testing.assert_array_equal(long.embedded.sound, held.embedded.sound)
    np.testing.assert_array_equal(long.embedded.lips[0], held.embedded.lips[0])


@pytest.mark.usefixtures("small_pieces")
def test_rows_of_a_file_are_those_that_were_appended() -> None:
    numbers = np.random.default_rng(4).normal(size=(90, 8)).astype(np.float32)
    store = ByteStore(most_held_bytes=500)
    for first in range(0, 90, 7):
        store.append(numbers[first : first + 7])
    rows = store.rows(np.float32, 8, first=2, end=80)
    assert isinstance(rows, FiledRows) and len(rows) == 78
    assert (rows[:] == numbers[2:80]).all() and (rows[3:5] == numbers[5:7]).all()
    assert rows[200:].shape == (0, 8)
    assert len(store.rows(np.float32, 8, end=200)) == 90


def test_the_published_streams_see_and_hear_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model = SyncNetV2(SyncNetV2Streams(SyncNetV2Layers()), "seeded", "cpu")
    held = model.embed(_pushed(model), SOUND, 3, 20)
    monkeypatch.setattr("syncnet.models.syncnet_v2.MOST_HELD_BYTES", 1000)
    long = model.embed(_pushed(model), filed(SOUND), 3, 20)
    assert isinstance(long.video, FiledRows) and isinstance(long.audio, FiledRows)
    assert held.audio[:].shape == held.video[:].shape == (15, 1024)
    assert (long.audio[:] == held.audio[:]).all() and (long.video[:] == held.video[:]).all()


def _pushed(model: SyncNetV2) -> SyncNetV2FaceEncoder:
    encoder = model.face_encoder()
    encoder.push(np.zeros((20, 224, 224, 3), np.uint8))
    return encoder


def test_a_repair_finds_the_same_places(repository: Path) -> None:
    sound = open_media(repository / "samples" / "in_sync.mp4").samples[:]
    moved = np.concatenate([np.zeros(1600, np.int16), sound])
    correction = Correction((Step(0.0, 100.0), Step(2.0, 140.0)))
    assert cut_in_silence(correction, filed(sound)) == cut_in_silence(correction, sound)
    whole = Correction((Step(0.0, 100.0),))
    assert misplaced_ms(filed(sound), filed(moved), whole) == misplaced_ms(sound, moved, whole) == pytest.approx(0)


def test_a_movie_is_given_the_same_sound() -> None:
    held, long = HeldSound(SOUND), HeldSound(filed(SOUND))
    assert long.seconds == held.seconds == Fraction(20_000, 16_000)
    assert (long.read(640, 1280) == held.read(640, 1280)).all()
    assert long.read(640, 1280).shape == (SAMPLES_PER_FRAME, 1)
