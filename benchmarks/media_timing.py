"""How far picture and sound lie apart once the media stage has read a file: every frame rate in every container.

    python -m benchmarks.media_timing

No face and no model: each frame of a synthetic clip shows its own number, so what is shown at each tick of the 25 fps
clock is known exactly (a ramp that no codec can blur), and the sound clicks at known times. The bias is how much
earlier the sound lies against the picture than it was written, in milliseconds (the sign of an offset): the mean by
which the shown frames are behind their ticks, plus the mean by which the clicks come early. A tick takes the nearest
frame, before it or after it, so this mean is free of the sampling delay of a single flash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from syncnet.conventions import FPS
from syncnet.media.opening import open_media
from synthetic.media import Clip, find_clicks, read_frame_number, write_clip

SECONDS = 4.0
CLICK_TIMES = (0.8, 1.3, 1.8, 2.3, 2.8, 3.3)
"""From 0.8 s on: the clips whose picture or sound starts late hold every click, too."""
FRAME_RATES = {
    "23.976": Fraction(24_000, 1001),
    "24": Fraction(24),
    "25": Fraction(25),
    "29.97": Fraction(30_000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "60": Fraction(60),
}
VARIABLE = "variable"
CONTAINERS: dict[str, tuple[str, dict[str, Any]]] = {
    "MP4/AAC": ("mp4", {"video_codec": "libx264", "audio_codec": "aac"}),
    "MOV/PCM": ("mov", {"video_codec": "libx264", "audio_codec": "pcm_s16le"}),
    "Matroska/Opus": ("mkv", {"video_codec": "libx264", "audio_codec": "libopus"}),
    "WebM VP8/Opus": ("webm", {"video_codec": "libvpx", "audio_codec": "libopus"}),
    "WebM VP9/Opus": ("webm", {"video_codec": "libvpx-vp9", "audio_codec": "libopus"}),
    "MPEG-TS/MP2": ("ts", {"container": "mpegts", "video_codec": "libx264", "audio_codec": "mp2"}),
    "MPEG-TS/AAC": ("ts", {"container": "mpegts", "video_codec": "libx264", "audio_codec": "aac"}),
    "AVI/MP3": ("avi", {"video_codec": "mpeg4", "audio_codec": "libmp3lame"}),
}
STORES_NO_DELAY = "AVI/MP3"
"""AVI has no place for the encoder's delay of MP3: its bias is reported, not mended."""
FAST_ENCODING = {
    "libx264": (("preset", "ultrafast"), ("crf", "20"), ("bf", "2")),
    "libvpx": (("deadline", "realtime"), ("cpu-used", "8")),
    "libvpx-vp9": (("deadline", "realtime"), ("cpu-used", "8")),
    "mpeg4": (("qscale", "3"),),
}
STARTS: dict[str, dict[str, Any]] = {
    "sound starts 0.3 s later": {"audio_start": 0.3},
    "picture starts 0.2 s later": {"video_start": 0.2},
    "first stamps at 10 s": {"muxer_options": (("output_ts_offset", "10"),)},
}
EDITED = "edit list hides 0.48 s of picture"
"""MP4 and MOV alone: packets before time zero are kept in the file, and an edit list says where to begin."""


@dataclass(frozen=True)
class MediaBias:
    """How one clip was read."""

    container: str
    frame_rate: str
    start: str
    """What is special about the streams' starts; empty where both start at zero."""
    bias_ms: float
    """Positive: the sound was read earlier against the picture than it was written, as for an offset."""
    picture_late_ms: float
    sound_early_ms: float


def base_clip(container: str, frame_rate: str, seconds: float = SECONDS) -> tuple[str, Clip]:
    """Extension and clip of a container at a frame rate, both streams starting at zero."""
    extension, fields = CONTAINERS[container]
    clip = Clip(seconds=seconds, click_times=CLICK_TIMES, video_options=FAST_ENCODING[fields["video_codec"]], **fields)
    if frame_rate == VARIABLE:
        return extension, replace(clip, frame_times=variable_frame_times(seconds))
    return extension, replace(clip, fps=FRAME_RATES[frame_rate])


