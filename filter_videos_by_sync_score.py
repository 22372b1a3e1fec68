#!/usr/bin/env python3
"""Sorts a folder of videos by how well the lips fit the sound. See ``--help``."""

from __future__ import annotations

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - an older one would end in the middle of an import
    sys.stderr.write("filter_videos_by_sync_score.py: error: Python 3.10 or newer is needed: try .venv/bin/python\n")
    sys.exit(2)

from syncnet.command import run_as_process

if __name__ == "__main__":
    run_as_process()
