"""How far picture and sound lie apart in files as their writers leave them: edit lists, odd rates, AVI's order, fields.

    python -m benchmarks.media_kinds

Beside ``benchmarks.media_timing``, which has every frame rate in every container. The bias is told as there: positive
where the sound is read earlier against the picture than it was written, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.media_timing import CLICK_TIMES
from syncnet.conventions import FPS
from syncnet.media.opening import open_media
from synthetic.media import Clip, find_clicks, read_frame_number, write_clip
from synthetic.mp4_edits import Edit, set_edits

B_FRAMES = (("preset", "ultrafast"), ("bf", "2"), ("g", "50"))
CLIP = Clip(seconds=8.0, click_times=tuple(float(time) for time in np.arange(0.25, 8, 0.5)), video_options=B_FRAMES)
SHORT = Clip(seconds=4.0, click_times=CLICK_TIMES, video_options=B_FRAMES)
OUT_OF_STEP = [0.0, *(0.0232 + 0.04 * number for number in range(99))]
FRAGMENTS = (("movflags", "frag_keyframe+empty_moov+default_base_moof"),)
EDITS: dict[str, Sequence[Edit]] = {
    "MP4, an edit list begins 20 ms after a picture": [(5.0, 2.30)],
    "MP4, an edit list begins 3 ms after a picture": [(5.0, 2.323)],
    "MP4, 0 to 2 s and 3.4 to 6 s are shown": [(2.0, 0.0), (2.6, 3.4)],
    "MP4, two stretches in the other order": [(2.0, 4.0), (2.0, 1.0)],
    "MP4, one stretch shown twice": [(2.0, 0.0), (2.0, 0.0)],
    "MP4, a gap of a second": [(2.0, 0.0), (1.0, None), (2.0, 2.0)],
}
CLIPS = {
    "12.5 pictures a second": ("mp4", replace(SHORT, fps=Fraction(25, 2))),
    "the first picture stands for 23 ms only": ("mp4", replace(SHORT, frame_times=OUT_OF_STEP)),
    "the same in fragments": ("mp4", replace(SHORT, frame_times=OUT_OF_STEP, muxer_options=FRAGMENTS)),
    "MXF": ("mxf", replace(SHORT, video_codec="mpeg2video", audio_codec="pcm_s16le", video_options=())),
    "VOB": ("vob", replace(SHORT, video_codec="mpeg2video", audio_codec="mp2", video_options=())),
    "ASF": ("asf", replace(SHORT, video_codec="wmv2", audio_codec="wmav2", video_options=())),
    "Ogg, VP8 and Opus": ("ogv", replace(SHORT, video_codec="libvpx", audio_codec="libopus", video_options=())),
    "3G2": ("3g2", replace(SHORT, video_codec="mpeg4", video_options=())),
}
AVI = {
    "AVI, MPEG-4 with B-frames": ("mpeg4", (("bf", "2"),), 0),
    "the same with the sound later by their depth (MEncoder)": ("mpeg4", (("bf", "2"),), 1),
    "AVI, H.264 with B-frames": ("libx264", (("preset", "medium"), ("bf", "3")), 0),
    "the same with the sound later by their depth (MEncoder), H.264": (
        "libx264",
        (("preset", "medium"), ("bf", "3")),
        2,
    ),
}


def bias_ms(path: Path, shown: Sequence[tuple[float, float]], clicks: Sequence[float]) -> float:
    """``shown``: number and second of each picture; ``clicks``: their seconds. Both on one clock."""
    media = open_media(path)
    numbers, times = (np.array(side) for side in zip(*shown, strict=True))
    late = []
    begins = times.min()
    for tick, frame in enumerate(media.frames()):
        due = times[numbers == read_frame_number(frame)] - begins
        nearest = due[np.abs(due - tick / FPS).argmin()]
        # What stands still over a gap says nothing.
        if abs(tick / FPS - nearest) < 0.1:
            late.append(tick / FPS - nearest)
    heard = np.array(find_clicks(media.samples))
    early = [click - begins - heard[np.abs(heard - click + begins).argmin()] for click in clicks if click >= begins]
    return round(1000 * float(np.mean(late) + np.mean(early)), 1) + 0.0


def measure_all() -> Iterator[tuple[str, float]]:
    """Name and bias of each kind."""
    with TemporaryDirectory() as folder:
        for name, edits in EDITS.items():
            path = set_edits(write_clip(Path(folder) / "clip.mp4", CLIP), edits)
            yield name, bias_ms(path, *edited(edits))
        for name, (extension, clip) in CLIPS.items():
            shown = [(number, float(time)) for number, time in enumerate(clip.times_of_frames())]
            yield name, bias_ms(write_clip(Path(folder) / f"clip.{extension}", clip), shown, clip.click_times)
        for name, (codec, options, depth) in AVI.items():
            clip = replace(SHORT, video_codec=codec, video_options=options, audio_codec="pcm_s16le")
            path = write_clip(Path(folder) / "clip.avi", clip)
            data = bytearray(path.read_bytes())
            # dwStart of the sound's header, in samples.
            header = data.index(b"auds")
            data[header + 28 : header + 32] = (depth * clip.sample_rate // FPS).to_bytes(4, "little")
            path.write_bytes(data)
            shown = [(number, float(time)) for number, time in enumerate(clip.times_of_frames())]
            yield name, bias_ms(path, shown, clip.click_times)


def edited(edits: Sequence[Edit]) -> tuple[list[tuple[float, float]], list[float]]:
    """When each picture of ``CLIP`` is due that an edit list shows whole, and each click."""
    shown, clicks, at = [], [], 0.0
    for seconds, start in edits:
        if start is not None:
            inside = [(number, number / FPS - start) for number in range(200)]
            shown += [(number, at + time) for number, time in inside if -1e-6 < time < seconds - 1e-6]
            clicks += [at + time - start for time in CLIP.click_times if start <= time < start + seconds]
        at += seconds
    return shown, clicks


if __name__ == "__main__":
    print("| file | bias in ms |\n|---|---:|")
    for kind, bias in measure_all():
        print(f"| {kind} | {bias:+.1f} |")
