#!/usr/bin/env bash
# AVI: a gap after the first picture is stored twice where the codec reorders pictures.
#
# With: av 18.1.0 (FFmpeg's libavformat 62.12.102), numpy 2.4.0, Python 3.11.
# Done: ten pictures at 0, 11, 12, ... 19 of 25 fps are muxed into an AVI, with and without B-frames, and read back.
#   An AVI has a slot for each picture and none for time stamps; a gap is a run of empty slots.
# Guess: the pictures come back at the slots that they were given, or all of them later by the depth of the reordering
#   (one slot): 11 slots between the first and the second picture.
# Seen: without B-frames, 0 11 12 13 ... 19. With max_b_frames=1 and MPEG-4, 11 22 23 24 ... 30: the first picture is
#   moved by the whole first gap, 440 ms, and the file is 30 slots long instead of 20. The encoder must stamp its first
#   packet for decoding before the first picture is shown, and takes the distance to the second picture for that; the
#   muxer writes that distance as empty slots. Sound beside it is not moved, so by the slots it comes 440 ms early.
# It fails if this changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "av==18.1.0" "numpy==2.4.0"
cd "$work"
venv/bin/python - <<'PYTHON'
from fractions import Fraction

import av
import numpy as np

SLOTS = [0, *range(11, 20)]
TICK = Fraction(1, 25)


def read_back(b_frames: int) -> list[int]:
    """The slot of each picture, told by its grey."""
    with av.open("gap.avi", "w", format="avi") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.time_base = TICK
        for slot in SLOTS:
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), slot * 10, np.uint8), format="rgb24")
            frame.pts, frame.time_base = slot, TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open("gap.avi") as container:
        found = []
        for slot, frame in zip(SLOTS, container.decode(video=0), strict=True):
            assert abs(frame.to_ndarray(format="gray").mean() - slot * 10) < 5
            found.append(round(frame.pts * frame.time_base / TICK))
    return found


plain, reordered = read_back(0), read_back(1)
print("without B-frames:", *plain)
print("with B-frames:   ", *reordered)
assert plain == SLOTS
assert reordered == [11, *range(22, 31)]
PYTHON
