"""Videos -> face clips of the corpus: ``python -m training.gather --videos DIR --weights_dir DIR --out DIR``.

DIR holds a table VIDEOS.tsv with the columns of CORPUS.tsv (training/README.md). Each of the longest face tracks
becomes a clip of 224 x 224 at 25 frames a second with its sound, and a line more of the table CORPUS.tsv.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from detectors.protocol import DetectorSpec
from detectors.registry import resolve_detector
from syncnet.conventions import CROP_SIZE_PX, FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from syncnet.faces.crops import TrackCropper
from syncnet.faces.finding import find_faces
from syncnet.faces.tracks import link_tracks
from syncnet.media.opening import open_media
from syncnet.settings import DetectSettings, ShotSettings, TrackSettings
from weights import WeightsPolicy

MIN_FACE_PX = 32
SHORTEST_FRAMES = 50
MOST_TRACKS = 3
COLUMNS = ("file", "source_repository", "what", "licence", "remarks")


def face_clips(path: Path, detector: DetectorSpec, longest_frames: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The longest tracks of a video: crops (n, 224, 224, 3) and n * 640 samples, at most ``longest_frames`` each."""
    media = open_media(path, threads=1)
    finder = detector.create(MIN_FACE_PX, media.info.width, media.info.height)
    faces = find_faces(media.frames(), finder, DetectSettings(min_face_px=MIN_FACE_PX), ShotSettings())
    tracks = link_tracks(faces, TrackSettings(min_face_px=MIN_FACE_PX)).tracks
    chosen = sorted(tracks, key=lambda track: -track.frame_count)[:MOST_TRACKS]
    chosen = [track for track in chosen if track.frame_count >= SHORTEST_FRAMES]
    croppers = [TrackCropper(track) for track in chosen]
    crops: list[list[np.ndarray]] = [[] for _ in chosen]
    for index, frame in enumerate(media.frames()):
        for track, cropper, kept in zip(chosen, croppers, crops, strict=True):
            if track.first_frame <= index < track.first_frame + min(track.frame_count, longest_frames):
                kept.append(cropper.crop(index, frame))
    for track, kept in zip(chosen, crops, strict=True):
        first = track.first_frame * SAMPLES_PER_FRAME
        sound = media.samples[first : first + len(kept) * SAMPLES_PER_FRAME]
        yield np.stack(kept), np.pad(sound, (0, len(kept) * SAMPLES_PER_FRAME - len(sound)))


def write_face_clip(path: Path, crops: np.ndarray, samples: np.ndarray) -> None:
    """Matroska with H.264 and PCM, so that both streams start at 0."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "18", "bf": "0"})
        video.width = video.height = CROP_SIZE_PX
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        for crop in crops:
            container.mux(video.encode(av.VideoFrame.from_ndarray(crop, "bgr24")))
        container.mux(video.encode(None))
        block = av.AudioFrame.from_ndarray(samples[None].astype(np.int16), "s16", "mono")
        block.sample_rate, block.pts, block.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        container.mux(audio.encode(block))
        container.mux(audio.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, required=True)
    parser.add_argument("--weights_dir", type=Path, required=True, help="where YuNet's file is")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--longest", type=int, default=500, help="frames of a clip at most")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    detector = resolve_detector("yunet", WeightsPolicy(options.weights_dir))
    with (options.videos / "VIDEOS.tsv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    corpus_table = options.out / "CORPUS.tsv"
    fresh = not corpus_table.exists()
    with corpus_table.open("a", newline="") as stream:
        table = csv.DictWriter(stream, COLUMNS, delimiter="\t", lineterminator="\n", extrasaction="ignore")
        if fresh:
            table.writeheader()
        for row in rows:
            clips = face_clips(options.videos / row["file"], detector, options.longest)
            for number, (crops, samples) in enumerate(clips):
                name = f"{Path(row['file']).stem}_{number}.mkv"
                write_face_clip(options.out / name, crops, samples)
                table.writerow(row | {"file": name})
                stream.flush()
                print(name, len(crops), flush=True)


if __name__ == "__main__":
    main()
