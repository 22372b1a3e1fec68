"""S3FD: equal to the published network, and anchors, boxes and suppression by hand."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch

from detectors.s3fd import S3fdDetector, S3fdSpec, load_s3fd, resize_as_published
from detectors.s3fd.boxes import anchors, decode, pick_faces
from detectors.s3fd.network import SMALLEST_SIDE_PX, S3fdNetwork
from syncnet.errors import ModelFileError
from synthetic.weights import write_seeded_s3fd

# Held between versions of the libraries; the seeded boxes reach 1e5 widths of the picture.
GOLDEN_TOLERANCE = {"rtol": 2e-4, "atol": 1e-4}
# Seeded loc reach 160, of which float32 keeps 1e-5, and some of the smallest are differences of such numbers: of the
# 19,244 of one picture, two are 2e-4 off with some convolution kernels (and none in float64).
LOC_TOLERANCE = {"rtol": 2e-4, "atol": 5e-4}
NO_LOC = np.zeros((1, 4), np.float32)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> S3fdSpec:
    return load_s3fd(write_seeded_s3fd(tmp_path_factory.mktemp("weights") / "sfd_face.pth"), "cpu")


@pytest.fixture(scope="module")
def golden_pictures(test_data: Path) -> dict[str, np.ndarray]:
    """BGR, as frames are."""
    with av.open(str(test_data / "clips" / "example.avi")) as container:
        first = next(container.decode(video=0)).to_ndarray(format="bgr24")
    with np.load(test_data / "goldens" / "s3fd_seeded_320x180.npz") as golden:
        oblong = np.ascontiguousarray(golden["image_rgb"][:, :, ::-1])
    return {"scale1": first, "scale0.5": resize_as_published(first, 0.5), "320x180": oblong}


@pytest.mark.parametrize("name", ["scale1", "scale0.5", "320x180"])
def test_network_equals_the_published_one(
    test_data: Path, golden_pictures: dict[str, np.ndarray], seeded: S3fdSpec, name: str
) -> None:
    picture = golden_pictures[name]
    with torch.inference_mode():
        loc, probability, levels = seeded.network(torch.from_numpy(picture)[None])
    every = anchors(picture.shape[1], picture.shape[0], levels)
    with np.load(test_data / "goldens" / f"s3fd_seeded_{name}.npz") as golden:
        np.testing.assert_allclose(loc[0].numpy(), golden["loc"], **LOC_TOLERANCE)
        np.testing.assert_allclose(probability[0].numpy(), golden["face_probability"], **GOLDEN_TOLERANCE)
        np.testing.assert_allclose(every, golden["priors"], rtol=1e-6)  # one rounding to float32
        # From the golden loc: what float32 lost in ours was weighed above, the decoding is weighed alone.
        np.testing.assert_allclose(decode(golden["loc"], every), golden["boxes_fraction"], **GOLDEN_TOLERANCE)


def test_state_dict_has_the_published_names_and_shapes() -> None:
    state = S3fdNetwork().state_dict()
    assert len(state) == 65
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert shapes["vgg.0.weight"] == (64, 3, 3, 3)
    assert shapes["vgg.28.weight"] == (512, 512, 3, 3)
    assert shapes["vgg.31.weight"] == (1024, 512, 3, 3)
    assert shapes["vgg.33.bias"] == (1024,)
    assert shapes["L2Norm3_3.weight"] == (256,)
    assert shapes["extras.3.weight"] == (256, 128, 3, 3)
    assert shapes["conf.0.weight"] == (4, 256, 3, 3)
    assert shapes["conf.5.weight"] == (2, 256, 3, 3)
    assert shapes["loc.3.weight"] == (4, 1024, 3, 3)


def test_anchors_by_hand() -> None:
    # A picture of 64 x 32 with a level of 2 columns and 1 row (step 4, side 16) and one of a single place (step 8,
    # side 32). Centres at 2 and 6 px, and at 4 px.
    expected = [
        [2 / 64, 2 / 32, 16 / 64, 16 / 32],
        [6 / 64, 2 / 32, 16 / 64, 16 / 32],
        [4 / 64, 4 / 32, 32 / 64, 32 / 32],
    ]
    np.testing.assert_allclose(anchors(64, 32, ((1, 2), (1, 1))), expected)
    assert anchors(64, 32, ((1, 2), (1, 1))) is anchors(64, 32, ((1, 2), (1, 1))), "computed once per size"


def test_decoding_by_hand() -> None:
    anchor = np.array([[0.5, 0.5, 0.2, 0.4]], np.float32)
    np.testing.assert_allclose(decode(NO_LOC, anchor), [[0.4, 0.3, 0.6, 0.7]], rtol=1e-6)
    # Centre moved by a tenth of the anchor's size, so to 0.52, 0.46; height doubled to 0.8 by exp(0.2 * 5 ln 2).
    loc = np.array([[1.0, -1.0, 0.0, 5 * np.log(2)]], np.float32)
    np.testing.assert_allclose(decode(loc, anchor), [[0.42, 0.06, 0.62, 0.86]], rtol=1e-6)


def square(left: float, side: float = 100.0) -> list[float]:
    return [left, 0.0, left + side, 100.0]


def test_suppression_by_hand() -> None:
    boxes = np.array(
        [
            square(300),  # overlaps nothing, but is not sure enough
            square(80),  # shares 20 of 180 columns with the surest: 0.11, so falls to it in the second stage
            square(0),  # the surest
            square(0, side=60),  # shares 60 of 100 columns with the surest: 0.6
            square(200),  # shares 0 with the surest, but see below
            square(500),
            square(585),  # shares 15 of 185 columns with its neighbour: 0.08
        ],
        np.float32,
    )
    scores = np.array([0.89, 0.98, 0.99, 0.95, 0.97, 0.91, 0.92], np.float32)
    assert pick_faces(boxes, scores).tolist() == [2, 4, 6, 5]


def test_a_box_may_fall_to_one_that_falls_itself() -> None:
    # 120 shares 60 of 140 columns with 80: 0.43, first stage; 80 shares 0.11 with 0: second stage. 140 shares 40 of 160
    # columns with 80: 0.25, and nothing with 0, so it stays.
    boxes = np.array([square(0), square(80), square(120)], np.float32)
    assert pick_faces(boxes, np.array([0.99, 0.98, 0.97], np.float32)).tolist() == [0]
    boxes[2] = square(140)
    assert pick_faces(boxes, np.array([0.99, 0.98, 0.97], np.float32)).tolist() == [0, 2]


def test_at_most_750_faces_are_kept_the_surest_of_5000() -> None:
    # 6,000 boxes apart from each other, sure in the reverse of their order.
    boxes = np.array([square(200.0 * i) for i in range(6000)], np.float32)
    scores = np.linspace(0.91, 0.99, 6000, dtype=np.float32)
    assert pick_faces(boxes, scores).tolist() == list(range(5999, 5249, -1))
    # Two piles, the higher of them 5,000 boxes: the lower never comes to a vote.
    boxes = np.array([square(0)] * 5000 + [square(500)] * 1000, np.float32)
    assert pick_faces(boxes, scores[::-1]).tolist() == [0]


def test_no_candidate_gives_no_face() -> None:
    assert len(pick_faces(np.empty((0, 4), np.float32), np.empty(0, np.float32))) == 0
    assert len(pick_faces(np.array([square(0)], np.float32), np.array([0.9], np.float32))) == 0


def test_boxes_far_beyond_the_frame_are_no_error(golden_pictures: dict[str, np.ndarray], seeded: S3fdSpec) -> None:
    picture = golden_pictures["scale1"]
    found = S3fdDetector(seeded.network, "cpu", lambda frame: frame).detect(picture)
    # The seeded network is sure of boxes of up to 1e5 widths.
    assert len(found.boxes) > 0 and (found.scores > 0.9).all()
    assert (found.boxes >= 0).all() and (found.boxes <= 224).all()


@pytest.fixture
def four_faces() -> S3fdNetwork:
    """Sees, in a picture of up to 256 x 256, a face of 51.2 px at each of the last level's four anchors."""
    network = S3fdNetwork().eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.zero_()
    for classify in network.conf:
        classify.bias[:] = torch.tensor([*[0.0] * (len(classify.bias) - 1), -10.0])
    network.conf[5].bias[:] = torch.tensor([0.0, 4.0])
    network.loc[5].bias[2:] = 5 * np.log(0.1)  # a tenth of the anchor's 512 px
    return network


