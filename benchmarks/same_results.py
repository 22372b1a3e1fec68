"""Whether two runs said the same of each video: for changes that must not change any number or verdict.

    python -m benchmarks.same_results BEFORE/sync_filter_results.json AFTER/sync_filter_results.json

Every key of every video is compared but for times and memory. Exit code 1, with a line for each difference, where
they differ.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

OF_THE_RUN = {"processing_time", "peak_memory_mb", "placed_path", "scored_at"}
"""What differs between two runs of one program too."""


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """A line for each value that is not the same; both are the contents of a results file."""
    old, new = ({video["video_path"]: video for video in results["results"]} for results in (before, after))
    for path in sorted({*old, *new}):
        one, other = old.get(path, {}), new.get(path, {})
        for key in sorted({*one, *other} - OF_THE_RUN):
            if one.get(key) != other.get(key):
                yield f"{path}: {key}: {json.dumps(one.get(key))} -> {json.dumps(other.get(key))}"


def main(arguments: Sequence[str] | None = None) -> int:
    before, after = (json.loads(Path(name).read_text()) for name in (sys.argv[1:] if arguments is None else arguments))
    lines = list(differences(before, after))
    print("\n".join(lines) or f"{len(after['results'])} videos, all the same")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
