#!/usr/bin/env python3
"""Sorts a folder of videos by how well the lips fit the sound. See ``--help``."""

from __future__ import annotations

import sys

from syncnet.command import main

if __name__ == "__main__":
    sys.exit(main())
