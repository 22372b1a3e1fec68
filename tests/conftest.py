"""What several test modules share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


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
