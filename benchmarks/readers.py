"""Players that share no code with each other, asked when they show the flashes of a file and sound its clicks.

``media`` is the product's own media stage, on FFmpeg. ``gstreamer`` is GStreamer with its own demuxers and without
FFmpeg's decoders. ``chromium`` plays the file in a headless page: a picture's time is the one that the page is told
with it, and a click's is where the page's clock stands when it is heard (an audio worklet hears each sample).
"""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from syncnet.conventions import FPS, SAMPLE_RATE
from syncnet.media.opening import open_media
from synthetic.media import Clip, find_clicks, write_clip

FLASHES = (0.8, 1.6, 2.4)
"""Seconds at which the picture turns white, for 0.2 s, and the sound clicks."""
FLASH_SECONDS = 0.2
SECONDS = 3.2
SCRIPT = Path(__file__).with_name("readers_gstreamer.py")
SYSTEM_PYTHON = "/usr/bin/python3"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_WHITE = 128
_TYPES = {"mp4": "video/mp4", "mov": "video/quicktime", "mkv": "video/x-matroska", "webm": "video/webm"}
_CLICK_APART_SECONDS = 0.05


class CannotPlayError(Exception):
    """This player does not take files of this kind."""


def write_flashes(path: Path, clip: Clip, shift_seconds: float = 0.0) -> Path:
    """The clip with flashes, and with its clicks later than them by so many seconds."""

    def draw(number: int) -> av.VideoFrame:
        time = number / float(clip.fps)
        lit = any(flash <= time + 1e-6 < flash + FLASH_SECONDS for flash in FLASHES)
        picture = np.full((clip.size_px[1], clip.size_px[0], 3), 235 if lit else 16, np.uint8)
        return av.VideoFrame.from_ndarray(picture, format="bgr24")

    return write_clip(path, replace(clip, seconds=SECONDS, click_times=FLASHES, sound_shift=shift_seconds), draw)


def media(path: Path) -> list[float]:
    """By how many milliseconds each click comes before its flash."""
    opened = open_media(path)
    bright = [float(frame.mean()) for frame in opened.frames()]
    lit = [number / FPS for number in range(1, len(bright)) if bright[number] > _WHITE >= bright[number - 1]]
    return _early_ms(lit, find_clicks(opened.samples))


def gstreamer_problem() -> str:
    """Why GStreamer cannot be asked; empty where it can."""
    if not Path(SYSTEM_PYTHON).exists():
        return f"there is no {SYSTEM_PYTHON}"
    look = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; Gst.init(None); import sys; "
    parts = ("openh264dec", "vp8dec", "faad", "opusdec", "qtdemux", "tsdemux", "avidemux", "matroskademux")
    check = f"sys.exit(not all(Gst.ElementFactory.find(name) for name in {parts!r}))"
    found = subprocess.run([SYSTEM_PYTHON, "-c", look + check], capture_output=True, check=False)
    if found.returncode == 0:
        return ""
    return (
        "GStreamer is not installed (on Debian: python3-gi gir1.2-gstreamer-1.0 gstreamer1.0-plugins-{good,bad,ugly})"
    )


def gstreamer(path: Path) -> list[float]:
    """As ``media``. Raises CannotPlayError."""
    asked = subprocess.run([SYSTEM_PYTHON, str(SCRIPT), str(path)], capture_output=True, text=True, check=False)
    if asked.returncode:
        raise CannotPlayError(asked.stderr.strip()[-200:])
    told = json.loads(asked.stdout)
    pictures = told["pictures"]
    lit = [time for (_, before), (time, now) in itertools.pairwise(pictures) if now > _WHITE >= before]
    tape = np.zeros(round(2 * SECONDS * SAMPLE_RATE), np.int16)
    for time, data in told["sound"]:
        piece = np.frombuffer(base64.b64decode(data), np.int16)
        place = round(time * SAMPLE_RATE)
        tape[place : place + len(piece)] = piece
    return _early_ms(lit, find_clicks(tape))


