"""What a browser recorded: real files of MediaRecorder, in every kind that the Chromium here writes."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.media_kinds import bias_ms
from syncnet.media.opening import open_media
from synthetic.recording import Recordings, read_as_written, record

ALWAYS = {"vp8.webm", "vp9.webm"}
"""Every build writes these; H.264 and AV1 are left out of some."""
MAX_BIAS_MS = 5


@pytest.fixture(scope="module")
def recordings(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    page = chromium.new_page()
    try:
        return record(page, tmp_path_factory.mktemp("recorded"), seconds=3.5)
    finally:
        page.close()


@pytest.mark.slow
def test_what_a_browser_records_is_read_on_one_clock_with_its_rate(recordings: Recordings) -> None:
    assert {path.name for path in recordings.paths} >= ALWAYS
    for path in recordings.paths:
        written = read_as_written(path)
        numbers, times = zip(*written.pictures, strict=True)
        # It is a recording of the page, however busy the machine was.
        assert list(numbers) == sorted(numbers) and numbers[-1] < len(recordings.drawn)
        assert len(written.clicks) >= 3
        assert abs(bias_ms(path, written.pictures, written.clicks)) < MAX_BIAS_MS, path.name
        info = open_media(path).info
        # Over the time between the first and the last picture, or with that of the last one.
        counted = sorted([(len(times) - 1) / (times[-1] - times[0]), len(times) / info.duration_seconds])
        assert 0.98 * counted[0] <= info.source_fps <= 1.02 * counted[1], path.name
