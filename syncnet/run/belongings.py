"""What an output folder holds of a video beside its record and its placed file, found by its name below the input."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from syncnet.keepsake.file import keepsake_path
from syncnet.placement.folders import OutputFolders, longer_name
from syncnet.placement.placed import remove_empty
from syncnet.repair.records import RECORDS_NAME, Records


class Belongings:
    """Pictures, overlay videos, kept outputs and repaired files. Cut clips say themselves what they are of."""

    def __init__(self, folders: OutputFolders) -> None:
        self._folders = folders

    def move(self, earlier: str, path: str) -> None:
        """Gives them the new name; what has it already stays. Raises OSError and UsageError."""
        for old, new in self._pairs(PurePath(earlier), PurePath(path)):
            if os.path.lexists(old) and not os.path.lexists(new):
                new.parent.mkdir(parents=True, exist_ok=True)
                os.rename(old, new)
                remove_empty(old.parent, self._folders.output_dir)
        self._move_repaired(earlier, path)

    def _pairs(self, earlier: PurePath, path: PurePath) -> Iterator[tuple[Path, Path]]:
        folders = self._folders
        yield keepsake_path(folders.state_dir, earlier), keepsake_path(folders.state_dir, path)
        old, new = folders.overlay_path(earlier), folders.overlay_path(path)
        if _was_drawn(old):
            yield old, new
        old, new = folders.outputs_dir / earlier, folders.outputs_dir / path
        if _was_saved(old):
            # First its name within, by which a move that was cut short is finished.
            yield old / longer_name(earlier.name, "_with_bboxes.mp4"), old / longer_name(path.name, "_with_bboxes.mp4")
            yield old, new

    def _move_repaired(self, earlier: str, path: str) -> None:
        if not (self._folders.output_dir / RECORDS_NAME).exists():
            return
        records = Records(self._folders.output_dir)
        record = records.known.get(earlier)
        if record is None or path in records.known:
            return
        repaired = record.repaired_path
        if repaired:
            old = Path(repaired)
            new = self._folders.repaired_dir / PurePath(path).with_suffix(old.suffix)
            if old.is_file() and not new.exists():
                new.parent.mkdir(parents=True, exist_ok=True)
                os.rename(old, new)
            repaired = str(new)
        records.add(replace(record, relative_path=path, repaired_path=repaired))


def _was_drawn(path: Path) -> bool:
    if not os.path.lexists(path):
        return False
    # It loads a decoder, which most runs do without.
    from syncnet.looks.making import MADE_BY
    from syncnet.looks.movie import read_comment

    return read_comment(path).startswith(MADE_BY)


def _was_saved(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    from syncnet.looks.kept_outputs import made_from

    return bool(made_from(folder))
