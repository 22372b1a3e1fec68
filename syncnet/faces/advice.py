"""What to try when a video has no face track."""

from __future__ import annotations

import re

from syncnet.settings import TrackSettings

SMALL_FACE_PX = 30
SHORT_TRACK_FRAMES = 25


def advise_on_no_track(reason: str, settings: TrackSettings, least_track_frames: int) -> str:
    """What to try, given ``TrackingResult.no_track_reason``, which names the largest face and the longest track seen.

    ``least_track_frames`` is what the model needs: shorter tracks cannot be scored, whatever the flag says.
    """
    flags = []
    if largest := re.search(r"largest (\d+) px", reason):
        flags.append(f"--min_face_size {max(1, min(SMALL_FACE_PX, int(largest[1])))}")
    if longest := re.search(r"longest (\d+)", reason):
        frames = int(longest[1])
        if frames >= least_track_frames:
            flags.append(f"--min_track {max(least_track_frames, min(SHORT_TRACK_FRAMES, frames))}")
        elif not flags:
            return f"the face is shown too briefly: scoring needs {least_track_frames} frames"
    if flags:
        return f"try {' or '.join(flags)}"
    if settings.min_face_px > SMALL_FACE_PX:
        return f"try --min_face_size {SMALL_FACE_PX}, in case the faces are small"
    return "faces must look towards the camera; another --detector may find more"
