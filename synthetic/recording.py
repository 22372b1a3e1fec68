"""What a browser records of a page whose pictures and clicks are known: files of MediaRecorder, as its users have them.

Chromium draws a canvas that shows the number of each picture, plays clicks, and records both in several kinds of file
at once. What it records in depends on its build, so ``record`` tells which it did.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from synthetic.media import CLICK_HZ, CLICK_SIGMA_SECONDS, find_clicks, read_frame_number

KINDS = {
    "vp8.webm": "video/webm;codecs=vp8,opus",
    "vp9.webm": "video/webm;codecs=vp9,opus",
    "av1.webm": "video/webm;codecs=av1,opus",
    "h264.webm": "video/webm;codecs=h264,opus",
    "pcm.webm": "video/webm;codecs=vp8,pcm",
    "vp9.mp4": "video/mp4;codecs=vp9,opus",
    "h264.mp4": "video/mp4;codecs=avc1.42E01E,opus",
}
"""Names of files, and what MediaRecorder is asked for."""

# Bars as in synthetic.media.draw_frame, twice the size. A context of sound starts by itself only after a click of the
# user. A source of zeros keeps the sound going between clicks: as long as none comes, nothing is written.
_PAGE = """
async ([kinds, seconds, fps, sigma, hertz]) => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [320, 240];
  const pen = canvas.getContext('2d', {alpha: false});
  const sound = new AudioContext({sampleRate: 48000}), ear = sound.createMediaStreamDestination();
  await sound.resume();
  const zeros = sound.createConstantSource();
  zeros.offset.value = 0; zeros.connect(ear); zeros.start();
  const click = sound.createBuffer(1, 960, 48000);
  click.getChannelData(0).forEach((_, k, wave) => {
    const since = k / 48000 - 0.01;
    wave[k] = 0.5 * Math.exp(-0.5 * (since / sigma) ** 2) * Math.cos(2 * Math.PI * hertz * since);
  });
  const drawn = [], clicks = [];
  const draw = () => {
    pen.fillStyle = '#000'; pen.fillRect(0, 0, 320, 240);
    pen.fillStyle = '#fff'; pen.fillRect(0, 0, 64, 64);
    for (let bit = 0; bit < 10; bit++) if (drawn.length >> bit & 1) pen.fillRect(bit * 32, 120, 32, 120);
    drawn.push(sound.currentTime);
  };
  draw();
  const stream = new MediaStream([...canvas.captureStream(fps).getTracks(), ...ear.stream.getTracks()]);
  const recorders = kinds.filter(([_, type]) => MediaRecorder.isTypeSupported(type)).map(([name, type]) => {
    const recorder = new MediaRecorder(stream, {mimeType: type, videoBitsPerSecond: 2e6}), parts = [];
    recorder.ondataavailable = event => parts.push(event.data);
    const stopped = new Promise(done => recorder.onstop = done);
    recorder.start(1000);
    return {name, recorder, parts, stopped};
  });
  const begin = sound.currentTime;
  for (let at = 0.5; at < seconds; at += 0.5) {
    const source = sound.createBufferSource();
    source.buffer = click; source.connect(ear); source.start(begin + at - 0.01);
    clicks.push(begin + at);
  }
  await new Promise(done => {
    const timer = setInterval(() => {
      if (sound.currentTime - begin > seconds) { clearInterval(timer); done(); } else draw();
    }, 1000 / fps);
  });
  const files = {};
  for (const {name, recorder, parts, stopped} of recorders) {
    recorder.stop(); await stopped;
    const url = await new Promise(done => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result); reader.readAsDataURL(new Blob(parts));
    });
    files[name] = url.slice(url.indexOf(',') + 1);
  }
  return {files, drawn, clicks};
}
"""


@dataclass(frozen=True)
class Recordings:
    """What was recorded, and when by the page's own clock of sound, in seconds."""

    paths: tuple[Path, ...]
    drawn: tuple[float, ...]
    """When picture n was drawn."""
    clicks: tuple[float, ...]


@dataclass(frozen=True)
class Written:
    """What a file says by its own stamps, in seconds."""

    pictures: tuple[tuple[int, float], ...]
    """Number and time of each."""
    clicks: tuple[float, ...]


def record(page: Any, folder: Path, seconds: float, fps: int = 25) -> Recordings:
    """Record in all the ``KINDS`` that the browser has. ``page``: a page of playwright; it is clicked on."""
    page.mouse.click(1, 1)
    told = page.evaluate(_PAGE, [list(KINDS.items()), seconds, fps, CLICK_SIGMA_SECONDS, CLICK_HZ])
    paths = []
    for name, data in told["files"].items():
        paths.append(folder / name)
        paths[-1].write_bytes(base64.b64decode(data))
    return Recordings(tuple(paths), tuple(told["drawn"]), tuple(told["clicks"]))


def read_as_written(path: Path) -> Written:
    """Each picture and each click where the stamps of the file put it, without the product's own clock."""
    with av.open(str(path)) as container:
        pictures = tuple(
            (read_frame_number(frame.to_ndarray(format="bgr24")), float(frame.pts * frame.time_base))
            for frame in container.decode(video=0)
        )
    resampler = av.AudioResampler(format="s16", layout="mono")
    waves, times = [], []
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        for frame in container.decode(audio=0):
            start = float(frame.pts * frame.time_base)
            waves.append(np.concatenate([piece.to_ndarray()[0] for piece in resampler.resample(frame)]))
            times.append(start + np.arange(len(waves[-1])) / rate)
    samples, when = np.concatenate(waves), np.concatenate(times)
    at = np.array(find_clicks(samples, rate)) * rate
    return Written(pictures, tuple(float(time) for time in np.interp(at, np.arange(len(when)), when)))
