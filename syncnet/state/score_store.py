"""Scores found again by the content of a file, whatever its name and whichever output folder it is for."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import platformdirs

from syncnet.errors import UsageError
from syncnet.inputs.discovery import VideoFile
from syncnet.keepsake.file import read_keepsake, write_keepsake
from syncnet.results import VideoScore
from syncnet.state.records import score_from_plain, score_to_plain
from syncnet.system.atomic import write_file
from syncnet.system.interruption import StopFlag
from syncnet.system.plain import read_json
from syncnet.system.temporary import remove_temporaries

HASH_PIECE_BYTES = 1024 * 1024
KEEPSAKE_SUFFIX = ".npz"
ABANDONED_SECONDS = 3600.0
"""A file that nobody has written to for so long is of a run that was killed: no score takes more than a moment."""


def default_folder() -> Path:
    """In the user's cache folder."""
    return Path(platformdirs.user_cache_dir("sync_filter", appauthor=False)) / "scores"


def hash_content(path: Path, stop: StopFlag) -> str:
    """SHA-256 of all bytes of the file. Raises OSError, and Interrupted."""
    digest = hashlib.sha256()
    with open(path, "rb") as reader:
        while piece := reader.read(HASH_PIECE_BYTES):
            stop.check()
            digest.update(piece)
    return digest.hexdigest()


def hash_video(video: VideoFile, stop: StopFlag) -> str:
    """Of its file and, where that is from elsewhere, of its sound. Raises OSError, and Interrupted."""
    content = hash_content(video.file, stop)
    return f"{content}+{hash_content(video.sound_path, stop)}" if video.sound_path else content


class ScoreStore:
    """One small file a score, under the hash of content and fingerprint. Shared by all runs of a user at once."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError where the folder cannot be made."""
        self._folder = folder
        self._swept: set[Path] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"--score_cache {folder}: {error.strerror}", cure="give a folder you can write to, or off"
            ) from error

    def find(self, content_hash: str, fingerprint: str) -> VideoScore | None:
        """A stored score, with its keepsake where that is there too; None where there is none that can be read."""
        path = self._path(content_hash, fingerprint)
        try:
            with open(path, encoding="ascii") as reader:
                score = score_from_plain(read_json(reader.read()))
        except (OSError, ValueError):
            return None
        return replace(score, keepsake=read_keepsake(path.with_suffix(KEEPSAKE_SUFFIX)))

    def keep(self, content_hash: str, fingerprint: str, score: VideoScore) -> None:
        """Stores the score whole or not at all. It only saves time, so a store that cannot be written is no failure."""
        path = self._path(content_hash, fingerprint)
        self._sweep(path.parent)
        if score.keepsake is not None:
            with contextlib.suppress(OSError):
                write_keepsake(path.with_suffix(KEEPSAKE_SUFFIX), score.keepsake)
        data = json.dumps(score_to_plain(score), allow_nan=False).encode("ascii")
        with contextlib.suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            # What a loss of power makes of it is no score, and is computed again.
            write_file(path, data, synced=False)

    def remove(self, content_hash: str, fingerprint: str) -> None:
        """Forgets the score, which costs other folders no more than scoring again. Raises OSError."""
        path = self._path(content_hash, fingerprint)
        for stored in (path, path.with_suffix(KEEPSAKE_SUFFIX)):
            stored.unlink(missing_ok=True)

    def _sweep(self, folder: Path) -> None:
        """Once a run: other runs may be writing to the folder, so only what lies there for long is a leftover."""
        if folder not in self._swept:
            self._swept.add(folder)
            with contextlib.suppress(OSError):
                remove_temporaries(folder, os.listdir(folder), idle_seconds=ABANDONED_SECONDS)

    def _path(self, content_hash: str, fingerprint: str) -> Path:
        key = hashlib.sha256(f"{content_hash} {fingerprint}".encode()).hexdigest()
        # 256 folders: no file system likes a million names in one.
        return self._folder / key[:2] / f"{key[2:]}.json"
