"""What the boxes do to the scores: two results files of the tool, of the same clips with either detector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONFIDENCE_APART = 0.4


def compare_scores(ours_file: Path, theirs_file: Path) -> dict[str, object]:
    """Clips by what became of them; pairs are ours and theirs."""
    ours, theirs = _videos(ours_file), _videos(theirs_file)
    both = [name for name in theirs if "offset" in theirs[name] and "offset" in ours.get(name, {})]
    scored = {name: (ours[name], theirs[name]) for name in both}
    return {
        "clips_with_a_score": len(both),
        "score_with_one_only": sorted(
            name for name in theirs if ("offset" in theirs[name]) != ("offset" in ours.get(name, {}))
        ),
        "offsets_that_differ": {
            name: [one["offset"], other["offset"]]
            for name, (one, other) in scored.items()
            if one["offset"] != other["offset"]
        },
        f"confidences_further_than_{CONFIDENCE_APART}": {
            name: [one["confidence"], other["confidence"]]
            for name, (one, other) in scored.items()
            if abs(one["confidence"] - other["confidence"]) > CONFIDENCE_APART
        },
        "verdicts_that_differ": sorted(
            name for name, (one, other) in scored.items() if one["passes_quality"] != other["passes_quality"]
        ),
    }


def _videos(results_file: Path) -> dict[str, dict[str, Any]]:
    """By name; those without a score have no offset."""
    results = json.loads(results_file.read_text())["results"]
    return {
        video["video_name"]: {key: value for key, value in video.items() if key != "offset" or value is not None}
        for video in results
    }
