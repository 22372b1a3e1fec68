"""The published preprocessing, on demand: four lossy generations, in their order, before a network sees a face.

video -> 25 fps MPEG-4 -> JPEG frames -> faces, shots, tracks -> XVID crops with their sound -> JPEG frames.
Source: run_pipeline.py and SyncNetInstance.py of github.com/joonson/syncnet_python. docs/scores.md tells what it does
to a score.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from detectors.protocol import FaceDetector
from syncnet.errors import EmptyVideoError
from syncnet.faces.tracks import Track, TrackingResult
from syncnet.reference.crops import write_crop_video
from syncnet.reference.other_sound import write_with_sound
from syncnet.reference.tools import WHOLE_FRAME_QUALITY, ReferenceJob, ReferenceTools, cut_wav, list_frames, read_wav
from syncnet.reference.tracks import detect_faces, find_published_shots, link_published_tracks
from syncnet.settings import TrackSettings
from syncnet.system.work_folder import work_folder


@dataclass(frozen=True)
class FaceClip:
    """One face crop video as the published network is shown it."""

    frame_files: list[Path]
    """JPEG files, one for each 1/25 s."""
    samples: np.ndarray
    """(S,) int16, 16 kHz mono; sample 0 belongs to the first frame."""

    def crops(self) -> Iterator[np.ndarray]:
        """(224, 224, 3) uint8 BGR."""
        return map(_read_picture, self.frame_files)


@contextmanager
def published_chain(job: ReferenceJob, tools: ReferenceTools) -> Iterator[PublishedChain]:
    """The chain with a temporary folder that is gone afterwards, whatever happens.

    It takes some 10 MB for each second of a large picture.
    """
    with work_folder() as folder:
        yield PublishedChain(job, tools, folder)


class PublishedChain:
    """One video on its way. Steps raise VideoError, OSError where the disk is full, and Interrupted."""

    def __init__(self, job: ReferenceJob, tools: ReferenceTools, folder: Path) -> None:
        self._job = job
        self._tools = tools
        self._folder = folder
        self._avi = folder / "video.avi"
        self._wav = folder / "audio.wav"
        self._frame_files: list[Path] = []
        self._source = job.path

    def take_sound(self, sound_file: Path) -> None:
        """The video with the sound of another file in the place of its own: before all other steps."""
        self._source = self._folder / "with_sound.mkv"
        write_with_sound(self._job, sound_file, self._source)

    def reencode(self) -> None:
        """The whole video to 25 fps MPEG-4, that to JPEG frames and sound: before anything else."""
        frames_folder = self._folder / "frames"
        frames_folder.mkdir()
        self._tools.reencode(self._job, self._source, self._avi)
        self._tools.write_frames(self._job, self._avi, frames_folder, WHOLE_FRAME_QUALITY)
        self._tools.write_sound(self._job, self._avi, self._wav, align_start=False)
        self._frame_files = list_frames(frames_folder)
        if not self._frame_files:
            raise EmptyVideoError("no picture was left at 25 fps", path=self._job.path, cure="check that it plays")

    @cached_property
    def samples(self) -> np.ndarray:
        """The sound of the whole video, (S,) int16, 16 kHz mono."""
        return read_wav(self._wav)

    def find_tracks(self, detector: FaceDetector, settings: TrackSettings) -> TrackingResult:
        """Tracks of the re-encoded video's frames."""
        boxes = detect_faces(self._frames(0, len(self._frame_files)), detector, self._job.stop)
        shots = find_published_shots(self._avi, len(self._frame_files), self._job.stop)
        return link_published_tracks(boxes, shots, settings)

    @contextmanager
    def face_clip(self, track: Track) -> Iterator[FaceClip]:
        """The crops of a track, as a video with its sound, read back as frames and sound."""
        folder = self._folder / "crop"
        folder.mkdir()
        silent, part, joined = folder / "silent.avi", folder / "part.wav", folder / "crop.avi"
        try:
            write_crop_video(self._frames(track.first_frame, track.first_frame + track.frame_count), track, silent)
            if len(cut_wav(self._wav, part, range(track.first_frame, track.first_frame + track.frame_count))) == 0:
                yield FaceClip([], np.empty(0, np.int16))
                return
            self._tools.join(self._job, silent, part, joined)
            yield self._read_clip(joined, folder)
        finally:
            shutil.rmtree(folder)

    def given_clip(self) -> FaceClip:
        """The video itself where it is a face crop already, the way of the published demo: no re-encoding."""
        return self._read_clip(self._source, self._folder)

    def _read_clip(self, video: Path, folder: Path) -> FaceClip:
        frames_folder, wav = folder / "crops", folder / "sound.wav"
        frames_folder.mkdir()
        self._tools.write_frames(self._job, video, frames_folder, None)
        self._tools.write_sound(self._job, video, wav, align_start=True)
        return FaceClip(list_frames(frames_folder), read_wav(wav))

    def _frames(self, first: int, end: int) -> Iterator[np.ndarray]:
        for file in self._frame_files[first:end]:
            self._job.stop.check()
            yield _read_picture(file)


def _read_picture(file: Path) -> np.ndarray:
    # Not imread: it wants a name in UTF-8.
    picture = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise OSError(errno.EIO, "a picture between the published steps is broken", str(file))
    return picture
