"""What several test modules share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Opener
from fakes import FakeStages, load_scorer_by_name, score_by_name
from faulty_server import Servers

from benchmarks.readers import CHROMIUM, CHROMIUM_FLAGS
from syncnet import command

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output folder that is not there yet."""
    return tmp_path / "out"


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of real clips, goldens and model files beside the checkout; skips where it is absent."""
    folder = Path(os.environ.get("SYNC_FILTER_TEST_DATA", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}; set SYNC_FILTER_TEST_DATA to its folder")
    return folder


@pytest.fixture(scope="session", autouse=True)
def users_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment as it was. What fixtures that outlive a test leave in a cache is not the user's."""
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("session_cache")))
        patch.delenv("SYNC_FILTER_WEIGHTS", raising=False)
        yield before


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Model files and scores that a user or another test keeps must not decide what a test sees."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def fake_scoring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command with scores that follow from the names of the files."""
    monkeypatch.setattr("syncnet.stages.choose_stages", lambda _request, _workers: FakeStages())
    monkeypatch.setattr(command, "load_scorer", load_scorer_by_name)
    monkeypatch.setattr("syncnet.pipeline.score_video", score_by_name)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    """Web servers of the test's own, ended with it, to which no proxy of the machine stands in the way."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Servers.all_ended() as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (on Debian: apt install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, tmp_path: Path) -> Iterator[Opener]:
    """Opens a page; what its tabs complained of or asked for is looked at afterwards."""
    opener = Opener(chromium, tmp_path)
    yield opener
    opener.check()
