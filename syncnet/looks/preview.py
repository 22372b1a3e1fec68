"""Small copies of videos that browsers do not play, for the player of the report page."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path, PurePath

import cv2

from syncnet.conventions import FPS, SAMPLE_RATE
from syncnet.looks.movie import open_movie
from syncnet.media.info import MediaInfo
from syncnet.media.opening import Media
from syncnet.results import VideoResult
from syncnet.system.interruption import StopFlag

HIGHEST_PX = 480
WIDEST_PX = 854
PREVIEW_CRF = 28
MOST_SECONDS = 3600.0
"""The rest of a longer video is left out."""
PREVIEW_VERSION = 1
"""Raised whenever the same video is made into another preview."""
_PLAYED = {
    # FFmpeg's first name of the container, and endings: codecs of pictures and of sounds that Chromium and Firefox
    # play. Safari plays them too, but for VP8.
    "mov": ((".mp4", ".m4v", ".mov"), ("h264", "av1", "vp9"), ("aac", "mp3", "opus", "flac")),
    "matroska": ((".webm",), ("vp8", "vp9", "av1"), ("opus", "vorbis")),
}


def is_played(name: str, info: MediaInfo) -> bool:
    """Whether browsers play the file. FFmpeg's names tell no profile: a rare one may still not be played."""
    suffixes, pictures, sounds = _PLAYED.get(info.container.split(",")[0], ((), (), ()))
    return PurePath(name).suffix.lower() in suffixes and info.video_codec in pictures and info.audio_codec in sounds


def preview_digest(result: VideoResult, made_by: str) -> str:
    """Of all that a preview is made from: one that was made from the same is not made again."""
    sound = str(result.sound_path) if result.sound_path else None
    shown = {"preview": PREVIEW_VERSION, "bytes": result.file_bytes, "mtime_ns": result.mtime_ns, "sound": sound}
    return f"{made_by}{hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()}"


def make_preview(media: Media, target: Path, stop: StopFlag, *, comment: str = "") -> None:
    """Writes the video at 25 frames a second, on the clock of the time line, with the sound that was scored.

    Raises OSError, VideoError and Interrupted, leaving nothing half-written.
    """
    size = preview_size(media.info.width, media.info.height)
    stop.enter("making a preview", round(min(media.info.duration_seconds, MOST_SECONDS) * FPS))
    samples = media.samples[: round(MOST_SECONDS * SAMPLE_RATE)]
    with open_movie(target, size, FPS, samples, threads=media.threads, comment=comment, crf=PREVIEW_CRF) as movie:
        for number, frame_bgr in enumerate(itertools.islice(media.frames(), round(MOST_SECONDS * FPS))):
            stop.check()
            movie.add(number / FPS, cv2.resize(frame_bgr, size, interpolation=cv2.INTER_AREA))


def preview_size(width: int, height: int) -> tuple[int, int]:
    """Width and height in pixels, both even, as an encoder wants them; never larger than the picture."""
    scale = min(1.0, HIGHEST_PX / height, WIDEST_PX / width)
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))
