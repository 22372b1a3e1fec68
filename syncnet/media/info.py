"""What is told of a video file; no decoder is needed to know it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the file says about itself."""

    width: int
    """Pixels, square and upright: after the rotation. Those of the largest picture, where sizes change."""
    height: int
    source_fps: float
    """Mean rate of the source's frames; 0.0 where it is unknown."""
    duration_seconds: float
    """From the first shown frame to the end of the last."""
    container: str
    """FFmpeg's name of the format, such as ``mov,mp4,m4a,3gp,3g2,mj2``."""
    video_codec: str
    audio_codec: str
    rotation_degrees: int
    """How far the stored picture was turned clockwise to stand upright: 0, 90, 180 or 270."""
    file_bytes: int
    sound_track: int = 0
    """Which sound was heard, counted from 0 among the file's audio tracks."""
    sound_tracks: int = 1
    """How many of them there are."""
    corrupt_pictures: int = 0
    """Pictures that decoded with errors, by the decoder's own word; known once all of them were decoded."""
