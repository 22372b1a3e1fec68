"""What was seen in each frame comes back as it was given, before and after it is put by."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.protocol import Detections
from syncnet.faces.detection_log import DetectionLog


def faces(*lefts: float) -> Detections:
    boxes = np.array([(left, 1, left + 2, 3) for left in lefts], np.float32).reshape(-1, 4)
    return Detections(boxes, np.array(lefts, np.float32) / 8)


def test_a_log_is_a_dictionary_in_the_order_of_frames() -> None:
    log, seen = DetectionLog(), {0: faces(4), 10: faces(), 5: faces(1, 2), 15: faces(3), 12: faces(6, 7, 8)}
    for frame in (0, 10, 5):
        log[frame] = seen[frame]
    log.settle(11)
    log[15] = faces(9)
    log[12] = seen[12]
    log[15] = seen[15]
    log.settle(13)
    assert list(log) == [0, 5, 10, 12, 15] and len(log) == 5
    for frame, detections in seen.items():
        assert log[frame].boxes.tolist() == detections.boxes.tolist()
        assert log[frame].scores.tolist() == detections.scores.tolist()
        assert log[frame].boxes.dtype == log[frame].scores.dtype == np.float32
    assert log.get(11) is log.get(16) is None


def test_what_is_read_does_not_change_when_more_comes() -> None:
    log = DetectionLog()
    log[0] = faces(1)
    log.settle(1)
    read = log[0].boxes
    for frame in range(1, 200):
        log[frame] = faces(frame)
    log.settle(200)
    read += 5
    assert log[0].boxes.tolist() == [[1, 1, 3, 3]]
    with pytest.raises(KeyError):
        log[200]