def variable_frame_times(seconds: float) -> list[float]:
    """Times of frames at 15 to 60 a second, as a phone in changing light gives them: the same at every call."""
    steps = np.random.default_rng(4).uniform(1 / 60, 1 / 15, round(60 * seconds))
    times = np.concatenate([[0.0], np.cumsum(steps)])
    return [float(time) for time in times[times < seconds - 1 / 15]]


def clips_to_read() -> list[tuple[str, str, str, str, Clip]]:
    """Container, frame rate, start, extension and clip of everything that is measured."""
    planned = []
    for container in CONTAINERS:
        # AVI counts frames and cannot say when one is shown.
        frame_rates = FRAME_RATES if container == STORES_NO_DELAY else (*FRAME_RATES, VARIABLE)
        planned += [(container, frame_rate, "", *base_clip(container, frame_rate)) for frame_rate in frame_rates]
    for container in CONTAINERS:
        extension, clip = base_clip(container, "25")
        if container != STORES_NO_DELAY:
            planned += [(container, "25", start, extension, replace(clip, **f)) for start, f in STARTS.items()]
        if extension in ("mp4", "mov"):
            planned.append((container, "25", EDITED, extension, replace(clip, video_start=-0.48)))
    return planned


def read_bias(path: Path, clip: Clip) -> tuple[float, float]:
    """Mean seconds by which the picture is behind its ticks, and by which the clicks are heard early.

    The clock starts at the first frame that is shown, the first one not before zero.
    """
    media = open_media(path)
    times = [float(time) for time in clip.times_of_frames()]
    start = min(time for time in times if time >= 0)
    numbers = [read_frame_number(frame) for frame in media.frames()]
    late = [tick / FPS - (times[number] - start) for tick, number in enumerate(numbers)]
    heard = find_clicks(media.samples)
    if len(heard) != len(clip.click_times):
        raise RuntimeError(f"{path.name}: {len(heard)} of {len(clip.click_times)} clicks heard")
    expected = np.asarray(clip.times_of_clicks()) - start
    return float(np.mean(late)), float(np.mean(expected - np.asarray(heard)))


def measure_all() -> list[MediaBias]:
    """Writes every clip into a temporary folder and reads it through the media stage."""
    measured = []
    with TemporaryDirectory() as folder:
        for container, frame_rate, start, extension, clip in clips_to_read():
            path = write_clip(Path(folder) / f"clip.{extension}", clip)
            late, early = read_bias(path, clip)
            # Adding zero turns -0.0 into 0.0.
            in_ms = (round(1000 * seconds, 1) + 0.0 for seconds in (late + early, late, early))
            measured.append(MediaBias(container, frame_rate, start, *in_ms))
    return measured


def format_tables(measured: list[MediaBias]) -> str:
    """Two Markdown tables: containers by frame rate, and containers by start, the bias in milliseconds."""
    whole = _table(measured, "frame_rate", [*FRAME_RATES, VARIABLE], lambda bias: not bias.start)
    starts = _table(measured, "start", [*STARTS, EDITED], lambda bias: bool(bias.start))
    return f"{whole}\n\n{starts}"


def _table(measured: list[MediaBias], across: str, columns: list[str], wanted: Callable[[MediaBias], bool]) -> str:
    cells = {(bias.container, asdict(bias)[across]): f"{bias.bias_ms:+.1f}" for bias in measured if wanted(bias)}
    lines = [f"| bias in ms | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for container in CONTAINERS:
        if any((container, column) in cells for column in columns):
            row = " | ".join(cells.get((container, column), "-") for column in columns)
            lines.append(f"| {container} | {row} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(format_tables(measure_all()))
