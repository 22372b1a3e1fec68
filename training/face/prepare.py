"""``python -m training.face.prepare``: frames and corpus -> files of training pictures with the teacher's labels."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.face.labels import Faces
from training.face.pictures import make_file
from training.face.sources import Picture, read_frames, read_heads
from training.face.synthesis import Material
from training.face.teacher import Teacher

TRAINING_FILES = 7
VALIDATION_NUMBER = 9000
"""Files from this number on are made of held-out sources."""
VALIDATION_FILES = 1


def pictures_name(number: int) -> str:
    return f"pictures_{number:04d}.npy"


def training_files(out: Path) -> list[Path]:
    return [path for path in _made(out) if path.name < pictures_name(VALIDATION_NUMBER)]


def validation_files(out: Path) -> list[Path]:
    return [path for path in _made(out) if path.name >= pictures_name(VALIDATION_NUMBER)]


def _made(out: Path) -> list[Path]:
    return sorted(out.glob("pictures_[0-9][0-9][0-9][0-9].npy"))


def prepare(shared: Path, out: Path, seed: int, files: int, every: int = 1, first: int = 0) -> None:
    """Makes the files that are missing. ``every``, ``first``: for several processes that share the work."""
    out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    teacher = Teacher(shared / "weights" / "face_detection_yunet_2023mar.onnx")
    frames = read_frames(shared / "frames")
    heads = _heads(shared, out, teacher)
    numbers = [*range(VALIDATION_NUMBER, VALIDATION_NUMBER + VALIDATION_FILES), *range(files)]
    for held_out in (True, False):
        material = Material.of(
            [frame for frame in frames if frame.held_out == held_out],
            [head for head in heads if head.held_out == held_out],
        )
        for number in numbers[first::every]:
            path = out / pictures_name(number)
            if (number >= VALIDATION_NUMBER) == held_out and not path.exists():
                make_file(path, number, material, teacher, seed)
                print(path, flush=True)


def _heads(shared: Path, out: Path, teacher: Teacher) -> list[Picture]:
    kept = out / "heads.npz"
    if not kept.exists():
        heads = read_heads(shared / "corpus", teacher)
        columns = {f"pixels{number:06d}": head.pixels for number, head in enumerate(heads)}
        np.savez(
            kept,
            boxes=np.concatenate([head.faces.boxes for head in heads]),
            landmarks=np.concatenate([head.faces.landmarks for head in heads]),
            scores=np.concatenate([head.faces.scores for head in heads]),
            held_out=[head.held_out for head in heads],
            **columns,
        )
    with np.load(kept) as stored:
        faces = Faces(stored["boxes"], stored["landmarks"], stored["scores"])
        held_out = stored["held_out"]
        return [
            Picture(stored[f"pixels{place:06d}"], faces[np.array([place])], bool(held_out[place]))
            for place in range(len(faces))
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder with frames/, corpus/ and weights/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--files", type=int, default=TRAINING_FILES, help="of a thousand pictures each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="make each n-th file only")
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    prepare(arguments.shared, arguments.out, arguments.seed, arguments.files, arguments.every, arguments.first)


if __name__ == "__main__":
    main()
