"""The strip below the picture: the sync curve, confidence along time, and a point that moves with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES
from syncnet.looks.drawing import DARK, GREY, WHITE, Colour, DrawnTrack, colour_of, shorten, text_width, write
from syncnet.looks.whole import HEIGHT_PX as WHOLE_PX
from syncnet.looks.whole import WholeFile, draw_whole

_CURVES_PX = 150
HEIGHT_PX = _CURVES_PX + WHOLE_PX
_BACKGROUND: Colour = (38, 34, 32)
_AXIS: Colour = (110, 104, 100)
_SMALL = 0.4
_TITLE_PX, _MARGIN_PX, _LABEL_PX = 26, 12, 18
_HIGHEST_CONFIDENCE = 10.0


@dataclass(frozen=True)
class _Panel:
    """A rectangle with two scales: x from 0 to 1 to the right, y from 0 to 1 upwards."""

    left: int
    right: int
    top: int
    bottom: int

    def at(self, x: float, y: float) -> tuple[int, int]:
        return (
            round(self.left + x * (self.right - self.left)),
            round(self.bottom - min(max(y, 0.0), 1.0) * (self.bottom - self.top)),
        )


class Strip:
    """Everything but the moving point is drawn once."""

    def __init__(
        self,
        width_px: int,
        title: str,
        curve: np.ndarray | None,
        tracks: Sequence[DrawnTrack],
        duration_seconds: float,
        min_confidence: float,
        whole: WholeFile | None = None,
    ) -> None:
        """``curve`` (31,): of the chosen track, as ``SyncScore.curve``; None where there is none."""
        self._width_px = width_px
        self._seconds = max(duration_seconds, 1 / FPS)
        self._chosen = [track for track in tracks if track.chosen]
        split = width_px * 3 // 10
        lower = _CURVES_PX - _LABEL_PX
        self._left = _Panel(_MARGIN_PX, split - _MARGIN_PX, _TITLE_PX + 14, lower)
        self._time = _Panel(split + 22, width_px - _MARGIN_PX, _TITLE_PX + 14, lower)
        self._still = np.full((HEIGHT_PX, width_px, 3), _BACKGROUND, np.uint8)
        write(self._still, shorten(title, width_px - 80), (_MARGIN_PX, 18))
        self._draw_curve(curve)
        self._draw_time_axis(min_confidence)
        for track in sorted(tracks, key=lambda track: track.chosen):
            self._draw_confidence(track)
        if whole is not None:
            draw_whole(self._still, whole, self._time.left, self._time.right, _CURVES_PX, self._seconds)

    def draw(self, seconds: float) -> np.ndarray:
        """The strip at this time of the video, (HEIGHT_PX, width, 3) uint8 BGR."""
        strip = self._still.copy()
        label = f"{seconds:.1f} s"
        write(strip, label, (self._width_px - text_width(label) - _MARGIN_PX, 18))
        x = min(seconds / self._seconds, 1.0)
        column, top = self._time.at(x, 1)
        cv2.line(strip, (column, HEIGHT_PX - 4), (column, top), GREY, 1)
        frame = round(seconds * FPS)
        for track in self._chosen:
            seen = track.at(frame)
            if seen is not None and track.is_chosen_at(frame) and np.isfinite(seen[1]):
                point = self._time.at(x, seen[1] / _HIGHEST_CONFIDENCE)
                cv2.circle(strip, point, 6, DARK, cv2.FILLED, cv2.LINE_AA)
                cv2.circle(strip, point, 5, WHITE, cv2.FILLED, cv2.LINE_AA)
                cv2.circle(strip, point, 3, colour_of(seen[1]), cv2.FILLED, cv2.LINE_AA)
        return strip

    def _draw_curve(self, curve: np.ndarray | None) -> None:
        """Mean distance by offset: the deeper its minimum, the surer the score."""
        panel, still = self._left, self._still
        write(still, "distance by offset", (panel.left, panel.top - 4), GREY, _SMALL)
        cv2.line(still, panel.at(0, 0), panel.at(1, 0), _AXIS, 1)
        cv2.line(still, panel.at(0.5, 0), panel.at(0.5, 1), _AXIS, 1)
        for place, label in ((0.0, f"-{MAX_SHIFT_FRAMES}"), (0.5, "0"), (1.0, f"+{MAX_SHIFT_FRAMES}")):
            x, y = panel.at(place, 0)
            columns = text_width(label, _SMALL)
            write(still, label, (round(x - columns * place), y + 13), GREY, _SMALL)
        if curve is None or not np.isfinite(curve).any():
            return
        # Row k of a curve is the offset 15 - k, and the axis runs from -15 to +15.
        values = np.asarray(curve, np.float64)[::-1]
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        heights = (values - low) / (high - low if high > low else 1.0)
        points = [panel.at(i / (len(values) - 1), 0.1 + 0.85 * h) for i, h in enumerate(heights) if np.isfinite(h)]
        cv2.polylines(still, [np.array(points, np.int32)], False, WHITE, 1, cv2.LINE_AA)
        lowest = int(np.nanargmin(values))
        cv2.circle(still, panel.at(lowest / (len(values) - 1), 0.1), 4, (80, 200, 60), cv2.FILLED, cv2.LINE_AA)

    def _draw_time_axis(self, min_confidence: float) -> None:
        panel, still = self._time, self._still
        write(still, "confidence along time", (panel.left, panel.top - 4), GREY, _SMALL)
        cv2.line(still, panel.at(0, 0), panel.at(1, 0), _AXIS, 1)
        for value in (0, 5, 10):
            _, y = panel.at(0, value / _HIGHEST_CONFIDENCE)
            write(still, str(value), (panel.left - 5 - text_width(str(value), _SMALL), y + 4), GREY, _SMALL)
        x, y = panel.at(0, min_confidence / _HIGHEST_CONFIDENCE)
        for dash in range(x, panel.right, 8):
            cv2.line(still, (dash, y), (min(dash + 3, panel.right), y), GREY, 1)
        end = f"{self._seconds:.1f} s"
        write(still, "0 s", (panel.left, panel.bottom + 13), GREY, _SMALL)
        write(still, end, (panel.right - text_width(end, _SMALL), panel.bottom + 13), GREY, _SMALL)

    def _draw_confidence(self, track: DrawnTrack) -> None:
        """One line a column at most, however long the track is: coloured where it is the chosen one."""
        panel = self._time
        step = max(1, round(self._seconds * FPS / max(panel.right - panel.left, 1)))
        last: tuple[int, int] | None = None
        for position in range(0, len(track.confidence), step):
            value = float(track.confidence[position])
            if not np.isfinite(value):
                last = None
                continue
            x = min((track.first_frame + position) / FPS / self._seconds, 1.0)
            point = panel.at(x, value / _HIGHEST_CONFIDENCE)
            if last is not None:
                chosen = track.is_chosen_at(track.first_frame + position)
                cv2.line(self._still, last, point, colour_of(value) if chosen else _AXIS, 1 + chosen, cv2.LINE_AA)
            last = point
