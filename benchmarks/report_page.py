"""How long the report page of many videos takes to write and to open: ``python -m benchmarks.report_page``.

Needs playwright and a Chromium (``make test`` gets both). The videos are made up: random scores, a keepsake for each.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path, PurePath

import cv2
import numpy as np
from playwright.sync_api import Browser, sync_playwright

from syncnet.decisions.file import Entry
from syncnet.decisions.kept import Decisions
from syncnet.keepsake.file import Keepsake, TrackKeepsake, keepsake_path, write_keepsake
from syncnet.media.opening import MediaInfo
from syncnet.placement.folders import OutputFolders
from syncnet.report.command_line import CommandLine
from syncnet.report.content import ReportContent
from syncnet.report.page import write_page
from syncnet.report.page_data import nearness
from syncnet.report.page_pictures import MOST_LOOKED_AT
from syncnet.results import TrackScore, VideoResult
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.score import SyncScore
from syncnet.settings import Thresholds
from syncnet.verdict import judge

FRAMES = 250
TIMES_OPENED = 5
INFO = MediaInfo(1280, 720, 25.0, FRAMES / 25, "mov,mp4", "h264", "aac", 0, 1_000_000)


def make_result(number: int, rng: np.random.Generator) -> VideoResult:
    name = f"speaker_{number % 97:02d}/take_{number:05d}.mp4"
    offset, confidence = int(rng.integers(-6, 7)), float(rng.uniform(0, 10))
    score = SyncScore(offset, confidence, 0.5, rng.random(31, np.float32), Evidence("strong", "", 20, 15))
    track = TrackScore(0, FRAMES, (100.0, 100.0, 300.0, 300.0), score)
    verdict = judge(score, Thresholds())
    path = PurePath(name)
    return VideoResult(Path("in") / name, path, 1_000_000, "success", 3.0, INFO, (track,), score, verdict=verdict)


def make_keepsake(rng: np.random.Generator) -> Keepsake:
    """Pictures as large as those of real faces: smooth noise compresses about as well."""

    def picture(height: int, width: int) -> np.ndarray:
        small = rng.integers(0, 256, (height // 5, width // 5, 3)).astype(np.uint8)
        return np.frombuffer(cv2.imencode(".jpg", cv2.resize(small, (width, height)))[1].tobytes(), np.uint8)

    windows = np.stack([np.arange(20) * 10, rng.integers(-3, 4, 20), rng.random(20)], axis=1).astype(np.float32)
    track = TrackKeepsake(
        first_frame=0,
        boxes=np.zeros((FRAMES, 4), np.float32),
        confidence=rng.random(FRAMES, np.float32),
        windows=windows,
        thumbnail=picture(160, 160),
        strip=picture(64, 768),
        strip_frames=np.arange(0, FRAMES, 21, dtype=np.int32),
    )
    return Keepsake((track,), np.array([0], np.int32), rng.uniform(-60, -10, FRAMES).astype(np.float32))


def make_content(folder: Path, videos: int) -> ReportContent:
    rng = np.random.default_rng(1)
    results = [make_result(number, rng) for number in range(videos)]
    folders = OutputFolders(folder)
    for result in sorted(results, key=lambda result: nearness(result, Thresholds()))[:MOST_LOOKED_AT]:
        write_keepsake(keepsake_path(folders.state_dir, result.relative_path), make_keepsake(rng))
    command = CommandLine(("--input_dir", "in", "--output_dir", "out"), "/", "in")
    decided = Decisions(Entry(str(result.relative_path), "reject", "not sharp") for result in results[::10])
    content = ReportContent(folders, command, Thresholds(), results, videos, "lite", "yunet", (), False, True, 0.0)
    return replace(content, decisions=decided)


def open_page(browser: Browser, path: Path) -> tuple[float, float, float]:
    """Seconds from the start of loading until the page stands and answers, until a moved slider is drawn, and until the
    opened video is shown as accepted."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto(path.as_uri())
    opened = tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    moved = tab.evaluate(
        """() => new Promise((done) => {
          const slider = document.getElementById("confidence-slider");
          const start = performance.now();
          slider.value = 6;
          slider.dispatchEvent(new Event("input"));
          requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
        })"""
    )
    tab.locator("tbody .name-button").first.click()
    decided = tab.evaluate(
        """() => new Promise((done) => {
          const start = performance.now();
          document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
          requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
        })"""
    )
    tab.close()
    return opened / 1000, moved / 1000, decided / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=10_000)
    videos = parser.parse_args().videos
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        content = make_content(Path(folder), videos)
        path = Path(folder) / "report.html"
        started = time.perf_counter()
        write_page(content, path)
        written = time.perf_counter() - started
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        times = [open_page(browser, path) for _ in range(TIMES_OPENED)]
        browser.close()
        opened, moved, decided = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{videos} videos: {path.stat().st_size / 1e6:.1f} MB, written in {written:.1f} s")
        print(f"opened in {opened:.2f} s, a slider answers in {moved:.2f} s, a key that accepts in {decided:.2f} s")
        print(f"(medians of {TIMES_OPENED})")


if __name__ == "__main__":
    main()
