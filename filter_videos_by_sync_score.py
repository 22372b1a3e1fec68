#!/usr/bin/env python3
"""Sorts a folder of videos by how well the lips fit the sound. See ``--help``."""

from __future__ import annotations

from syncnet.command import run_as_process

if __name__ == "__main__":
    run_as_process()
