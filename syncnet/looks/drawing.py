"""Boxes and words on a frame. Text is ASCII: the fonts of OpenCV have no other letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from syncnet.conventions import FPS

Colour = tuple[int, int, int]
"""Blue, green, red."""
WHITE: Colour = (255, 255, 255)
GREY: Colour = (160, 160, 160)
DARK: Colour = (24, 24, 24)
_RED, _YELLOW, _GREEN = (60, 60, 235), (40, 205, 235), (80, 200, 60)
GREEN_CONFIDENCE = 8.0
"""From here on a box is green, at 0 it is red, halfway yellow: speech in sync lies near 7.5, other sound near 1.7."""
FONT = cv2.FONT_HERSHEY_SIMPLEX
LINE_PX = 19
CROWD_TRACKS = 3
"""From so many faces at once on, whole labels would hide the faces beside them."""
_TEXT_SCALE = 0.5


@dataclass(frozen=True, eq=False)
class DrawnTrack:
    """One face track as it is drawn."""

    number: int
    """In the order of the results' ``all_tracks``, from 0."""
    chosen: bool
    """Whether its score is the video's, or part of it."""
    first_frame: int
    """Of the video, at 25 frames a second."""
    boxes: np.ndarray
    """(L, 4) xyxy in pixels of the original frame."""
    confidence: np.ndarray
    """(L,) of each frame; NaN where there is none."""
    label: str
    """Of the whole track."""
    brief: str = ""
    """The same in a few letters, for a crowd."""
    turns: tuple[tuple[float, float], ...] = ()
    """Where faces speak in turns: from when to when this one is chosen, in seconds; empty: throughout."""

    def is_chosen_at(self, frame: int) -> bool:
        """Whether the video's score rests on it in this frame of the video."""
        within = not self.turns or any(start <= frame / FPS < end for start, end in self.turns)
        return self.chosen and within

    def at(self, frame: int) -> tuple[np.ndarray, float] | None:
        """Its box (4,) and confidence in a frame of the video; None outside the track."""
        position = frame - self.first_frame
        if not 0 <= position < len(self.boxes):
            return None
        return self.boxes[position], float(self.confidence[position])


def colour_of(confidence: float) -> Colour:
    """From red over yellow to green; grey for no number."""
    if not np.isfinite(confidence):
        return GREY
    share = min(max(confidence / GREEN_CONFIDENCE, 0.0), 1.0)
    low, high = (_RED, _YELLOW) if share < 0.5 else (_YELLOW, _GREEN)
    within = share * 2 % 1 if share < 1 else 1.0
    blue, green, red = (round(a + (b - a) * within) for a, b in zip(low, high, strict=True))
    return blue, green, red


def draw_tracks(picture: np.ndarray, tracks: Sequence[DrawnTrack], frame: int, scale: float) -> None:
    """Draws onto the picture, which is the frame of the video times ``scale``; the chosen one comes on top."""
    seen = [track for track in tracks if track.at(frame) is not None]
    for track in sorted(seen, key=lambda track: track.is_chosen_at(frame)):
        draw_track(picture, track, frame, scale, in_crowd=len(seen) >= CROWD_TRACKS)


def draw_track(picture: np.ndarray, track: DrawnTrack, frame: int, scale: float, *, in_crowd: bool = False) -> None:
    """One of them; ``in_crowd``: with few words, unless it is the chosen one."""
    seen = track.at(frame)
    if seen is None:
        return
    box, confidence = seen
    left, top, right, bottom = (round(float(edge) * scale) for edge in box)
    colour, chosen = colour_of(confidence), track.is_chosen_at(frame)
    cv2.rectangle(picture, (left, top), (right, bottom), DARK, 5 if chosen else 3)
    cv2.rectangle(picture, (left, top), (right, bottom), colour, 3 if chosen else 1)
    if in_crowd and not chosen:
        lines = [f"#{track.number}  {track.brief}"]
    else:
        now = "no sound here" if np.isnan(confidence) else f"now {confidence:.1f}"
        name = f"#{track.number} CHOSEN" if chosen else f"#{track.number}"
        lines = [f"{name}  {now}", track.label]
    _draw_label(picture, lines, (left, top, bottom), colour)


def _draw_label(picture: np.ndarray, lines: list[str], box: tuple[int, int, int], colour: Colour) -> None:
    """Above the box where there is room, else below it, else within; never beyond the picture's sides."""
    left, top, bottom = box
    height, width = picture.shape[:2]
    room = LINE_PX * len(lines) + 6
    columns = max(text_width(line) for line in lines) + 10
    left = max(0, min(left, width - columns))
    start = top - room if top >= room else (bottom if bottom + room <= height else max(top, 0))
    cv2.rectangle(picture, (left, start), (left + columns, start + room), DARK, cv2.FILLED)
    cv2.rectangle(picture, (left, start), (left + 4, start + room), colour, cv2.FILLED)
    for number, line in enumerate(lines):
        write(picture, line, (left + 8, start + LINE_PX * (number + 1) - 3))


def write(
    picture: np.ndarray, text: str, at: tuple[int, int], colour: Colour = WHITE, scale: float = _TEXT_SCALE
) -> None:
    """One line, ``at`` its lower left corner; what is no ASCII comes out as question marks."""
    plain = text.encode("ascii", errors="replace").decode("ascii")
    cv2.putText(picture, plain, at, FONT, scale, colour, 1, cv2.LINE_AA)


def text_width(text: str, scale: float = _TEXT_SCALE) -> int:
    """In pixels."""
    (columns, _), _ = cv2.getTextSize(text, FONT, scale, 1)
    return int(columns)


def shorten(text: str, width_px: int, scale: float = _TEXT_SCALE) -> str:
    """As much of the text's beginning as fits."""
    while text and text_width(text, scale) > width_px:
        text = text[:-4].rstrip() + "..." if len(text) > 4 else ""
    return text
