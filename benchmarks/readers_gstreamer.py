"""When GStreamer shows the flashes of a file and sounds its clicks. Run by a Python that has its bindings:

    /usr/bin/python3 benchmarks/readers_gstreamer.py FILE

Prints JSON: [running time in seconds, brightness from 0 to 255] of each picture, and the sound, 16 kHz mono 16 bit, as
[running time, base64] of each piece. FFmpeg's elements are left out, so that none of its code takes part.
"""

from __future__ import annotations

import base64
import json
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

RATE, BYTES = 16_000, 2
PIPELINE = (
    "filesrc name=file ! decodebin name=all "
    "all. ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! videoconvert ! videoscale "
    "! video/x-raw,format=GRAY8,width=16,height=12 ! appsink name=pictures sync=false max-buffers=0 "
    "all. ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! audioconvert ! audioresample "
    f"! audio/x-raw,format=S16LE,rate={RATE},channels=1,layout=interleaved "
    "! appsink name=sound sync=false max-buffers=0"
)


def leave_out_ffmpeg() -> None:
    registry = Gst.Registry.get()
    for feature in registry.get_feature_list_by_plugin("libav"):
        feature.set_rank(Gst.Rank.NONE)


def pulled(sink):
    while True:
        sample = sink.emit("pull-sample")
        if sample is None:
            return
        buffer, segment = sample.get_buffer(), sample.get_segment()
        _, mapped = buffer.map(Gst.MapFlags.READ)
        data = bytes(mapped.data)
        buffer.unmap(mapped)
        yield buffer.pts, data, segment


def read(path: str) -> dict[str, list]:
    Gst.init(None)
    leave_out_ffmpeg()
    pipeline = Gst.parse_launch(PIPELINE)
    pipeline.get_by_name("file").set_property("location", path)
    pipeline.set_state(Gst.State.PLAYING)
    pictures, sound = [], []
    for pts, data, segment in pulled(pipeline.get_by_name("pictures")):
        time = segment.to_running_time(Gst.Format.TIME, pts)
        if time != Gst.CLOCK_TIME_NONE:
            pictures.append([time / Gst.SECOND, sum(data) / len(data)])
    for pts, data, segment in pulled(pipeline.get_by_name("sound")):
        # As a sink does: what lies outside of the segment is not heard.
        early = max(0, segment.start - pts) if pts != Gst.CLOCK_TIME_NONE else 0
        skipped = round(early * RATE / Gst.SECOND) * BYTES
        time = segment.to_running_time(Gst.Format.TIME, pts + early)
        if len(data) > skipped and time != Gst.CLOCK_TIME_NONE:
            sound.append([time / Gst.SECOND, base64.b64encode(data[skipped:]).decode()])
    problem = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if problem is not None:
        sys.exit(str(problem.parse_error()[0]))
    return {"pictures": pictures, "sound": sound}


if __name__ == "__main__":
    json.dump(read(sys.argv[1]), sys.stdout)
