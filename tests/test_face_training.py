"""How the face detector is trained: what becomes of labels, which cells learn what, and what a table counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from detectors.lite_network import LiteFaceNetwork, cell_centres
from detectors.protocol import Detections
from training.face.batches import change
from training.face.degrade import degrade
from training.face.evaluate import compare
from training.face.labels import Faces, merge
from training.face.loss import assign, detection_loss
from training.face.pictures import COLUMNS, FACE, IGNORED, label_rows
from training.face.synthesis import SIDE_PX, Composed


def faces(*rows: tuple[float, float, float, float, float]) -> Faces:
    """Of left, top, right, bottom, score; landmarks at a quarter, half and three quarters of the box."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    corner, size = table[:, None, :2], (table[:, 2:4] - table[:, :2])[:, None]
    places = np.array([(0.25, 0.25), (0.75, 0.25), (0.5, 0.5), (0.25, 0.75), (0.75, 0.75)], np.float32)
    return Faces(table[:, :4], corner + size * places, table[:, 4])


def composed(known: Faces, wrong: Faces | None = None, *, has_no_others: bool = False) -> Composed:
    return Composed(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8), known, wrong or Faces.none(), has_no_others)


def row(
    left: float, top: float, right: float, bottom: float, score: float, kind: int, learn_box: int = 1
) -> list[float]:
    return [*(left, top, right, bottom), *[(left + right) / 2, (top + bottom) / 2] * 5, score, kind, learn_box]


def test_a_quarter_turn_and_a_doubling_move_middle_and_landmarks() -> None:
    # (x, y) -> (2y, -2x + 100): the middle (20, 30) goes to (60, 60), a box of 20 x 40 becomes 40 x 80.
    moved = faces((10, 10, 30, 50, 0.9)).moved(np.array([[0.0, 2.0, 0.0], [-2.0, 0.0, 100.0]]))
    assert moved.boxes.tolist() == [[40, 20, 80, 100]]
    assert moved.landmarks[0, 0].tolist() == [40, 70]  # from (15, 20)


def test_mirrored_faces_keep_the_left_eye_left() -> None:
    mirrored = faces((10, 10, 30, 50, 0.9)).mirrored(100)
    assert mirrored.boxes.tolist() == [[70, 10, 90, 50]]
    assert mirrored.landmarks[0].tolist() == [[75, 20], [85, 20], [80, 30], [75, 40], [85, 40]]


def test_views_are_merged_by_score_and_weight() -> None:
    own, other = faces((0, 0, 40, 40, 0.9), (100, 0, 140, 40, 0.9)), faces((6, 0, 46, 40, 0.6))
    merged = merge([(own, 2.0), (other, 1.0)])
    # 2 x 0.9 to 1 x 0.6 is three to one: a quarter of six pixels.
    assert merged.boxes[0].tolist() == pytest.approx([1.5, 0, 41.5, 40])
    # Seen twice: the mean of both; seen once: half of what is above 0.5.
    assert merged.scores.tolist() == pytest.approx([0.75, 0.7])
    assert len(merge([(Faces.none(), 1.0)])) == 0


def test_what_is_learnt_of_a_picture() -> None:
    known = faces((10, 10, 50, 60, 0.9), (100, 100, 140, 150, 0.9), (200, 10, 212, 24, 0.9))
    seen = faces(
        (12, 10, 52, 60, 0.95), (250, 250, 300, 310, 0.9), (250, 100, 290, 150, 0.5), (150, 250, 190, 300, 0.9)
    )
    rows = label_rows(composed(known, wrong=faces((150, 250, 190, 300, 0.9))), seen, Faces.none())
    told = {tuple(line[:4].astype(int)): (round(float(line[14]), 2), int(line[15]), int(line[16])) for line in rows}
    assert told == {
        (12, 10, 52, 60): (0.95, FACE, 1),  # the teacher's box
        (100, 100, 140, 150): (0.8, FACE, 0),  # it does not see this one
        (200, 10, 212, 24): (0.8, IGNORED, 0),  # nor this one, which is small
        (250, 250, 300, 310): (0.9, FACE, 1),
        (250, 100, 290, 150): (0.5, IGNORED, 1),  # unsure
    }


