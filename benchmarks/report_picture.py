"""docs/report.png: the charts and the table of the samples' report page, as Chromium shows them.

    make demo && python -m benchmarks.report_picture --page demo_output/report.html --out docs/report.png

The faces in it are those of samples/README.md, which says where they come from.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

WIDTH_PX, HEIGHT_PX = 1080, 800
MARGIN_PX = 12


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, default=Path("demo_output/report.html"), metavar="FILE")
    parser.add_argument("--out", type=Path, default=Path("docs/report.png"), metavar="FILE")
    options = parser.parse_args(arguments)
    options.out.write_bytes(_photograph(options.page))
    print(f"{options.out}: {options.out.stat().st_size / 1000:.0f} KB")
    return 0


def _photograph(page: Path) -> bytes:
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        tab = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, color_scheme="light")
        tab.goto(page.resolve().as_uri())
        tab.locator("#scatter canvas").wait_for()
        # Charts are drawn in the next frame.
        tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        top, table = tab.locator(".charts").bounding_box(), tab.locator("#table").bounding_box()
        height = table["y"] + table["height"] - top["y"]
        clip = {"x": 0, "y": top["y"] - MARGIN_PX, "width": WIDTH_PX, "height": height + 2 * MARGIN_PX}
        taken = tab.screenshot(full_page=True, clip=clip)
        browser.close()
    return bytes(taken)


if __name__ == "__main__":
    raise SystemExit(main())
