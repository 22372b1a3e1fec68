from __future__ import annotations

import math

import pytest

from syncnet.cli import parse_request
from syncnet.errors import UsageError
from syncnet.settings import MediaSettings

FOLDERS = ["--input_dir", "videos", "--output_dir", "sorted"]


def settings_of(*extra: str) -> MediaSettings:
    return parse_request([*FOLDERS, *extra]).media


def test_defaults() -> None:
    assert settings_of() == MediaSettings(audio_track=None, max_memory_mb=math.inf)


def test_every_flag_arrives() -> None:
    assert settings_of("--audio_track", "1") == MediaSettings(1)
    assert settings_of("--audio-track=0") == MediaSettings(0)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--audio_track", "-1"], "--audio_track -1: give a whole number of 0 or more: 0 is the first"),
        (["--audio_track", "two"], "argument --audio_track"),
    ],
)
def test_wrong_usage_says_what_to_do(extra: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings_of(*extra)
    assert message in str(caught.value)