def chromium_problem() -> str:
    """Why Chromium cannot be asked; empty where it can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed"
    return "" if CHROMIUM else "no Chromium is installed (on Debian: apt install chromium)"


class Chromium:
    """A page that plays files, one after the other."""

    def __init__(self, page: Any) -> None:
        self._page = page

    def __call__(self, path: Path) -> list[float]:
        """As ``media``. Raises CannotPlayError."""
        kind = _TYPES.get(path.suffix[1:])
        if kind is None:
            raise CannotPlayError(f"Chromium plays no {path.suffix[1:]}")
        self._page.goto(_ADDRESS)
        told = self._page.evaluate(_PLAY, [base64.b64encode(path.read_bytes()).decode(), kind, _EAR])
        seen = told["seen"]
        lit = [time for (_, before), (time, now) in itertools.pairwise(seen) if now > _WHITE >= before]
        # The clock of the sound and that of the player run alike; the player's stands still before it begins.
        ahead = statistics.median(shown - heard for heard, shown in told["clock"] if 0.3 < shown < SECONDS - 0.3)
        return _early_ms(lit, [time + ahead for time in _loudest(told["heard"])])


CHROMIUM_FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]
"""The sandbox refuses to start as root, and the pages are ours. Containers have little shared memory."""


def player_of(browser: Any) -> Chromium:
    """A page of a browser that was started with CHROMIUM_FLAGS."""
    page = browser.new_page()
    # An address of this machine is trusted with worklets; nothing is fetched from it.
    page.route(f"{_ADDRESS}**", lambda route: route.fulfill(body=_PAGE, content_type="text/html"))
    return Chromium(page)


@contextmanager
def chromium() -> Iterator[Chromium]:
    """One that is running; ``chromium_problem`` must be empty."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield player_of(browser)
        browser.close()


def _early_ms(flashes: Sequence[float], clicks: Sequence[float]) -> list[float]:
    """Of each flash that has a click near it: positive where the click comes first, as for an offset."""
    nearest = [(flash, min(clicks, key=lambda click: abs(click - flash))) for flash in flashes if clicks]
    if not nearest:
        raise CannotPlayError(f"{len(flashes)} flashes and {len(clicks)} clicks were met")
    return [1000 * (flash - click) for flash, click in nearest if abs(flash - click) < FLASHES[1] / 4]


def _loudest(heard: Sequence[Sequence[float]]) -> list[float]:
    """Times of the loudest sample of each click, from [time, loudness] of what is not silent."""
    groups: list[list[Sequence[float]]] = []
    for one in heard:
        if groups and one[0] - groups[-1][-1][0] < _CLICK_APART_SECONDS:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [max(group, key=lambda one: one[1])[0] for group in groups]


_ADDRESS = "http://localhost/"
_PAGE = "<!doctype html><video playsinline></video><canvas width=16 height=12></canvas>"
_EAR = """
class Ear extends AudioWorkletProcessor {
  process([[wave]]) {
    if (!wave) return true;
    let place = 0;
    for (let n = 0; n < wave.length; n++) if (Math.abs(wave[n]) > Math.abs(wave[place])) place = n;
    const peak = Math.abs(wave[place]);
    if (peak > 0.05) this.port.postMessage([(currentFrame + place) / sampleRate, peak]);
    return true;
  }
}
registerProcessor("ear", Ear);
"""
_PLAY = """
async ([data, type, worklet]) => {
  const video = document.querySelector("video");
  const canvas = document.querySelector("canvas").getContext("2d", {willReadFrequently: true});
  const sound = new AudioContext();
  await sound.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], {type: "text/javascript"})));
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  video.src = URL.createObjectURL(new Blob([bytes], {type}));
  const ear = new AudioWorkletNode(sound, "ear");
  const source = sound.createMediaElementSource(video);
  source.connect(ear);
  source.connect(sound.destination);
  const seen = [], heard = [], clock = [];
  ear.port.onmessage = (message) => heard.push(message.data);
  const look = (_, frame) => {
    canvas.drawImage(video, 0, 0, 16, 12);
    const pixels = canvas.getImageData(0, 0, 16, 12).data;
    seen.push([frame.mediaTime, pixels.filter((_, n) => n % 4 === 0).reduce((a, b) => a + b) / 192]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  const timer = setInterval(() => clock.push([sound.currentTime, video.currentTime]), 20);
  const ended = new Promise((done, fail) => {
    video.onended = done;
    video.onerror = () => fail(new Error(video.error.message));
  });
  await sound.resume();
  video.play().catch(() => {});
  await ended;
  clearInterval(timer);
  await sound.close();
  return {seen, heard, clock};
}
"""
