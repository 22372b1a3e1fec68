"""The report page in a real browser: Chromium, without a network. The fixtures are in conftest.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncnet.report.content import ReportContent
from syncnet.report.page import write_page


@dataclass
class Opened:
    """The page in a tab, and what the tab complained about or asked for."""

    tab: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def counts(self) -> list[int]:
        """Passing, not passing, no face track, failed."""
        return [int(text.replace(",", "")) for text in self.tab.locator(".tile b").all_inner_texts()]

    def names(self) -> list[str]:
        return list(self.tab.locator("tbody .name-button").all_inner_texts())

    def open_video(self, name: str) -> None:
        self.tab.locator("tbody .name-button").nth(self.names().index(name)).click()

    def type_number(self, name: str, value: float) -> None:
        self.tab.fill(f"#{name}-number", str(value))
        self.settle()

    def slide(self, name: str, value: float) -> None:
        self.tab.locator(f"#{name}-slider").fill(str(value))
        self.settle()

    def settle(self) -> None:
        """Waits until what a threshold changes is drawn."""
        self.tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


class Opener:
    """Opens pages in tabs of one browser profile, so that they share its storage."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self._context = browser.new_context(accept_downloads=True)
        self.path = folder / "report.html"
        self.opened: list[Opened] = []
        self.videos: set[str] = set()
        """Addresses of the videos that a page may play."""

    def __call__(self, content: ReportContent, width: int = 1280, scheme: str = "light", part: str = "") -> Opened:
        """``part``: of the address, with its ``#``."""
        write_page(content, self.path)
        return self.visit(width, scheme, part)

    def visit(self, width: int = 1280, scheme: str = "light", part: str = "") -> Opened:
        """The page as it lies there."""
        tab = self._context.new_page()
        tab.set_viewport_size({"width": width, "height": 800})
        tab.emulate_media(color_scheme=scheme)
        opened = Opened(tab)
        tab.on("console", lambda message: opened.complaints.append(message.text))
        tab.on("pageerror", lambda error: opened.complaints.append(str(error)))
        tab.on("dialog", lambda dialog: (opened.complaints.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: opened.requests.append(request.url))
        tab.goto(self.path.as_uri() + part)
        self.opened.append(opened)
        return opened

    def check(self) -> None:
        """No tab may have complained, nor asked for anything but the page itself and its videos."""
        for opened in self.opened:
            assert opened.complaints == []
            # Pictures within the page, and files that it saves, ask nobody.
            asked = {url.split("#")[0] for url in opened.requests if not url.startswith(("data:", "blob:"))}
            assert asked - self.videos == {self.path.as_uri()}
        self._context.close()
