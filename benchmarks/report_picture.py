"""The pictures of the samples' report page in the documents, as Chromium shows it.

    make demo && python -m benchmarks.report_picture --page demo_output/report.html --out docs/report.png
    python -m benchmarks.report_picture --video other_sentence.mp4 --out docs/report_video.png

The first is of charts and table; with ``--video`` the second is of that video, opened, played into and rejected.

The faces in it are those of samples/README.md, which says where they come from.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WIDTH_PX, HEIGHT_PX = 1080, 800
OPENED_PX = 940
MARGIN_PX = 12


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, default=Path("demo_output/report.html"), metavar="FILE")
    parser.add_argument("--video", metavar="NAME", help="of this video, opened, and not of the charts")
    parser.add_argument("--out", type=Path, default=Path("docs/report.png"), metavar="FILE")
    options = parser.parse_args(arguments)
    options.out.write_bytes(_photograph(options.page, options.video))
    print(f"{options.out}: {options.out.stat().st_size / 1000:.0f} KB")
    return 0


def _photograph(page: Path, video: str | None) -> bytes:
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        tab = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, color_scheme="light")
        tab.goto(page.resolve().as_uri())
        tab.locator("#scatter canvas").wait_for()
        # Charts are drawn in the next frame.
        tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        taken = _opened(tab, video) if video else _charts(tab)
        browser.close()
    return taken


def _charts(tab: Any) -> bytes:
    top, table = tab.locator(".charts").bounding_box(), tab.locator("#table").bounding_box()
    height = table["y"] + table["height"] - top["y"]
    clip = {"x": 0, "y": top["y"] - MARGIN_PX, "width": WIDTH_PX, "height": height + 2 * MARGIN_PX}
    return bytes(tab.screenshot(full_page=True, clip=clip))


def _opened(tab: Any, video: str) -> bytes:
    tab.set_viewport_size({"width": WIDTH_PX, "height": OPENED_PX})
    names = tab.locator("tbody .name-button").all_inner_texts()
    tab.locator("tbody .name-button").nth(names.index(video)).click()
    tab.wait_for_function("() => document.querySelector('#detail video')?.readyState >= 2")
    tab.fill("#detail .note", "not her voice")
    tab.click("#detail .decide.reject")
    tab.locator("#detail button.segment").first.click()
    tab.wait_for_function("() => !document.querySelector('#detail video').seeking")
    # The controls go once nothing moves.
    tab.wait_for_timeout(500)
    return bytes(tab.locator("#detail").screenshot())


if __name__ == "__main__":
    raise SystemExit(main())
