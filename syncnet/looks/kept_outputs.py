"""The files that later versions of the published script leave of a video: its face crops, boxes, offsets and tracks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from syncnet.conventions import CROP_SIZE_PX, FPS, SAMPLES_PER_FRAME
from syncnet.errors import VideoError
from syncnet.faces.crops import TrackCropper
from syncnet.faces.tracks import Track
from syncnet.keepsake.file import Keepsake
from syncnet.looks.movie import Movie, look_movie
from syncnet.looks.overlay import draw_overlay, is_chosen, turns_of
from syncnet.media.opening import Media
from syncnet.placement.folders import longer_name
from syncnet.results import VideoResult
from syncnet.state.codec import to_plain
from syncnet.system.atomic import write_file
from syncnet.system.interruption import StopFlag
from syncnet.system.plain import read_json

CROP_NAME = re.compile(r"\d{5,}\.mp4")
TRACKS_FILE = "tracks.json"


def save_outputs(
    media: Media, result: VideoResult, keepsake: Keepsake | None, folder: Path, stop: StopFlag, *, comment: str = ""
) -> None:
    """Fills the video's folder; ``analysis/tracks.json`` comes last, and holds ``comment`` as ``made_from``.

    Raises OSError, VideoError and Interrupted; every file in the folder is whole.
    """
    if keepsake is None or len(keepsake.tracks) != len(result.tracks):
        raise VideoError(
            "the boxes of its faces were not kept when it was scored", path=media.path, cure="score it with --rescan"
        )
    tracks = [Track(np.arange(t.first_frame, t.first_frame + len(t.boxes)), t.boxes) for t in keepsake.tracks]
    _write_crops(media, tracks, folder / "cropped_faces", stop)
    target = folder / longer_name(folder.name, "_with_bboxes.mp4")
    draw_overlay(media, result, keepsake, target, stop, min_confidence=None)
    analysis = folder / "analysis"
    analysis.mkdir(parents=True, exist_ok=True)
    write_file(analysis / "offsets.txt", "".join(f"{line}\n" for line in _offset_lines(result)).encode("ascii"))
    document = {"fps": FPS, "made_from": comment, "tracks": _plain_tracks(result, keepsake)}
    write_file(analysis / TRACKS_FILE, json.dumps(document, allow_nan=False).encode("ascii") + b"\n")


def made_from(folder: Path) -> str:
    """What the outputs in the folder were made from; empty where they are not whole."""
    try:
        note = read_json((folder / "analysis" / TRACKS_FILE).read_text(encoding="ascii"))["made_from"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return note if isinstance(note, str) else ""


def _write_crops(media: Media, tracks: list[Track], folder: Path, stop: StopFlag) -> None:
    """One pass over the frames, a movie for each track; those of an earlier, longer list go."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if CROP_NAME.fullmatch(old.name) and int(old.stem) >= len(tracks):
            old.unlink()
    upcoming = sorted(enumerate(tracks), key=lambda numbered: -numbered[1].first_frame)
    active: list[tuple[Movie, TrackCropper, Track]] = []
    stop.enter("cropping faces", round(media.info.duration_seconds * FPS))
    try:
        for frame_index, frame_bgr in enumerate(media.frames()):
            stop.check()
            while upcoming and upcoming[-1][1].first_frame == frame_index:
                number, track = upcoming.pop()
                active.append((_crop_movie(media, track, folder / f"{number:05d}.mp4"), TrackCropper(track), track))
            for entry in list(active):
                movie, cropper, track = entry
                movie.add((frame_index - track.first_frame) / FPS, cropper.crop(frame_index, frame_bgr))
                if frame_index + 1 == track.first_frame + track.frame_count:
                    movie.finish()
                    active.remove(entry)
            if not (active or upcoming):
                break
    finally:
        # What is left here was cut short by an error.
        for movie, _, _ in active:
            movie.discard()


def _crop_movie(media: Media, track: Track, path: Path) -> Movie:
    first, end = track.first_frame, track.first_frame + track.frame_count
    samples = media.samples[first * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME]
    return look_movie(path, (CROP_SIZE_PX, CROP_SIZE_PX), FPS, samples, threads=media.threads)


def _offset_lines(result: VideoResult) -> list[str]:
    return [
        f"TRACK {number}: OFFSET {track.score.offset_frames}, CONF {track.score.confidence:.3f}"
        if track.score
        else f"TRACK {number}: NO SCORE"
        for number, track in enumerate(result.tracks)
    ]


def _plain_tracks(result: VideoResult, keepsake: Keepsake) -> list[dict[str, Any]]:
    """What is known of each track, frame by frame too."""
    plain = []
    for number, (track, kept) in enumerate(zip(result.tracks, keepsake.tracks, strict=True)):
        score = track.score
        fields = {
            "track": number,
            "chosen": is_chosen(result, number),
            "turns": turns_of(result, number),
            "first_frame": track.first_frame,
            "frame_count": track.frame_count,
            "offset": score.offset_frames if score else None,
            "confidence": score.confidence if score else None,
            "min_distance": score.min_distance if score else None,
            # Row k of a curve is the offset 15 - k; here the offsets rise from -15 to 15.
            "distances": score.curve[::-1] if score else None,
            "boxes": [[round(float(edge)) for edge in box] for box in kept.boxes],
            "frame_confidence": [round(float(value), 3) for value in kept.confidence],
        }
        plain.append({name: to_plain(value) for name, value in fields.items()})
    return plain
