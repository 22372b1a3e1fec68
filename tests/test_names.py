"""Names and paths as Linux, macOS and Windows have them; those of Windows by ntpath, which is the same code there."""

from __future__ import annotations

import ntpath
import os
import posixpath
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import ModuleType

import pytest

from syncnet.errors import UsageError
from syncnet.inputs.manifest import location_of, name_of, read_manifest
from syncnet.state.record_check import check_name
from syncnet.system import names
from syncnet.system.names import name_below, parts_from_root, path_from_root, problem_of


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("con.mp4", "is a device on Windows"),
        ("a/NUL", "is a device on Windows"),
        ("lpt1 .mp4", "is a device on Windows"),
        ("com³.mkv", "is a device on Windows"),
        ("clip.mp4.", "leaves out the end of 'clip.mp4.'"),
        ("folder /clip.mp4", "leaves out the end of 'folder '"),
        ("C:clip.mp4", "':' cannot stand in a name"),
        ("C:/Users/clip.mp4", "':' cannot stand in a name"),
        ("clip.mp4:stream", "':' cannot stand in a name"),
        ("..\\..\\clip.mp4", "cannot stand in a name"),
        ("\\\\server\\share\\clip.mp4", "cannot stand in a name"),
        ("what?.mp4", "'?' cannot stand in a name"),
        ("line\nbreak.mp4", "'\\n' cannot stand in a name"),
        (f"{'a' * 252}.mp4", "longer than the 255 characters"),
        (f"{'😀' * 126}.mp4", "longer than the 255 characters"),
    ],
)
def test_what_windows_cannot_hold_is_told_there_and_fine_elsewhere(name: str, why: str) -> None:
    assert why in problem_of(name, windows=True)
    assert problem_of(name, windows=False) == ""


@pytest.mark.parametrize(
    "name", ["a/b/clip.mp4", "concert.mp4", "com10.mp4", "auxiliary/nul_.mp4", ".hidden", "./clip.mp4", "é😀.mp4",
             f"{'a' * 251}.mp4", f"{'😀' * 125}.mp4", "a..b/clip...mp4"],
)  # fmt: skip
def test_what_every_system_can_hold(name: str) -> None:
    assert problem_of(name, windows=True) == problem_of(name, windows=False) == ""
    # So it stays below the folder that it is joined to, also where that is one of Windows.
    joined = PureWindowsPath("D:\\sorted\\good_quality") / PurePosixPath(name)
    assert joined.is_relative_to("D:\\sorted\\good_quality")
    assert not joined.is_reserved()


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../clip.mp4", "a/../../clip.mp4", "a\0b"])
def test_what_leads_out_is_refused_everywhere(name: str) -> None:
    for windows in (True, False):
        assert problem_of(name, windows=windows) == "it is not a path below a folder"
    with pytest.raises(ValueError, match="not a path below a folder"):
        check_name(name)


def test_a_record_from_another_system_is_no_name_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("C:clip.mp4", "..\\clip.mp4"):
        check_name(name)
    monkeypatch.setattr(names.problem_of, "__kwdefaults__", {"windows": True})
    for name in ("C:clip.mp4", "..\\clip.mp4"):
        with pytest.raises(ValueError, match="cannot stand in a name on Windows"):
            check_name(name)


def test_a_list_with_such_a_name_is_refused_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list.txt").write_text("fine.mp4\ns3://bucket/con.mp4\n")
    assert len(read_manifest(tmp_path / "list.txt")) == 2
    monkeypatch.setattr(names.problem_of, "__kwdefaults__", {"windows": True})
    with pytest.raises(UsageError, match=r"line 2: s3://bucket/con\.mp4: 'con\.mp4' is a device on Windows"):
        read_manifest(tmp_path / "list.txt")


@pytest.mark.parametrize(
    ("system", "path", "base", "name"),
    [
        (posixpath, "/in/sub/a.mp4", "/in", "sub/a.mp4"),
        (posixpath, "/in/sub\\a.mp4", "/in", "sub\\a.mp4"),
        (posixpath, "/other/a.mp4", "/in", None),
        (ntpath, "C:\\in\\sub\\a.mp4", "C:\\in", "sub/a.mp4"),
        (ntpath, "c:\\IN\\Sub\\a.mp4", "C:\\in", "Sub/a.mp4"),
        (ntpath, "C:\\other\\a.mp4", "C:\\in", None),
        (ntpath, "D:\\in\\a.mp4", "C:\\in", None),
        (ntpath, "\\\\server\\share\\a.mp4", "C:\\in", None),
        (ntpath, "C:\\in\\..b\\a.mp4", "C:\\in", "..b/a.mp4"),
    ],
)
def test_names_have_slashes_whatever_the_system(system: ModuleType, path: str, base: str, name: str | None) -> None:
    assert name_below(path, base, system) == (None if name is None else PurePosixPath(name))


@pytest.mark.parametrize(
    ("system", "path", "parts"),
    [
        (posixpath, "/home/a/b.mp4", ("home", "a", "b.mp4")),
        (ntpath, "C:\\Users\\a\\b.mp4", ("C", "Users", "a", "b.mp4")),
        (ntpath, "D:\\b.mp4", ("D", "b.mp4")),
        (ntpath, "\\\\server\\share\\a\\b.mp4", ("UNC", "server", "share", "a", "b.mp4")),
    ],
)
def test_a_path_elsewhere_and_back(system: ModuleType, path: str, parts: tuple[str, ...]) -> None:
    assert parts_from_root(path, system) == parts
    assert path_from_root(parts, system) == path
    assert problem_of("/".join(parts), windows=system is ntpath) == ""


def test_a_file_beside_the_list_and_one_elsewhere_here(tmp_path: Path) -> None:
    base, beside, elsewhere = tmp_path / "in", tmp_path / "in" / "a.mp4", tmp_path / "b.mp4"
    assert name_of(str(beside), base) == PurePosixPath("a.mp4")
    far = name_of(str(elsewhere), base)
    assert far == PurePosixPath("_elsewhere/file") / str(tmp_path).lstrip("/") / "b.mp4"
    assert location_of(far, base) == str(elsewhere)
    assert os.path is posixpath
