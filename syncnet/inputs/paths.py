"""Paths as the system takes them: what stands before ``..`` may be a link, which leads elsewhere than it seems."""

from __future__ import annotations

import os


def absolute(path: str | os.PathLike[str]) -> str:
    """The absolute path, without ``.`` and ``..``. Links stay in it, but for those that a ``..`` goes back from."""
    parts = os.path.join("" if os.path.isabs(path) else os.getcwd(), path).split(os.sep)
    if os.pardir in parts:
        back = len(parts) - parts[::-1].index(os.pardir)
        parts[:back] = [os.path.realpath(os.sep.join(parts[:back]))]
    return os.path.normpath(os.sep.join(parts))


def job_of(output_dir: str | os.PathLike[str]) -> str:
    """For the reader of a mail, who may have several jobs; at the end of a line."""
    return f" (output folder {absolute(output_dir)})"