def test_on_a_background_without_faces_unsure_places_are_none() -> None:
    seen = faces((10, 10, 50, 60, 0.5), (100, 100, 140, 150, 0.9))
    rows = label_rows(composed(Faces.none(), has_no_others=True), seen, seen)
    assert [(int(line[0]), int(line[15])) for line in rows] == [(100, IGNORED)]


def test_cells_of_a_face() -> None:
    labels = torch.tensor([[row(20, 20, 52, 52, 0.9, FACE), row(80, 80, 120, 120, 0.5, IGNORED)]])
    centres = cell_centres(16, 16, 8, torch.device("cpu")).flatten(0, 1)
    scores = assign(labels, centres, 8, (0.0, 42.0)).scores[0].view(16, 16)
    # Middle (36, 36), radius 0.22 x 32 = 7.04: the cells at 32 and 40. Those within twice as far may tell of it too.
    assert (scores[4:6, 4:6] == 0.9).all()
    assert (scores > 0).sum() == 4
    assert scores[3, 4] == scores[6, 6] == -1 and scores[2, 4] == 0
    # Cells inside the ignored box: 88 to 112.
    assert (scores[11:15, 11:15] == -1).all() and scores[10, 11] == 0
    # To a level of larger faces it is none, but for those near its limit.
    assert (assign(labels, centres, 8, (78.0, 1e9)).scores[0].view(16, 16)[4:6, 4:6] == 0).all()
    assert (assign(labels, centres, 8, (40.0, 116.0)).scores[0].view(16, 16)[4:6, 4:6] == -1).all()


def test_a_network_learns_the_face_of_one_picture() -> None:
    torch.manual_seed(1)
    network = LiteFaceNetwork()
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    pictures = torch.randint(0, 60, (2, 96, 96, 3), dtype=torch.uint8)
    pictures[0, 20:56, 30:60] += 150
    labels = torch.tensor([[row(30, 20, 60, 56, 0.9, FACE)], [[0.0] * COLUMNS]])
    first = None
    for _ in range(40):
        loss, _ = detection_loss(network(pictures), labels)
        first = first or float(loss.detach())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    told = network(pictures)[0].detach()
    # The cell at row 5, column 6 lies at (48, 40), near the middle (45, 38).
    assert float(loss.detach()) < first / 4
    assert float(told[0, 5, 6, 0].sigmoid()) > 0.5 > float(told[1, ..., 0].sigmoid().max())


def test_labels_stay_on_their_face_through_all_changes() -> None:
    picture = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    picture[140:180, 150:180] = 255
    rows = np.zeros((16, COLUMNS), np.float32)
    rows[0] = row(150, 140, 180, 180, 0.9, FACE)
    rng = np.random.default_rng(1)
    for _ in range(50):
        changed, moved = change(picture, rows, rng)
        bright = np.argwhere(changed[..., 0] > 127)
        top, left = bright.min(axis=0)
        bottom, right = bright.max(axis=0) + 1
        assert np.abs(moved[0, :4] - (left, top, right, bottom)).max() <= 1.5
        assert moved[0, 4:6] == pytest.approx([(left + right) / 2, (top + bottom) / 2], abs=1.5)


def test_a_spoilt_picture_is_of_the_same_kind() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8)
    spoilt = [degrade(picture, np.random.default_rng(seed)) for seed in range(40)]
    assert {(one.shape, one.dtype.name) for one in spoilt} == {((64, 64, 3), "uint8")}
    # One in six is dark: below half of the light, which is 127.
    assert 1 <= sum(one.mean() < 64 for one in spoilt) <= 15


def test_what_the_table_counts() -> None:
    def of(*boxes: tuple[float, float, float, float]) -> Detections:
        return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.ones(len(boxes), np.float32))

    theirs = [of((0, 0, 50, 60), (100, 0, 150, 60), (200, 0, 210, 12)), of(), of()]
    ours = [of((0, 0, 50, 54), (300, 0, 350, 60)), of((0, 0, 9, 9)), of((0, 0, 9, 9))]
    counted = compare(theirs, ours, [False, True, False], 24)
    # The third is too small to count. 54 of 60 lines are shared.
    assert counted.overlaps.tolist() == pytest.approx([0.9, 0.0])
    assert (counted.found, counted.extra, counted.frames_without, counted.false) == (0.5, 3, 1, 1)
