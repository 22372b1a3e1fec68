"""What an output folder holds of a video beside its record and its placed file, found by its name below the input."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath

from syncnet.keepsake.embedded import embedded_path
from syncnet.keepsake.file import keepsake_path
from syncnet.placement.folders import OutputFolders, longer_name
from syncnet.placement.placed import remove_empty
from syncnet.repair.records import RECORDS_NAME, Records
from syncnet.report.ownership import is_own
from syncnet.takeaway.exported import ENDINGS, EXPORT_DIR, TABLES, list_path


class Belongings:
    """Pictures, overlays, previews, kept outputs, repaired files, lists, and clips, which say what they are of."""

    def __init__(self, folders: OutputFolders) -> None:
        self._folders = folders

    def move(self, earlier: str, path: str) -> None:
        """Gives them the new name; what has it already stays. Raises OSError and UsageError."""
        for old, new in self._pairs(PurePosixPath(earlier), PurePosixPath(path)):
            if os.path.lexists(old) and not os.path.lexists(new):
                new.parent.mkdir(parents=True, exist_ok=True)
                os.rename(old, new)
                remove_empty(old.parent, self._folders.output_dir)
        self._move_repaired(earlier, path)

    def _pairs(self, earlier: PurePath, path: PurePath) -> Iterator[tuple[Path, Path]]:
        folders = self._folders
        for kept in (keepsake_path, embedded_path):
            yield kept(folders.state_dir, earlier), kept(folders.state_dir, path)
        for drawn in (folders.overlay_path, folders.preview_path):
            old, new = drawn(earlier), drawn(path)
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
            new = self._folders.repaired_dir / PurePosixPath(path).with_suffix(old.suffix)
            if old.is_file() and not new.exists():
                new.parent.mkdir(parents=True, exist_ok=True)
                os.rename(old, new)
            repaired = str(new)
        records.add(replace(record, relative_path=path, repaired_path=repaired))
        records.drop((earlier,))

    def remove(self, names: Collection[str], contents: Collection[str], others: Collection[str]) -> None:
        """Removes those of the videos of these names, whose files had these SHA-256; ``others``: names of the videos
        that stay. Raises OSError and UsageError."""
        folders = self._folders
        for name in map(PurePosixPath, names):
            for kept in (keepsake_path, embedded_path):
                kept(folders.state_dir, name).unlink(missing_ok=True)
            for drawn in (folders.overlay_path(name), folders.preview_path(name)):
                if _was_drawn(drawn):
                    drawn.unlink()
                    remove_empty(drawn.parent, folders.output_dir)
            outputs = folders.outputs_dir / name
            if _was_saved(outputs):
                _remove_outputs(outputs, folders.output_dir)
        self._remove_repaired(names)
        self._remove_lists(names)
        if folders.segments_dir.is_dir():
            self._remove_clips(names, contents, others)

    def repaired(self, names: Collection[str]) -> list[Path]:
        """Repaired files of these videos. Raises UsageError."""
        if not (self._folders.output_dir / RECORDS_NAME).exists():
            return []
        known = Records(self._folders.output_dir).known
        paths = (known[name].repaired_path for name in names if name in known)
        return [Path(path) for path in paths if path and os.path.isfile(path)]

    def _remove_repaired(self, names: Collection[str]) -> None:
        for path in self.repaired(names):
            path.unlink()
        if (self._folders.output_dir / RECORDS_NAME).exists():
            Records(self._folders.output_dir).drop(names)

    def _remove_lists(self, names: Collection[str]) -> None:
        """What ``export`` wrote; its tables are made anew when they are asked for."""
        folder = self._folders.output_dir / EXPORT_DIR
        if not folder.is_dir() or not is_own(folder):
            return
        for name in (f"segments.{ending}" for ending in TABLES):
            (folder / name).unlink(missing_ok=True)
        for path in (list_path(folder, form, PurePosixPath(name)) for form in ENDINGS for name in names):
            path.unlink(missing_ok=True)
            remove_empty(path.parent, folder)

    def _remove_clips(self, names: Collection[str], contents: Collection[str], others: Collection[str]) -> None:
        """Those that were cut under an earlier name, too."""
        from syncnet.takeaway.manifest import ClipFiles

        files = ClipFiles(self._folders)
        for parent, _, found in os.walk(self._folders.segments_dir, topdown=False):
            for path in (Path(parent) / name for name in found if name.endswith(".mp4")):
                facts = files.facts(path)
                of = facts["video"] if facts else ""
                if facts and (of in names or (facts["sha256"] in contents and of not in others)):
                    path.unlink()
            remove_empty(Path(parent), self._folders.segments_dir)
        files.write_manifest((), list(files.lines_of_others(names)))
        files.save()


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


def _remove_outputs(folder: Path, top: Path) -> None:
    from syncnet.looks.kept_outputs import TRACKS_FILE

    bboxes = folder / longer_name(folder.name, "_with_bboxes.mp4")
    crops, analysis = folder / "cropped_faces", folder / "analysis"
    # The file that says whose they are goes last.
    for path in (*crops.glob("*.mp4"), bboxes, analysis / "offsets.txt", analysis / TRACKS_FILE):
        path.unlink(missing_ok=True)
    for emptied in (crops, analysis):
        remove_empty(emptied, top)
