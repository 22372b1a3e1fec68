"""A server in memory whose lines break as told, and scores that follow from what was fetched from it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fakes import score_by_name

from syncnet.results import VideoScore
from syncnet.system.interruption import StopFlag

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install -r requirements-remote.txt")
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402


class Faulty(MemoryFileSystem):  # type: ignore[misc]
    """A memory of its own, whose lines break as told."""

    protocol = "faulty"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    opened: ClassVar[Counter[str]] = Counter()
    breaks_after: ClassVar[dict[str, int]] = {}
    """Bytes of a file after which reading it fails, by path."""
    ends_after: ClassVar[dict[str, int]] = {}
    """The same, but it seems to be all."""
    unreachable: ClassVar[set[str]] = set()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.replace("faulty://", "memory://"))  # type: ignore[no-any-return]

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        if self._strip_protocol(path) in self.unreachable:
            raise ConnectionError("no route to\nthe server")
        return super().info(path, **kwargs)  # type: ignore[no-any-return]

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        if mode == "rb":
            self.opened[path] += 1
            whole = self.store[path].getvalue()
            if path in self.breaks_after or path in self.ends_after:
                return _Broken(whole, self.breaks_after.get(path), self.ends_after.get(path))
        return super()._open(path, mode, **kwargs)


class _Broken:
    def __init__(self, whole: bytes, breaks_after: int | None, ends_after: int | None) -> None:
        self.rest = [whole[: breaks_after or ends_after or 0], b""]
        self.breaks = breaks_after is not None

    def __enter__(self) -> _Broken:
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, _: int) -> bytes:
        piece = self.rest.pop(0)
        if not piece and self.breaks:
            raise ConnectionResetError(104, "Connection reset by peer")
        return piece


@pytest.fixture(name="server")
def started_server() -> Iterator[Faulty]:
    fsspec.register_implementation("faulty", Faulty, clobber=True)
    yield Faulty()
    for kept in (Faulty.store, Faulty.opened, Faulty.breaks_after, Faulty.ends_after, Faulty.unreachable):
        kept.clear()


@pytest.fixture(name="temporary", autouse=True)
def emptied_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary copies go; none of them is left after any test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture(name="scoring")
def noted_scoring(fake_scoring: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Scores follow from what is in the files, and are noted."""
    noted: list[str] = []

    def score(path: Path, stages: object, stop: StopFlag, _sound: Path | None = None) -> VideoScore:
        noted.append(path.read_text())
        return score_by_name(Path(noted[-1]), stages, stop)

    monkeypatch.setattr("syncnet.pipeline.score_video", score)
    return noted
