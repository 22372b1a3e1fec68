"""The embedded face detector: boxes, landmarks, batches and sizes, on the bundled samples."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

import weights
from detectors.lite import LiteSpec, load_lite_detector
from detectors.lite_boxes import find_faces
from detectors.lite_network import FACE_PX, OUTPUTS, LiteFaceNetwork, cell_centres, decode
from detectors.protocol import box_overlaps
from detectors.registry import LITE_FILE, resolve_detector
from syncnet.errors import ModelFileError
from syncnet.models.folding import fold_norms
from weights import WeightsPolicy

SAMPLES = Path(__file__).parent.parent / "samples"
FRAME = 20
SAMPLE_FACE = np.array([[145.0, 143.0, 322.0, 368.0]])
"""In frame 20 of in_sync.mp4, ear to ear and from the hair to the chin, read off the picture by eye to some 8."""
SAMPLE_LANDMARKS = np.array([(189, 200), (275, 205), (229, 252), (196, 291), (260, 293)])
"""Pupils, tip of the nose and corners of the mouth there, to some 4 pixels."""


@pytest.fixture(scope="module")
def lite() -> LiteSpec:
    spec = resolve_detector("lite", WeightsPolicy(offline=True))
    assert isinstance(spec, LiteSpec)
    return spec


@pytest.fixture(scope="module")
def sample_frame() -> np.ndarray:
    return frames_of("in_sync.mp4")[FRAME]


def frames_of(name: str) -> list[np.ndarray]:
    with av.open(str(SAMPLES / name)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def boxes_in(spec: LiteSpec, frame: np.ndarray, min_face_px: int = 50) -> np.ndarray:
    return spec.create(min_face_px, frame.shape[1], frame.shape[0]).detect(frame).boxes


def laid_on(frame: np.ndarray, factor: float, width: int, height: int, left: int, top: int) -> np.ndarray:
    """The frame resized and laid on a grey canvas."""
    canvas = np.full((height, width, 3), 110, np.uint8)
    small = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def test_it_is_the_file_of_the_manifest(lite: LiteSpec) -> None:
    content = (Path(weights.__file__).parent / LITE_FILE).read_bytes()
    entry = weights.load_manifest()[LITE_FILE]
    assert (entry["sha256"], entry["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (lite.name, lite.identity) == ("lite", entry["sha256"])
    assert len(content) < 1_000_000


def test_box_reaches_from_forehead_to_chin(lite: LiteSpec, sample_frame: np.ndarray) -> None:
    boxes = boxes_in(lite, sample_frame)
    assert len(boxes) == 1
    # 8 pixels at each border, as sure as the reading is, leave 0.86 of the box.
    assert box_overlaps(boxes, SAMPLE_FACE)[0, 0] > 0.8


def test_landmarks_are_eyes_nose_and_mouth_from_left_to_right(lite: LiteSpec, sample_frame: np.ndarray) -> None:
    (_, landmarks, _), (_, mirrored, _) = lite.look([sample_frame, np.ascontiguousarray(sample_frame[:, ::-1])])
    # A twentieth of the face's width, and what the reading is off.
    assert np.abs(landmarks[0] - SAMPLE_LANDMARKS).max() < 13
    turned_back = (len(sample_frame) - 1 - mirrored[0, :, 0])[[1, 0, 2, 4, 3]]
    assert np.abs(turned_back - SAMPLE_LANDMARKS[:, 0]).max() < 13


@pytest.mark.parametrize(("factor", "overlap"), [(0.15, 0.5), (0.3, 0.7), (0.6, 0.7), (1.0, 0.8)])
def test_faces_of_any_size_are_found_where_they_are(
    lite: LiteSpec, sample_frame: np.ndarray, factor: float, overlap: float
) -> None:
    # The face is 225 pixels high, so 34 to 225 here; no frame of this size is reduced. Overlaps count from 0.5 on.
    boxes = boxes_in(lite, laid_on(sample_frame, factor, 480, 460, 17, 5), min_face_px=20)
    assert len(boxes) == 1
    assert box_overlaps(boxes, SAMPLE_FACE * factor + (17, 5, 17, 5))[0, 0] > overlap


def test_a_large_and_a_small_face_in_a_large_frame(lite: LiteSpec, sample_frame: np.ndarray) -> None:
    # For faces of 20 pixels the frame is not reduced, and the large face has 540 pixels: more than were learnt.
    frame = laid_on(sample_frame, 2.4, 1920, 1080, 800, 0)
    frame[600:675, 100:175] = cv2.resize(sample_frame, (75, 75), interpolation=cv2.INTER_AREA)
    boxes = boxes_in(lite, frame, min_face_px=20)
    boxes = boxes[np.argsort(boxes[:, 0])]
    wanted = np.concatenate([SAMPLE_FACE * 75 / 448 + (100, 600, 100, 600), SAMPLE_FACE * 2.4 + (800, 0, 800, 0)])
    assert len(boxes) == 2
    assert (np.diag(box_overlaps(boxes, wanted)) > (0.5, 0.7)).all()


def test_frames_of_samples_have_their_face_or_none(lite: LiteSpec) -> None:
    assert [len(boxes_in(lite, frame)) for frame in frames_of("other_sentence.mp4")[::12]] == [1] * 13
    assert [len(boxes_in(lite, frame)) for frame in frames_of("no_face.mp4")[::12]] == [0] * 13


@pytest.mark.parametrize("value", [0, 110, 255])
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (31, 17), (33, 64), (240, 320)])
def test_an_empty_picture_of_any_size_has_no_face(lite: LiteSpec, size: tuple[int, int], value: int) -> None:
    found = lite.create(50, size[1], size[0]).detect(np.full((*size, 3), value, np.uint8))
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)


def test_a_face_cut_by_the_border_has_a_box_inside(lite: LiteSpec, sample_frame: np.ndarray) -> None:
    cut = np.ascontiguousarray(sample_frame[:330, 190:])
    boxes = boxes_in(lite, cut)
    assert len(boxes) == 1
    assert (boxes[0, :2] >= 0).all() and boxes[0, 2] <= 258 and boxes[0, 3] <= 330


def test_a_batch_gives_what_single_frames_give(lite: LiteSpec, sample_frame: np.ndarray) -> None:
    frames = [
        sample_frame,
        np.zeros_like(sample_frame),
        laid_on(sample_frame, 0.5, 448, 448, 200, 100),
        np.ascontiguousarray(sample_frame[:, ::-1]),
    ]
    batch = lite.create(50, 448, 448).detect_batch(frames)
    assert [len(found.boxes) for found in batch] == [1, 0, 1, 1]
    for found, frame in zip(batch, frames, strict=True):
        alone = lite.create(50, 448, 448).detect(frame)
        # Convolutions of another batch size may add up in another order.
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=0.01)
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-4)
    assert lite.create(50, 448, 448).detect_batch([]) == []


def test_the_queue_of_a_gpu_gives_the_same(lite: LiteSpec, sample_frame: np.ndarray) -> None:
    queued = lite.with_queue()
    np.testing.assert_allclose(boxes_in(queued, sample_frame), boxes_in(lite, sample_frame), atol=0.01)


def test_it_runs_on_the_device_that_is_named() -> None:
    path = Path(weights.__file__).parent / LITE_FILE
    for device in ("cpu", "meta"):
        spec = load_lite_detector(path, device)
        assert {parameter.device.type for parameter in spec.network.parameters()} == {device}


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    (tmp_path / LITE_FILE).write_bytes(b"not weights")
    with pytest.raises(ModelFileError, match="not the expected file"):
        resolve_detector("lite", WeightsPolicy(tmp_path, offline=True))
    with pytest.raises(ModelFileError, match="cannot be read as weights"):
        resolve_detector("lite", WeightsPolicy(tmp_path, offline=True, allow_unverified=True))


def test_a_missing_file_is_restored_from_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_OWN_FOLDER", tmp_path)
    with pytest.raises(ModelFileError, match=r"lite_face\.safetensors.*git checkout"):
        resolve_detector("lite", WeightsPolicy(offline=True))


def test_folded_norms_change_nothing() -> None:
    torch.manual_seed(1)
    network = LiteFaceNetwork()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 5)  # type: ignore[union-attr]
                module.running_var.uniform_(0.5, 20)  # type: ignore[union-attr]
                module.weight.uniform_(0.5, 2)
                module.bias.normal_()
    network.eval()
    picture = torch.randint(0, 256, (2, 75, 130, 3), dtype=torch.uint8)
    before = network(picture)
    fold_norms(network)
    for told, again in zip(before, network(picture), strict=True):
        torch.testing.assert_close(told, again, rtol=1e-3, atol=1e-3)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    # Rows and columns are a quarter of 75 and 130, rounded, then halved twice, thrice, four times, rounded up.
    assert [tuple(told.shape) for told in before] == [(2, 9, 16, 15), (2, 5, 8, 15), (2, 3, 4, 15)]


def test_what_a_cell_tells() -> None:
    told = torch.zeros(OUTPUTS)
    told[1:5] = torch.tensor([0.5, -0.25, float(np.log(2)), 0.0])
    told[5:7] = torch.tensor([1.0, -0.5])
    boxes, landmarks = decode(told, cell_centres(4, 6, 16, torch.device("cpu"))[3, 5], 16, 56.0)
    # The cell lies at (80, 48), the middle at (88, 44); the box is twice 56 wide and 56 high.
    assert boxes.tolist() == pytest.approx([32, 16, 144, 72])
    assert landmarks[:2].tolist() == [[136, 20], [80, 48]]


def test_cells_that_tell_of_one_face_give_one_box() -> None:
    levels = [torch.zeros(1, 8, 8, OUTPUTS), torch.zeros(1, 4, 4, OUTPUTS), torch.zeros(1, 2, 2, OUTPUTS)]
    for level in levels:
        level[..., 0] = -10
    levels[0][0, 2, 2, 0], levels[0][0, 2, 3, 0] = 2.0, 1.0
    levels[0][0, 2, 3, 1] = -0.5
    levels[0][0, 7, 0, 0] = 0.5
    levels[1][0, 0, 3, 0] = 0.3
    ((boxes, landmarks, scores),) = find_faces(levels, 0.6)
    # The two middles lie at x = 16 and 20 and are averaged by score, 0.881 to 0.731. A logit of 0.3 is a score of 0.57.
    assert scores.tolist() == pytest.approx([0.8808, 0.6225], abs=1e-4)
    middle = (16 * 0.8808 + 20 * 0.7311) / (0.8808 + 0.7311)
    half = FACE_PX[0] / 2
    assert boxes[0].tolist() == pytest.approx([middle - half, 16 - half, middle + half, 16 + half], abs=1e-3)
    assert boxes[1].tolist() == pytest.approx([-half, 56 - half, half, 56 + half])
    assert landmarks.shape == (2, 5, 2)
