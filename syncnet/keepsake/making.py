"""Tracks in work -> their keepsakes: a face, a strip of mouths, and how well each frame fits the sound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from syncnet.conventions import MAX_SHIFT_FRAMES, SAMPLES_PER_FRAME, Samples
from syncnet.keepsake.file import Keepsake, TrackKeepsake
from syncnet.models.features import MOUTH_LEFT_PX, MOUTH_SIDE_PX, MOUTH_TOP_PX
from syncnet.models.protocol import SyncModel
from syncnet.scoring.evidence import WINDOW_LENGTH_FRAMES, window_curves
from syncnet.scoring.lips import pieces
from syncnet.scoring.score import SHIFT_COUNT, SyncScore, count_lips, distance_unit
from syncnet.scoring.speech import speech_beside
from syncnet.scoring.turns import TrackTable

STRIP_MOUTHS = 12
_MOST_HELD = 4 * STRIP_MOUTHS
_FIRST_EVERY_FRAMES = 2
"""The strip of the shortest track that has a score, of 26 frames, is full with them."""
MOUTH_PX = 64
_MOUTH_QUALITY = 75
THUMBNAIL_PX = 160
MOST_THUMBNAIL_BYTES = 6_000
_THUMBNAIL_QUALITIES = (85, 70, 55, 40, 25)
MOST_PICTURED_TRACKS = 8
"""Of one video, those with the highest confidence; crowds would fill the disk."""
SMOOTHED_FRAMES = WINDOW_LENGTH_FRAMES
"""A single lip says little: distances are averaged over a second, as in the windows that the evidence rests on."""
SILENCE_DB = -90.0
_FRAMES_PER_BLOCK = 256
_CURVE_POINTS = 64
_NO_PICTURE = np.empty(0, np.uint8)


class TrackPictures:
    """Mouths evenly spread over a track whose length nobody knows yet, and its sharpest face among those frames.

    Takes every second crop and holds at most 48 mouths. Each time there are more, every second one is dropped, and half
    as many are taken from then on.
    """

    def __init__(self, first_frame: int) -> None:
        self._mouths: list[tuple[int, np.ndarray]] = []
        self._every_frames = _FIRST_EVERY_FRAMES
        self._first_frame = first_frame
        self._seen = 0
        self._face: np.ndarray | None = None
        self._sharpness = -1.0

    @property
    def takes_next(self) -> bool:
        """Whether the next crop is one of those that are taken."""
        return self._seen % self._every_frames == 0

    def see(self, crops: Sequence[np.ndarray | None]) -> None:
        """The track's next crops, each (224, 224, 3) uint8 BGR, or None where it is not taken."""
        for crop in crops:
            if crop is not None and self.takes_next:
                self._take(self._first_frame + self._seen, crop)
            self._seen += 1

    def _take(self, frame_index: int, crop: np.ndarray) -> None:
        square = crop[MOUTH_TOP_PX : MOUTH_TOP_PX + MOUTH_SIDE_PX, MOUTH_LEFT_PX : MOUTH_LEFT_PX + MOUTH_SIDE_PX]
        mouth = cv2.resize(square, (MOUTH_PX, MOUTH_PX), interpolation=cv2.INTER_AREA)
        self._mouths.append((frame_index, mouth))
        if len(self._mouths) > _MOST_HELD:
            self._mouths = self._mouths[::2]
            self._every_frames *= 2
        _, deviation = cv2.meanStdDev(cv2.Laplacian(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.CV_16S))
        sharpness = float(deviation[0, 0])
        if sharpness > self._sharpness:
            self._sharpness, self._face = sharpness, crop.copy()

    def thumbnail(self) -> np.ndarray:
        """JPEG, (bytes,) uint8, of at most about 6 KB."""
        if self._face is None:
            return _NO_PICTURE
        face = cv2.resize(self._face, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
        jpegs = (_jpeg(face, quality) for quality in _THUMBNAIL_QUALITIES)
        return next((jpeg for jpeg in jpegs if len(jpeg) <= MOST_THUMBNAIL_BYTES), _jpeg(face, 10))

    def strip(self) -> tuple[np.ndarray, np.ndarray]:
        """JPEG, (bytes,) uint8, and the frames of its mouths, (m,) int32."""
        if not self._mouths:
            return _NO_PICTURE, np.empty(0, np.int32)
        count = min(STRIP_MOUTHS, len(self._mouths))
        picked = [self._mouths[round(i)] for i in np.linspace(0, len(self._mouths) - 1, count)]
        picture = np.concatenate([mouth for _, mouth in picked], axis=1)
        return _jpeg(picture, _MOUTH_QUALITY), np.array([frame for frame, _ in picked], np.int32)


def keep_track(
    first_frame: int,
    boxes: np.ndarray,
    table: TrackTable | None,
    score: SyncScore | None,
    model: SyncModel,
    speech: np.ndarray,
    pictures: TrackPictures,
) -> TrackKeepsake:
    """``boxes`` (L, 4), one a frame of the track; ``speech``: whether somebody speaks in each frame of the video.

    ``table`` and ``score`` are None where no sound stands beside the track.
    """
    strip, strip_frames = pictures.strip()
    confidence, windows = np.full(len(boxes), np.nan, np.float32), np.empty((0, 3), np.float32)
    curves = np.empty((0, SHIFT_COUNT), np.float32)
    if table is not None and score is not None:
        beside = speech_beside(speech, table.first_lip, table.distances.shape[1])
        counted = count_lips(table.distances, beside)
        windows, curves = _windows(counted, beside, table.first_lip)
        in_units = table.distances / distance_unit(counted, table.metric)
        middle_frame = table.first_lip - first_frame
        confidence = frame_confidence(in_units, score.offset_frames, middle_frame, len(boxes), model)
    return TrackKeepsake(first_frame, boxes, confidence, windows, pictures.thumbnail(), strip, strip_frames, curves)


def keep_video(
    tracks: Sequence[TrackKeepsake],
    scores: Sequence[SyncScore | None],
    samples: Samples,
    shot_starts: Sequence[int] = (),
    speech: np.ndarray | None = None,
) -> Keepsake:
    """The tracks together, with pictures of those of the highest confidence only; ``scores`` are in their order."""
    confidences = [rank_of(score) for score in scores]
    pictured = sorted(range(len(tracks)), key=lambda i: -confidences[i])[:MOST_PICTURED_TRACKS]
    kept = [track if i in pictured else without_pictures(track) for i, track in enumerate(tracks)]
    loudness_db = frame_loudness(samples)
    spoken = np.zeros(0, bool) if speech is None else speech[: len(loudness_db)]
    return Keepsake(tuple(kept), np.array(shot_starts, np.int32), loudness_db, spoken)


def rank_of(score: SyncScore | None) -> float:
    """By which the tracks are chosen whose pictures are kept, the highest."""
    return -math.inf if score is None or math.isnan(score.confidence) else score.confidence


def without_pictures(track: TrackKeepsake) -> TrackKeepsake:
    """The same track for one who has enough pictures."""
    return replace(track, thumbnail=_NO_PICTURE, strip=_NO_PICTURE, strip_frames=np.empty(0, np.int32))


def frame_confidence(
    distances: np.ndarray, offset_frames: int, middle_frame: int, frame_count: int, model: SyncModel
) -> np.ndarray:
    """(frame_count,) float32: how well each frame fits the sound at the track's offset, on the track's scale.

    For lip i: the distances (31, W) of the lips up to half a second before and after it are averaged for each shift.
    The median of these 31 means, minus the one at the track's offset, is below zero where other shifts fit better; the
    model brings it to the scale of the track's confidence. Frames before the first lip and after the last have theirs.
    """
    raw = np.full(distances.shape[1], np.nan)
    for some in pieces(distances.shape[1]):
        means = _moving_means(distances, SMOOTHED_FRAMES, some)
        heard = np.isfinite(means).any(axis=0)
        own = means[MAX_SHIFT_FRAMES - offset_frames, heard]
        raw[some][heard] = np.nanmedian(means[:, heard], axis=0) - own
    lips = _to_confidence(raw, distances.shape[1], model)
    behind = frame_count - len(lips) - middle_frame
    return np.pad(lips, (middle_frame, max(0, behind)), mode="edge")[:frame_count].astype(np.float32)


def frame_loudness(samples: Samples) -> np.ndarray:
    """(F,) float32: root mean square of the int16 samples beside each whole frame, in dB of full scale."""
    count = len(samples) // SAMPLES_PER_FRAME
    power = np.empty(count)
    for first in range(0, count, _FRAMES_PER_BLOCK):
        end = min(first + _FRAMES_PER_BLOCK, count)
        block = samples[first * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME].astype(np.float64) / 32768
        power[first:end] = (block.reshape(-1, SAMPLES_PER_FRAME) ** 2).mean(axis=1)
    loudness: np.ndarray = np.maximum(10 * np.log10(np.maximum(power, 1e-12)), SILENCE_DB)
    return loudness.astype(np.float32)


def _moving_means(distances: np.ndarray, length: int, lips: slice) -> np.ndarray:
    """For some lips the mean over ``length`` neighbours along the second axis, fewer at its ends; NaN where none is."""
    reach = length // 2
    first = max(0, lips.start - reach)
    around = distances[:, first : lips.stop + reach]
    exists, places = np.isfinite(around), np.arange(lips.start, lips.stop) - first
    starts, ends = (np.clip(places + step, 0, around.shape[1]) for step in (-reach, reach + 1))
    sums = np.pad(np.cumsum(np.where(exists, around, 0.0), axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    counts = np.pad(np.cumsum(exists, axis=1), ((0, 0), (1, 0)))
    with np.errstate(invalid="ignore"):
        return np.asarray((sums[:, ends] - sums[:, starts]) / (counts[:, ends] - counts[:, starts]))


def _to_confidence(raw: np.ndarray, embedding_count: int, model: SyncModel) -> np.ndarray:
    """The model's monotone scale is looked up at a few points and drawn on between them: it is made for one number."""
    points = np.linspace(np.nanmin(raw), np.nanmax(raw), _CURVE_POINTS)
    values = [model.confidence(float(point), embedding_count) for point in points]
    return np.asarray(np.where(np.isfinite(raw), np.interp(raw, points, values), np.nan))


def _windows(distances: np.ndarray, beside: np.ndarray, first_lip: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) and curves (n, 31), float32: those that the evidence was weighed with."""
    starts, curves = window_curves(distances, beside)
    if not starts:
        return np.empty((0, 3), np.float32), curves.astype(np.float32)
    offsets = MAX_SHIFT_FRAMES - np.nanargmin(curves, axis=1)
    depths = np.nanmedian(curves, axis=1) - np.nanmin(curves, axis=1)
    told = np.stack([np.array(starts) + first_lip, offsets, depths], axis=1)
    return told.astype(np.float32), curves.astype(np.float32)


def _jpeg(picture_bgr: np.ndarray, quality: int) -> np.ndarray:
    _, encoded = cv2.imencode(".jpg", picture_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(encoded, np.uint8).reshape(-1)
