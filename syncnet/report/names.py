"""Names of what a run writes for people, and what these files are known by. Nothing is loaded for them."""

from __future__ import annotations

from pathlib import Path

PAGE_NAME = "report.html"
PAGE_TITLE = "Lip-sync report"
"""In the template, and what a page is known by."""
MONTAGE_NAME = Path("report") / "montage.png"
MONTAGE_TITLE = "Lip-sync contact sheet"
"""In the file, which is known by it."""
NEW_PASSING_NAME = "new_passing.txt"
PASSED_NAME = "passed.jsonl"
"""In the folder of what is remembered: the names of the videos that passed at the end of the last run, a line each."""
