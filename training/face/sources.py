"""Pictures to make training pictures of: single frames, and faces out of the corpus of face clips."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from training.corpus import HELD_OUT_SOURCES, LEFT_OUT_SOURCES
from training.face.labels import LANDMARKS, Faces
from training.face.teacher import Teacher

_VALIDATION_FRAMES = frozenset(
    {"Maxiemiliaan/RTL_Nieuws", "intel-iot-devkit/sample-videos", "facebookresearch/perception_models"}
)
"""Sources of frames that are not trained on: they choose the best moment."""
NOT_FACES = Path(__file__).parent / "not_faces.tsv"
_FRAMES_OF_A_CLIP = 8
_SURE_SCORE = 0.7


@dataclass(frozen=True)
class Picture:
    pixels: np.ndarray
    """(H, W, 3), uint8 BGR."""
    faces: Faces
    held_out: bool
    wrong: Faces = field(default_factory=Faces.none)
    """What the teacher took for faces and is none: animals, wheels, hands (not_faces.tsv, found by eye)."""

    @property
    def sure(self) -> Faces:
        return self.faces[self.faces.scores > _SURE_SCORE]


def read_frames(frames_dir: Path) -> list[Picture]:
    """The pictures of FRAMES.tsv with the boxes of labels.jsonl."""
    with (frames_dir / "FRAMES.tsv").open(newline="") as table:
        sources = {row["file"]: row["source_repository"] for row in csv.DictReader(table, delimiter="\t")}
    wrong = _read_wrong()
    pictures = []
    for line in (frames_dir / "labels.jsonl").read_text().splitlines():
        row = json.loads(line)
        pixels = cv2.imread(str(frames_dir / row["file"]))
        # Every tenth frame of the largest sources, by its name, is held out too.
        held_out = sources[row["file"]] in _VALIDATION_FRAMES or int(Path(row["file"]).stem[-12:], 16) % 10 == 0
        faces = _faces_of(row["faces"])
        is_wrong = np.array([[row["file"], *map(str, map(float, face["box"]))] in wrong for face in row["faces"]], bool)
        pictures.append(Picture(pixels, faces[~is_wrong], held_out, faces[is_wrong]))
    return pictures


def _read_wrong() -> list[list[str]]:
    """File name and corners, as they are written, of each."""
    with NOT_FACES.open(newline="") as table:
        return [list(row.values()) for row in csv.DictReader(table, delimiter="\t")]


def _faces_of(rows: list[dict[str, object]]) -> Faces:
    if not rows:
        return Faces.none()
    return Faces(
        np.array([row["box"] for row in rows], np.float32),
        np.array([row["landmarks"] for row in rows], np.float32).reshape(-1, LANDMARKS, 2),
        np.array([row["score"] for row in rows], np.float32),
    )


def read_heads(corpus_dir: Path, teacher: Teacher) -> list[Picture]:
    """Frames of the corpus in which the teacher is sure of one face; sources that also gave clips to an evaluation
    are held out."""
    with (corpus_dir / "CORPUS.tsv").open(newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    heads = []
    for row in rows:
        path, source = corpus_dir / row["file"], row["source_repository"]
        held_out = source in HELD_OUT_SOURCES or source in LEFT_OUT_SOURCES
        for pixels in some_frames(path, _FRAMES_OF_A_CLIP if not held_out else 2):
            faces = teacher.label(pixels)
            if (faces.scores > _SURE_SCORE).sum() == 1:
                heads.append(Picture(pixels, faces[faces.scores > _SURE_SCORE], held_out))
    return heads


def some_frames(path: Path, wanted: int) -> list[np.ndarray]:
    """Frames of a clip in equal distances, as many as are wanted where the file tells truly how many it has."""
    capture = cv2.VideoCapture(str(path))
    places = np.linspace(0, max(0, capture.get(cv2.CAP_PROP_FRAME_COUNT) - 1), wanted).astype(int)
    frames = []
    for number in range(int(places[-1]) + 1):
        if not capture.grab():
            break
        if number in places:
            frames.append(capture.retrieve()[1])
    capture.release()
    return frames
