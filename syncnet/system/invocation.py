"""How the tool is called, for every message that says what to type: as a script of a checkout, or as installed."""

from __future__ import annotations

from pathlib import Path

INSTALLED = (Path(__file__).parents[1] / "weights").is_dir()
"""Whether this is the installed package, which holds in itself what stands beside it in a checkout (setup.py)."""

DISTRIBUTION = "filter-videos-by-sync-score"
"""What pip calls it."""
PROGRAM = "filter-videos-by-sync-score" if INSTALLED else "filter_videos_by_sync_score.py"
CALL = (PROGRAM,) if INSTALLED else ("python", PROGRAM)
"""The words that start the command."""
WEIGHTS_CALL = f"{PROGRAM} weights" if INSTALLED else "python -m weights"
"""What sees to the model files."""


def install_requirements(extra: str = "") -> str:
    """The command line that brings the dependencies, or those of an optional part (an extra of pyproject.toml)."""
    if INSTALLED:
        return f"pip install '{DISTRIBUTION}{extra and f'[{extra}]'}'"
    if extra:
        return f"pip install -r requirements-{extra}.txt"
    return "use .venv/bin/python, which make demo sets up, or pip install -r requirements.txt"