def test_boxes_are_in_pixels_of_the_full_frame_and_inside_it(four_faces: S3fdNetwork) -> None:
    frame = np.zeros((400, 448, 3), np.uint8)
    detector = S3fdDetector(four_faces, "cpu", lambda frame: resize_as_published(frame, 0.5))
    found = detector.detect(frame)
    # Anchors at 64 and 192 px of a picture of 224 x 200, so at 128 and 384 px of the frame; sides are 102.4 px. The
    # lower faces reach to 435.2 px, where the frame ends at 400.
    near, far = (128 - 51.2, 128 + 51.2), (384 - 51.2, 384 + 51.2)
    expected = [(x[0], y[0], x[1], min(y[1], 400)) for y in (near, far) for x in (near, far)]
    np.testing.assert_allclose(found.boxes, expected, rtol=1e-5)
    assert found.boxes.dtype == found.scores.dtype == np.float32
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-4)), rtol=1e-5)


def test_background_of_the_first_level_is_the_largest_of_three(four_faces: S3fdNetwork) -> None:
    four_faces.conf[0].bias[:] = torch.tensor([-5.0, 3.0, -5.0, 2.0])
    _, probability, levels = four_faces(torch.zeros(1, 64, 64, 3, dtype=torch.uint8))
    assert levels == ((16, 16), (8, 8), (4, 4), (2, 2), (1, 1), (1, 1))
    np.testing.assert_allclose(probability[0, : 16 * 16], 1 / (1 + np.exp(1)), rtol=1e-5)


