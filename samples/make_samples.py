"""Makes the sample clips anew: a portrait that speaks, with the truth about its sound known.

    python samples/make_samples.py

needs, beside the project's own requirements, the C library of espeak-ng (Debian: ``apt install libespeak-ng1``) and
``pip install scikit-image``, whose data hold the two pictures. It takes some minutes and writes next to itself.
The files come out the same each time with the same versions of espeak-ng, PyAV and scikit-image.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from camera import CLIP_SIZE_PX, develop, exposure_times, look
from face import Face
from scipy.signal import resample_poly
from skimage import data
from speech import Speech, speak
from visemes import move_mouth

FOLDER = Path(__file__).resolve().parent

FPS = 25
FRAME_COUNT = 145
SAMPLE_RATE = 44_100
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
SOUND_LATE_FRAMES = 8

SENTENCE = "Mama bought a purple map, and both boys may open five more boxes."
OTHER_SENTENCE = "Nina is ten. Keith is sixteen. Anything else?"
VOICE, PITCH, PITCH_RANGE = "en-us+f2", 50, 60
WORDS_PER_MINUTE, OTHER_WORDS_PER_MINUTE = 135, 115
SPEECH_START_SECONDS = 0.24
"""Of the sentence, within the clip."""
BLINK_TIMES = (1.62, 4.3)

PEAK = 0.5
ROOM_NOISE = 10 ** (-56 / 20)
"""Standard deviation of the quiet of a room, full scale being 1."""
SEED = 2024


def main() -> None:
    """Write every clip."""
    cv2.setNumThreads(1)
    sentence = speak(SENTENCE, voice=VOICE, words_per_minute=WORDS_PER_MINUTE, pitch=PITCH, pitch_range=PITCH_RANGE)
    other = speak(
        OTHER_SENTENCE, voice=VOICE, words_per_minute=OTHER_WORDS_PER_MINUTE, pitch=PITCH, pitch_range=PITCH_RANGE
    )
    talking = film_face(sentence)
    sound, other_sound = record(sentence), record(other)
    write_clip("in_sync", talking, sound)
    write_clip("sound_8_frames_late", talking, record(sentence, late_frames=SOUND_LATE_FRAMES))
    write_clip("other_sentence", talking, other_sound)
    write_clip("no_sound", talking, None)
    write_clip("no_face", film_rocket(), other_sound)
    damage(write_clip("damaged", talking, sound))


def film_face(speech: Speech) -> list[np.ndarray]:
    """The portrait speaking, frame n from n / 25 s on, each (448, 448, 3) uint8 BGR."""
    face = Face(data.astronaut()[..., ::-1])
    noise = np.random.default_rng(SEED)
    frames = []
    for times in exposure_times(np.arange(FRAME_COUNT) / FPS):
        shapes = move_mouth(speech.phonemes, times - SPEECH_START_SECONDS)
        looks = [look(face.draw(shape), time, BLINK_TIMES) for shape, time in zip(shapes, times, strict=True)]
        frames.append(develop(np.mean(looks, axis=0), noise))
    return frames


def film_rocket() -> list[np.ndarray]:
    """A camera that follows a rocket: a moving picture without a face."""
    picture = data.rocket()[..., ::-1].astype(np.float32)
    noise = np.random.default_rng(SEED)
    frames = []
    for share in np.linspace(0, 1, FRAME_COUNT):
        side = 300 - 60 * share
        left, top = 150 + 40 * share, 110 - 90 * share
        scale = CLIP_SIZE_PX / side
        view = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        frame = cv2.warpAffine(picture, view, (CLIP_SIZE_PX, CLIP_SIZE_PX), flags=cv2.INTER_CUBIC)
        frames.append(develop(frame, noise))
    return frames


def record(speech: Speech, late_frames: int = 0) -> np.ndarray:
    """The clip's sound, (S,) int16 at 44.1 kHz, with the speech where the frames have it, or later."""
    spoken = resample_poly(speech.samples, SAMPLE_RATE, speech.rate)
    spoken *= PEAK / np.abs(spoken).max()
    wave = np.random.default_rng(SEED).normal(0, ROOM_NOISE, FRAME_COUNT * SAMPLES_PER_FRAME)
    start = round(SPEECH_START_SECONDS * SAMPLE_RATE) + late_frames * SAMPLES_PER_FRAME
    end = min(start + len(spoken), len(wave))
    wave[start:end] += spoken[: end - start]
    return np.round(wave * 32767).astype(np.int16)


def write_clip(name: str, frames: list[np.ndarray], samples: np.ndarray | None) -> Path:
    """Write ``name``.mp4, H.264 and AAC, and return its path."""
    path = FOLDER / f"{name}.mp4"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=FPS, options={"crf": "19", "preset": "slow"})
        picture.width, picture.height, picture.pix_fmt = CLIP_SIZE_PX, CLIP_SIZE_PX, "yuv420p"
        # The encoder's choices depend on the number of its threads.
        picture.codec_context.thread_count = 1
        sound = None if samples is None else container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        if sound is not None:
            sound.bit_rate = 96_000
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(picture.encode(frame))
            if sound is not None:
                first = number * SAMPLES_PER_FRAME
                piece = av.AudioFrame.from_ndarray(
                    samples[None, first : first + SAMPLES_PER_FRAME], format="s16", layout="mono"
                )
                piece.sample_rate, piece.pts, piece.time_base = SAMPLE_RATE, first, Fraction(1, SAMPLE_RATE)
                container.mux(sound.encode(piece))
        for stream in container.streams:
            container.mux(stream.encode(None))
    return path


def damage(path: Path) -> None:
    """Cut the file's end off, and with it the table that says where its frames are."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])


if __name__ == "__main__":
    main()
