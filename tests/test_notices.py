from __future__ import annotations

from syncnet.report.notices import find_notices
from syncnet.settings import ScorerSettings
from weights import Identity
from weights.manifest import load_manifest

AUTO = ScorerSettings()
LITE = Identity("lite", load_manifest()["lite.safetensors"]["sha256"])
PUBLISHED = Identity("syncnet_v2", load_manifest()["syncnet_v2.model"]["sha256"])
YUNET = Identity("yunet", load_manifest()["face_detection_yunet_2023mar.onnx"]["sha256"])
HAAR = Identity("haar", "0" * 64)


def test_what_auto_fell_back_from_is_told_with_the_command_that_gets_it() -> None:
    model, detector = find_notices(AUTO, LITE, HAAR)
    assert "python -m weights fetch syncnet_v2.model" in model
    assert "python -m weights fetch face_detection_yunet_2023mar.onnx" in detector


def test_nothing_is_said_of_what_was_found_or_asked_for() -> None:
    assert find_notices(AUTO, PUBLISHED, YUNET) == ()
    assert find_notices(ScorerSettings(model="lite", detector="haar"), LITE, HAAR) == ()


def test_a_file_that_is_not_the_published_one_is_named() -> None:
    (notice,) = find_notices(AUTO, Identity("syncnet_v2", "1" * 64), YUNET)
    assert "syncnet_v2 is not the published one" in notice