def test_network_gives_in_a_batch_what_it_gives_alone(seeded: S3fdSpec) -> None:
    frames = torch.from_numpy(np.random.default_rng(3).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8))
    with torch.inference_mode():
        loc, probability, levels = seeded.network(frames)
        for position in range(2):
            loc_alone, probability_alone, levels_alone = seeded.network(frames[position : position + 1])
            assert levels_alone == levels
            # Batches of another size may round differently in the last digits.
            torch.testing.assert_close(loc_alone[0], loc[position], **LOC_TOLERANCE)
            torch.testing.assert_close(probability_alone[0], probability[position], **LOC_TOLERANCE)


class RecordingNetwork(S3fdNetwork):
    """Sees one face on the single anchor of its single level, as sure as the frame's first pixel is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, ...]] = []

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, tuple[tuple[int, int], ...]]:
        self.seen.append(tuple(frames.shape))
        return torch.zeros(len(frames), 1, 4), frames[:, :1, 0, 0] / 100, ((1, 1),)


def test_batch_comes_back_in_order_and_goes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectors.s3fd._PIXELS_AT_ONCE", 2 * 100 * 80 + 1)
    network = RecordingNetwork()
    detector = S3fdSpec(network, "none", "cpu").create(25, 100, 80)
    brightness = [99, 10, 95, 91, 98]
    found = detector.detect_batch([np.full((80, 100, 3), value, np.uint8) for value in brightness])
    assert [shape[0] for shape in network.seen] == [2, 2, 1]
    assert [len(faces.boxes) for faces in found] == [1, 0, 1, 1, 1]
    assert [faces.scores[0] for faces in found if len(faces.scores)] == pytest.approx([0.99, 0.95, 0.91, 0.98])
    # The first anchor: centre 2, 2, side 16, cut at the frame's corner.
    assert found[0].boxes[0].tolist() == pytest.approx([0, 0, 10, 10], rel=1e-6)


def test_wanted_face_size_sets_the_size_that_is_looked_at() -> None:
    network = RecordingNetwork()
    frame = np.zeros((800, 1000, 3), np.uint8)
    S3fdSpec(network, "none", "cpu").create(50, 1000, 800).detect(frame)
    S3fdSpec(network, "none", "cpu", published_scale=True).create(50, 1000, 800).detect(frame)
    # 25 px are reliable, so faces of 50 px may be halved; the published quarter asks nothing.
    assert network.seen == [(1, 400, 500, 3), (1, 200, 250, 3)]


@pytest.mark.parametrize("side", [1, SMALLEST_SIDE_PX - 1, SMALLEST_SIDE_PX])
def test_tiny_picture_is_no_error(four_faces: S3fdNetwork, side: int) -> None:
    four_faces.loc[5].bias[0] = -50 / 51.2  # brings the column of anchors at 64 px to 14 px
    found = S3fdDetector(four_faces, "cpu", lambda frame: frame).detect(np.zeros((300, side, 3), np.uint8))
    # 300 rows become 150, 75, 38, 19, 9 and then 5 and 3: anchors at 64, 192 and 320 px; the last box starts at 294.4.
    assert found.boxes[:, 1].round(1).tolist() == pytest.approx([] if side < SMALLEST_SIDE_PX else [38.4, 166.4, 294.4])


def test_frame_of_one_pixel_or_none_at_all_is_no_error() -> None:
    detector = S3fdSpec(RecordingNetwork(), "none", "cpu", published_scale=True).create(50, 1, 1)
    assert len(detector.detect(np.zeros((1, 1, 3), np.uint8)).boxes) == 0
    assert detector.detect_batch([]) == []


def test_file_is_named_by_its_digest(seeded: S3fdSpec) -> None:
    assert seeded.name == "s3fd" and len(seeded.identity) == 64
    assert not any(parameter.requires_grad for parameter in seeded.network.parameters())


def test_file_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save({"vgg.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "sfd_face.pth")
    with pytest.raises(ModelFileError, match=r"does not fit the network \(Missing key"):
        load_s3fd(tmp_path / "sfd_face.pth", "cpu")
