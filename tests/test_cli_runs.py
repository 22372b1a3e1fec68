from __future__ import annotations

from pathlib import Path

import pytest

from syncnet.cli.request import parse_request
from syncnet.errors import UsageError
from syncnet.settings import RunOptions

FOLDERS = ["--input_dir", "videos", "--output_dir", "sorted"]


def options_of(*extra: str) -> RunOptions:
    return parse_request([*FOLDERS, *extra]).options


def test_defaults() -> None:
    assert options_of() == RunOptions()
    assert RunOptions() == RunOptions("copy", False, False, None, 0.0, None, False, None, 7200.0, False)


def test_every_flag_arrives() -> None:
    options = options_of(
        "--place", "hardlink", "--rescan", "--retry_failed", "--limit", "3", "--settle", "1.5",
        "--score_cache", "scores", "--cron", "--log_file", "run.log", "--timeout", "5", "--isolate",
    )  # fmt: skip
    assert options == RunOptions("hardlink", True, True, 3, 1.5, Path("scores"), True, Path("run.log"), 5.0, True)


def test_uploads_settle_by_default_only_where_nobody_watches() -> None:
    assert options_of().settle_seconds == 0.0
    assert options_of("--cron").settle_seconds == 60.0
    assert options_of("--cron", "--settle", "0").settle_seconds == 0.0


def test_off_is_no_folder() -> None:
    assert options_of("--score_cache", "off").score_cache == "off"
    assert options_of("--score_cache", "./off").score_cache == Path("off")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--limit", "-1"], "--limit -1: give a whole number of 0 or more"),
        (["--limit", "many"], "argument --limit"),
        (["--settle", "-1"], "--settle -1.0: give a number of seconds of 0 or more"),
        (["--timeout", "0"], "--timeout 0.0: give a number of seconds above 0"),
        (["--timeout", "nan"], "--timeout nan"),
        (["--settle", "nan"], "--settle nan"),
        (["--settle", "inf"], "--settle inf"),
        (["--score_cache", ""], "--score_cache: the name is empty"),
        (["--place", "teleport"], "--place teleport: give one of copy, hardlink, symlink, move"),
    ],
)
def test_wrong_usage_says_what_to_do(extra: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        options_of(*extra)
    assert message in str(caught.value)
