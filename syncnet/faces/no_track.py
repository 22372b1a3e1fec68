"""Why a video has no face track: as numbers, in words, and what to try."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from syncnet.settings import TrackSettings

SMALL_FACE_PX = 30
SHORT_TRACK_FRAMES = 25
_SENTENCE = re.compile(r"(faces|tracks) [a-z ]+ than (\d+) [a-z]+ \([a-z]+ (\d+)")


@dataclass(frozen=True, slots=True)
class MissedGate:
    """A limit that nothing reached."""

    limit: int
    best: int
    """What came nearest to it, rounded down."""


class View(enum.Enum):
    """How a picture must be changed before faces are seen in it."""

    TURN_RIGHT = "right"
    TURN_LEFT = "left"
    HEAD_DOWN = "half"
    FRAMED = "framed"


_CURES = {
    View.TURN_RIGHT: "the faces lie on their side: turn the video a quarter to the right (ffmpeg -vf transpose=1)",
    View.TURN_LEFT: "the faces lie on their side: turn the video a quarter to the left (ffmpeg -vf transpose=2)",
    View.HEAD_DOWN: "the faces are head down: turn the video by half (ffmpeg -vf hflip,vflip)",
    View.FRAMED: "the face fills the picture: put a border around it (ffmpeg -vf pad=2*iw:2*ih:iw/2:ih/2)",
}


def advise_on_view(seen_as: str) -> str:
    """What to do where faces are seen in this ``View``, by its value. Raises ValueError for no such value."""
    return _CURES[View(seen_as)]


@dataclass(frozen=True, slots=True)
class NoTrackReason:
    """The gates that dropped every face; none of them where no face was seen."""

    face_px: MissedGate | None = None
    track_frames: MissedGate | None = None
    beyond: bool = False
    """Whether a face had to be beyond the limits, as in the published way, and not only at them."""
    seen_as: str = ""
    """The value of the ``View`` in which there are faces, where the pictures as they are show none."""


def describe_no_track(reason: NoTrackReason) -> str:
    """``only faces smaller than 50 px (largest 31 px)``."""
    face, track = reason.face_px, reason.track_frames
    gates = []
    if face:
        size = "of no more than" if reason.beyond else "smaller than"
        gates.append(f"faces {size} {face.limit} px (largest {face.best} px)")
    if track:
        length = "of no more than" if reason.beyond else "shorter than"
        gates.append(f"tracks {length} {track.limit} frames (longest {track.best})")
    return f"only {' or '.join(gates)}" if gates else "no face seen"


def read_no_track(sentence: str) -> NoTrackReason:
    """The reason that was described so. Earlier versions kept the sentence in their records."""
    gates = {kind: MissedGate(int(limit), int(best)) for kind, limit, best in _SENTENCE.findall(sentence)}
    return NoTrackReason(gates.get("faces"), gates.get("tracks"), beyond="no more than" in sentence)


def advise_on_no_track(reason: NoTrackReason, settings: TrackSettings, least_track_frames: int) -> str:
    """What to try.

    ``least_track_frames`` is what the model needs: shorter tracks cannot be scored, whatever the flag says.
    """
    flags = []
    if reason.seen_as:
        return advise_on_view(reason.seen_as)
    # A face that has to be beyond a limit needs one that lies below it.
    below = int(reason.beyond)
    if reason.face_px:
        flags.append(f"--min_face_size {max(1, min(SMALL_FACE_PX, reason.face_px.best - below))}")
    if reason.track_frames:
        frames = reason.track_frames.best - below
        if frames >= least_track_frames:
            flags.append(f"--min_track {max(least_track_frames, min(SHORT_TRACK_FRAMES, frames))}")
        elif not flags:
            return f"the face is shown too briefly: scoring needs {least_track_frames} frames"
    if flags:
        return f"try {' or '.join(flags)}"
    if settings.min_face_px > SMALL_FACE_PX:
        return f"try --min_face_size {SMALL_FACE_PX}, in case the faces are small"
    return "faces must look towards the camera; another --detector may find more"
