"""benchmarks/same_results.py sees what differs, and nothing else."""

from __future__ import annotations

from benchmarks.same_results import differences


def test_a_number_that_differs_is_named_and_times_are_not() -> None:
    before = {"results": [{"video_path": "a.mp4", "confidence": 8.1, "processing_time": 1.0, "peak_memory_mb": 5}]}
    after = {"results": [{"video_path": "a.mp4", "confidence": 8.2, "processing_time": 2.0, "peak_memory_mb": 6}]}
    assert list(differences(before, before)) == []
    assert list(differences(before, after)) == ["a.mp4: confidence: 8.1 -> 8.2"]


def test_a_video_of_one_side_only_differs() -> None:
    before = {"results": [{"video_path": "a.mp4"}]}
    after = {"results": [{"video_path": "b.mp4"}]}
    assert list(differences(before, after)) == [
        'a.mp4: video_path: "a.mp4" -> null',
        'b.mp4: video_path: null -> "b.mp4"',
    ]
