"""How far picture and sound lie apart in what a browser records, and which rate is told of it.

    python -m benchmarks.recordings

Needs playwright and Chromium. The bias is that of ``benchmarks.media_timing``, in milliseconds: positive where sound is
early against the picture. "As read" compares what the media stage reads with the stamps of the file; "as recorded"
compares these stamps with when the page drew and played, which is the recorder's own error.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.media_kinds import bias_ms
from syncnet.media.opening import open_media
from synthetic.recording import Recordings, Written, read_as_written, record

SECONDS = 8.0
RATES = (25, 30, 15)


def recorders_bias_ms(recordings: Recordings, written: Written) -> float:
    """By how much the stamps have the sound earlier against the picture than the page had it."""
    late = [time - recordings.drawn[number] for number, time in written.pictures if number < len(recordings.drawn)]
    # The first click that was recorded need not be the first that was played.
    shift = len(recordings.clicks) - len(written.clicks)
    early = np.array(recordings.clicks[shift:]) - np.array(written.clicks)
    return 1000 * float(np.median(late) + np.median(early))


def main() -> None:
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        sys.exit("playwright is not installed: pip install playwright")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("no Chromium is installed (on Debian: apt install chromium)")
    with sync_playwright() as started, TemporaryDirectory() as folder:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        print(
            f"Chromium {browser.version}\n\n| file | drawn | in the file | `source_fps` | bias as read | as recorded |"
        )
        print("|---|---:|---:|---:|---:|---:|")
        for fps in RATES:
            recordings = record(browser.new_page(), Path(folder), SECONDS, fps)
            for path in recordings.paths:
                written, info = read_as_written(path), open_media(path).info
                span = written.pictures[-1][1] - written.pictures[0][1]
                print(
                    f"| {path.name} | {fps} | {(len(written.pictures) - 1) / span:.2f} | {info.source_fps:.2f} "
                    f"| {bias_ms(path, written.pictures, written.clicks):+.1f} "
                    f"| {recorders_bias_ms(recordings, written):+.1f} |"
                )
        browser.close()


if __name__ == "__main__":
    main()
