"""What cameras, rooms and encoders do to a picture."""

from __future__ import annotations

import cv2
import numpy as np


def degrade(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture (H, W, 3) with some of: dark, pale, tinted, grey, blurred, moved, coarse, noisy, compressed."""
    if rng.random() < 0.25:
        picture = _coarse(picture, rng)
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 2.0))
    if rng.random() < 0.1:
        picture = _moved(picture, rng)
    picture = _lit(picture, rng)
    if rng.random() < 0.15:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(1, 12), picture.shape)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        picture = _compressed(picture, int(rng.integers(20, 95)))
    return picture


def _coarse(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = picture.shape[:2]
    factor = rng.uniform(0.4, 0.9)
    small = cv2.resize(picture, (round(width * factor), round(height * factor)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _moved(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    length = int(rng.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), rng.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(picture, -1, kernel / max(kernel.sum(), 1e-3))


def _lit(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light, contrast and tint; one in six is dark down to a tenth of the light."""
    values = picture.astype(np.float32)
    if rng.random() < 0.16:
        values = values * np.exp(rng.uniform(np.log(0.1), np.log(0.5)))
        values += rng.normal(0, rng.uniform(0, 2), values.shape)
    elif rng.random() < 0.6:
        mean = values.mean()
        values = (values - mean) * rng.uniform(0.5, 1.4) + mean + rng.uniform(-40, 40)
    if rng.random() < 0.4:
        values = values * rng.uniform(0.75, 1.25, 3).astype(np.float32)
    if rng.random() < 0.2:
        values = 255 * (np.clip(values, 0, 255) / 255) ** rng.uniform(0.5, 2.0)
    return np.clip(values, 0, 255).astype(np.uint8)


def _compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
