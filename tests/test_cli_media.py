from __future__ import annotations

import pytest

from syncnet.cli.request import parse_request
from syncnet.errors import UsageError
from syncnet.settings import MediaSettings

FOLDERS = ["--input_dir", "videos", "--output_dir", "sorted"]


def settings_of(*extra: str) -> MediaSettings:
    return parse_request([*FOLDERS, *extra]).settings.media


def test_defaults() -> None:
    assert settings_of() == MediaSettings(audio_track=None, max_memory_mb=None)


def test_every_flag_arrives() -> None:
    assert settings_of("--audio_track", "1") == MediaSettings(1)
    assert settings_of("--max_memory", "1500.5") == MediaSettings(max_memory_mb=1500.5)
    assert settings_of("--audio-track=0") == MediaSettings(0)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--audio_track", "-1"], "--audio_track -1: give a whole number of 0 or more: 0 is the first"),
        (["--max_memory", "0"], "--max_memory 0.0: give a number of megabytes above 0"),
        (["--max_memory", "nan"], "--max_memory nan: give a number of megabytes above 0"),
        (["--audio_track", "two"], "argument --audio_track"),
    ],
)
def test_wrong_usage_says_what_to_do(extra: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings_of(*extra)
    assert message in str(caught.value)
