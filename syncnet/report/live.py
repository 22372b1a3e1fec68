"""A line for each worker below the progress bar: the video, its stage and its frames."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping

from tqdm import tqdm

from syncnet.engines.activity import Activity
from syncnet.system.text import fit, printable

LOOK_SECONDS = 0.5
_NARROWEST_NAME = 12
_PLAIN_COLUMNS = 80


class LiveLines:
    """Asks for what is going on twice a second, in a thread of its own. A terminal only."""

    def __init__(self, activities: Callable[[], Mapping[int, Activity]], *, first_row: int = 1) -> None:
        """``first_row``: 0 where there is no bar, which has row 0."""
        self._activities = activities
        self._first_row = first_row
        self._lines: list[tqdm[None]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="live lines")
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        for line in self._lines:
            line.close()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self._show(self._activities())
            except OSError:
                # A terminal that is gone is no reason to stop.
                return

    def _show(self, activities: Mapping[int, Activity]) -> None:
        for slot in range(len(self._lines), max(activities, default=-1) + 1):
            # Below the bar, and wiped at the end.
            self._lines.append(tqdm(position=slot + self._first_row, bar_format="{desc}", leave=False, file=sys.stderr))
        columns = columns_of_stderr()
        for slot, line in enumerate(self._lines):
            activity = activities.get(slot)
            line.set_description_str(describe_activity(activity, columns) if activity else "")


def describe_activity(activity: Activity, columns: int) -> str:
    """``  NAME  finding faces  120 of 450 frames``, in fewer than ``columns``: a full line would wrap."""
    if not activity.stage:
        doing = f"{activity.seconds:.0f} s"
    elif activity.frames_expected:
        # What a file says of its length is not always so.
        expected = max(activity.frames_expected, activity.frames_done)
        doing = f"{activity.stage}  {activity.frames_done:,} of {expected:,} frames"
    else:
        doing = f"{activity.stage}  {activity.frames_done:,} frames"
    room = max(_NARROWEST_NAME, columns - len(doing) - 5)
    name = printable(str(activity.video.relative_path))
    return f"  {fit(name, min(len(name), room)).rstrip()}  {doing}"[: columns - 1]


def columns_of_stderr() -> int:
    """Of the terminal, as it is now."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _PLAIN_COLUMNS
    except (OSError, ValueError):
        return _PLAIN_COLUMNS
