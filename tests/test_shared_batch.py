from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from detectors.registry import resolve_detector
from detectors.s3fd import load_s3fd
from syncnet.models.lite import load_lite
from syncnet.pipeline import Stages, score_video
from syncnet.system.interruption import StopFlag
from syncnet.system.shared_batch import SharedBatch
from synthetic.weights import write_seeded_s3fd
from weights import WeightsPolicy


class Device:
    """Adds up each picture. Its first batch lasts until it is let go, so that the others gather behind it."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []
        self.started = threading.Event()
        self.go_on = threading.Event()

    def run(self, pictures: np.ndarray) -> list[int]:
        self.batches.append(pictures.shape)
        self.started.set()
        assert self.go_on.wait(30)
        if (pictures == 99).any():
            raise ValueError("99")
        return [int(picture.sum()) for picture in pictures]


def ask_together(device: Device, batch: SharedBatch[int], pictures: list[np.ndarray]) -> list[Callable[[], int]]:
    """Asks for the first, and for all others while the device is busy with it."""
    pool = ThreadPoolExecutor(len(pictures))
    futures = [pool.submit(batch.ask, pictures[0])]
    assert device.started.wait(30)
    for count, picture in enumerate(pictures[1:], start=1):
        futures.append(pool.submit(batch.ask, picture))
        while len(batch._waiting) < count:
            threading.Event().wait(0.001)
    device.go_on.set()
    return [lambda future=future: future.result(30) for future in futures]


def test_what_gathers_behind_a_batch_is_the_next_batch() -> None:
    device = Device()
    batch = SharedBatch(device.run, max_pictures=3)
    answers = ask_together(device, batch, [np.full(2, number) for number in range(6)])
    assert [answer() for answer in answers] == [0, 2, 4, 6, 8, 10]
    assert device.batches == [(1, 2), (3, 2), (2, 2)]


def test_pictures_of_another_shape_are_a_batch_of_their_own() -> None:
    device = Device()
    batch = SharedBatch(device.run, max_pictures=8)
    answers = ask_together(device, batch, [np.ones(1), np.ones(2), np.ones(3), np.ones(2)])
    assert [answer() for answer in answers] == [1, 2, 3, 2]
    assert device.batches == [(1, 1), (2, 2), (1, 3)]


def test_an_error_reaches_each_of_its_batch_and_no_other() -> None:
    device = Device()
    batch = SharedBatch(device.run, max_pictures=2)
    answers = ask_together(device, batch, [np.full(1, value) for value in (1, 99, 3, 4)])
    assert answers[0]() == 1 and answers[3]() == 4
    for answer in answers[1:3]:
        with pytest.raises(ValueError, match="99"):
            answer()


@pytest.mark.slow
def test_faces_through_the_queue_are_those_without_it(tmp_path: Path) -> None:
    spec = load_s3fd(write_seeded_s3fd(tmp_path / "sfd_face.pth"), "cpu")
    queued = spec.with_queue()
    frames = list(np.random.default_rng(6).integers(0, 256, (4, 72, 96, 3), dtype=np.uint8))
    expected = [spec.create(25, 96, 72).detect(frame) for frame in frames]
    assert any(len(faces.boxes) for faces in expected)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda frame: queued.create(25, 96, 72).detect(frame), frames))
    for faces, alone in zip(found, expected, strict=True):
        # Batches of another size may add up in another order.
        np.testing.assert_allclose(faces.boxes, alone.boxes, rtol=1e-4, atol=1e-2)
        np.testing.assert_allclose(faces.scores, alone.scores, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_videos_of_all_workers_through_the_queues_are_scored_as_one_by_one(repository: Path) -> None:
    policy = WeightsPolicy(offline=True)
    names = "in_sync", "sound_8_frames_late"
    paths = [repository / "samples" / f"{name}.mp4" for name in names]

    def stages(device: str) -> Stages:
        return Stages(load_lite(device, policy), resolve_detector("auto", policy, device))

    # The processor under another name stands for a GPU: all that is not "cpu" has a queue.
    plain, queued = stages("cpu"), stages("cpu:0")
    with ThreadPoolExecutor(len(paths)) as pool:
        found = list(pool.map(lambda path: score_video(path, queued, StopFlag()), paths))
    for path, together in zip(paths, found, strict=True):
        alone = score_video(path, plain, StopFlag())
        assert len(together.tracks) == len(alone.tracks) > 0
        for one, other in zip(together.tracks, alone.tracks, strict=True):
            assert one.score is not None and other.score is not None
            assert one.score.offset_frames == other.score.offset_frames
            assert one.score.confidence == pytest.approx(other.score.confidence, abs=0.02)
