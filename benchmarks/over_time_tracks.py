"""Long files without pictures to encode: the mouths of stored clips along a file, beside the sound of the whole file.

All after the face crop is as in the command: the network's embeddings, speech detection, time line and thresholds. All
before it is left out: encoding, decoding, shots and face detection. A face is one track as long as it is seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.over_time_files import HEIGHT_PX, LEAD_SECONDS, WIDTH_PX, Plan, make_sound
from syncnet.conventions import FPS, SAMPLE_RATE
from syncnet.models.lite import LiteModel
from syncnet.overtime.finding import find_over_time
from syncnet.overtime.matches import SeenFace
from syncnet.overtime.timeline import OverTime
from syncnet.scoring.score import pair_distances
from syncnet.scoring.speech import find_speech, without_long_pauses
from syncnet.scoring.turns import TrackTable
from syncnet.settings import TrackSettings
from training.corpus import MARGIN, MOUTH_SIZE_PX, Corpus

AT_ONCE = 32
TRACKS = TrackSettings(40)


@dataclass(frozen=True, eq=False)
class StoredClip:
    """A face with its own sound."""

    mouths: np.ndarray
    """(n, 64, 64) uint8 grey."""
    samples: np.ndarray
    """(n * 640,) int16."""

    @property
    def seconds(self) -> float:
        """How long a part of it may be."""
        return min(len(self.mouths) / FPS, len(self.samples) / SAMPLE_RATE) - 2 * LEAD_SECONDS


@dataclass(frozen=True, eq=False)
class Face:
    """Pictures of a clip from a frame of the file on."""

    clip: Path
    left: bool | None
    """Half of the picture; None: the middle of it."""
    first_frame: int
    places: np.ndarray
    """(n,) int: which frame of the clip is seen in each frame of the file."""

    @property
    def end_frame(self) -> int:
        return self.first_frame + len(self.places)


class Mouths:
    """Stored clips as the model sees them. A frame feature sees three pictures, and is worked out once."""

    def __init__(self, clips: Mapping[str, StoredClip], model: LiteModel) -> None:
        self.clips = clips
        self.model = model
        self._features: dict[tuple[str, int, int, int], np.ndarray] = {}

    def features(self, face: Face) -> np.ndarray:
        """(n - 2, members * 128), on the CPU."""
        places = face.places.tolist()
        keys = [(face.clip.name, *seen) for seen in zip(places, places[1:], places[2:], strict=False)]
        new = sorted({key for key in keys if key not in self._features})
        for first in range(0, len(new), AT_ONCE):
            some = new[first : first + AT_ONCE]
            pictures = self.clips[face.clip.name].mouths[np.array([seen for _, *seen in some]).ravel()]
            self._features.update(zip(some, self.model.encode_mouths(pictures)[::3], strict=True))
        return np.stack([self._features[key] for key in keys])


def stored_clips(corpus: Corpus, names: Sequence[str]) -> dict[str, StoredClip]:
    """Those of the names, as the model sees them."""
    inner = slice(MARGIN, MARGIN + MOUTH_SIZE_PX)
    wanted = set(names)
    return {
        clip.name: StoredClip(
            np.ascontiguousarray(corpus.clip_mouths(clip)[:, inner, inner]), corpus.clip_samples(clip).copy()
        )
        for clip in corpus.clips
        if clip.name in wanted
    }


def scan_plan(plan: Plan, mouths: Mouths) -> tuple[OverTime, np.ndarray]:
    """The time line of the file that the plan describes, and in which frames somebody speaks."""
    samples = make_sound(plan, lambda path: mouths.clips[path.name].samples)
    return _scan(place_faces(plan, mouths.clips), samples, mouths)


def scan_clip(clip: Path, mouths: Mouths) -> tuple[OverTime, np.ndarray]:
    """The same of a clip by itself."""
    stored = mouths.clips[clip.name]
    return _scan([Face(clip, None, 0, np.arange(len(stored.mouths)))], stored.samples, mouths)


def place_faces(plan: Plan, clips: Mapping[str, StoredClip]) -> list[Face]:
    """The faces that the file shows, each as long as it is seen."""
    return list(_joined(_faces(plan, clips)))


def _scan(faces: Sequence[Face], samples: np.ndarray, mouths: Mouths) -> tuple[OverTime, np.ndarray]:
    speech = find_speech(samples)
    counts = without_long_pauses(speech)
    seen = [_seen(face, samples, mouths, counts) for face in faces if len(face.places) >= TRACKS.min_track_frames]
    return find_over_time(seen, mouths.model, speech), speech


def _seen(face: Face, samples: np.ndarray, mouths: Mouths, counts: np.ndarray) -> SeenFace:
    count = len(face.places)
    embeddings = mouths.model.embed_features(mouths.features(face), samples, face.first_frame, count, counts)
    table = TrackTable(face.first_frame + embeddings.middle_frame, pair_distances(embeddings), embeddings.metric, 0.0)
    middle = WIDTH_PX / 2 if face.left is None else WIDTH_PX / 4 if face.left else 3 * WIDTH_PX / 4
    box = np.array([middle - HEIGHT_PX / 4, HEIGHT_PX / 4, middle + HEIGHT_PX / 4, 3 * HEIGHT_PX / 4], np.float32)
    return SeenFace(face.first_frame, np.tile(box, (count, 1)), table)


def _faces(plan: Plan, clips: Mapping[str, StoredClip]) -> Iterator[Face]:
    """The faces of each part."""
    for start, end, part in plan.starts():
        first, last = (round(seconds * FPS) for seconds in (start, end))
        if part.clip is None or part.kind in ("narration", "silence"):
            continue
        # The source frame nearest to each tick of the clock, as the media stage takes it.
        shown = np.rint(np.arange(first, last) / FPS * plan.fps) / plan.fps
        count = len(clips[part.clip.name].mouths)
        places = np.rint((shown - start + LEAD_SECONDS) * FPS).astype(int)
        left = part.speaker_left if part.kind == "pair" else None
        yield Face(part.clip, left, first, np.clip(places, 0, count - 1))
        if part.kind == "pair" and part.other is not None:
            yield Face(part.other, not part.speaker_left, first, np.zeros(last - first, int))


def _joined(faces: Iterator[Face]) -> Iterator[Face]:
    """A face that goes on at its place is one track: no cut is seen between two parts of one clip."""
    ordered = sorted(faces, key=lambda face: (str(face.clip), str(face.left), face.first_frame))
    group: list[Face] = []
    for face, after in itertools.zip_longest(ordered, ordered[1:]):
        group.append(face)
        same = after is not None and (after.clip, after.left) == (face.clip, face.left)
        if not (same and after.first_frame == face.end_frame):
            first = group[0]
            yield Face(first.clip, first.left, first.first_frame, np.concatenate([one.places for one in group]))
            group = []
