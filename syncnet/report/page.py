"""report.html: one file that needs nothing else, not even a network. docs/report.md shows how to read it."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from syncnet.report.content import ReportContent
from syncnet.report.page_data import describe_content, describe_decisions, describe_tracks, describe_video
from syncnet.report.page_pictures import collect_pictures
from syncnet.system.atomic import write_file
from syncnet.system.collector import without_collector

ASSETS = Path(__file__).parent / "assets"
STYLES = ("uPlot.min.css", "page.css")
SCRIPTS = (
    "uPlot.iife.min.js",
    "decisions.js",
    "judge.js",
    "charts.js",
    "player.js",
    "timeline.js",
    "detail.js",
    "table.js",
    "address.js",
    "review.js",
    "page.js",
)
"""In the order in which they need each other."""


def write_page(content: ReportContent, path: Path) -> None:
    """Raises OSError, leaving the old page as it was."""
    write_file(path, render_page(content).encode("utf-8"))


@without_collector()
def render_page(content: ReportContent) -> str:
    """The page as HTML. Reads keepsakes; opens no video."""
    pictures = collect_pictures(content)
    videos = [describe_video(result, content) for result in content.results]
    details = [describe_tracks(result) for result in content.results]
    blocks = {
        "run": describe_content(content) | {"pictures_left_out": pictures.left_out},
        "videos": videos,
        "decisions": describe_decisions(content),
        "thumbnails": pictures.thumbnails,
        # Read only when the first video is opened.
        "details": details,
        "lines": pictures.lines,
        "strips": pictures.strips,
        "faces": pictures.faces,
    }
    style, script = _asset(STYLES), _asset(SCRIPTS)
    page: str = _template().render(
        made=time.strftime("%Y-%m-%d %H:%M", time.localtime(content.timestamp)),
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        blocks={name: Markup(json_for_html(value)) for name, value in blocks.items()},
    )
    return page


def json_for_html(value: Any) -> str:
    """JSON that no HTML parser can take for an end of the script element, nor JavaScript for a line break."""
    # ASCII: U+2028 and stray bytes of names are escaped as well.
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _policy(style: str, script: str) -> str:
    """Nothing is loaded but the videos, from beside the page; only this script, this style and inner pictures count."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data:; "
        # `self` is what a server gives, as it gave the page; of a page from disk it is not the same everywhere.
        "media-src 'self' file:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@functools.cache
def _asset(names: tuple[str, ...]) -> str:
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


@functools.cache
def _template() -> Any:
    environment = Environment(loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("page.html")
