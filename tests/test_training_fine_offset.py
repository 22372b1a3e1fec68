"""The error of the fine offset: moves by a part of a frame, and what a reading of them is held against."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from syncnet.scoring.timing import Timing
from training import fine_offset
from training.judge import TalkingClip


def test_a_sound_is_moved_by_whole_samples() -> None:
    click = np.zeros(64_000, np.int16)
    click[1000] = 1
    # 16 samples are a millisecond.
    assert [np.flatnonzero(fine_offset.moved(click, ms)).tolist() for ms in (7.0, -12.0, -100.0)] == [[1112], [808], []]


@pytest.mark.parametrize("wrong_ms", [0.0, 3.0])
def test_the_error_is_what_is_read_beyond_the_move(monkeypatch: pytest.MonkeyPatch, wrong_ms: float) -> None:
    click = np.zeros(64_000, np.int16)
    click[20_000] = 1

    def read(_model: object, _clip: object, samples: np.ndarray, _seconds: int) -> Timing:
        late_ms = (int(np.flatnonzero(samples)[0]) - 20_000) / 16
        # The clip's own offset is 25 ms, which is no error.
        read_ms = 25.0 - late_ms + (wrong_ms if late_ms else 0.0)
        return Timing(read_ms, (read_ms - 2, read_ms + 2))

    monkeypatch.setattr(fine_offset, "_timing", read)
    clip = TalkingClip("a", torch.zeros(98, 128), click)
    found = list(fine_offset.errors_of(None, [clip], 4))  # type: ignore[arg-type]
    assert found == [("a", pytest.approx(wrong_ms), wrong_ms <= 2)] * len(fine_offset.MOVES_MS)
