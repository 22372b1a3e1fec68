"""The whole file as page, overlay and terminal show it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from fakes import IN_SYNC, OFF_SCREEN, judged, make_run, make_score, successful
from page_fakes import make_content, make_keepsake

from syncnet.keepsake.file import Keepsake, keepsake_path, write_keepsake
from syncnet.looks.overlay import describe_verdict, drawn_tracks
from syncnet.looks.whole import colour_of_segment, draw_whole, whole_file
from syncnet.overtime.timeline import Jump, OffsetAlong
from syncnet.report.page_data import describe_video
from syncnet.report.page_pictures import collect_pictures
from syncnet.report.progress import _outcome, describe_details
from syncnet.report.summary import format_summary
from syncnet.results import VideoResult
from syncnet.scoring.evidence import Evidence

LATE = OffsetAlong("jumps", None, (Jump(90.2, 88.0, -3.0, -243.0),))
RESULT = dataclasses.replace(successful("a.mp4", make_score(7.0, 1)), over_time=judged(IN_SYNC, OFF_SCREEN, along=LATE))


def kept() -> Keepsake:
    """100 frames: somebody speaks from 1 s to 3 s with a pause of three frames, and in the last half second."""
    speech = np.zeros(100, bool)
    speech[25:75] = True
    speech[40:43] = False
    speech[88:] = True
    keepsake = make_keepsake()
    windows = np.array([[20, 1, 0.5], [30, 1, 0.5], [90, -4, 0.5]], np.float32)
    track = dataclasses.replace(keepsake.tracks[0], windows=windows)
    return dataclasses.replace(keepsake, tracks=(track,), speech=speech)


def test_the_page_has_what_it_judges_segments_by() -> None:
    time = describe_video(RESULT, make_content(Path("out"), [RESULT]))["time"]
    assert time["segments"] == [
        [0, 1.0, 4.0, 2.8, 0, 1, 7.1234, "strong"],
        [2, 4.5, 7.0, 2.2, None, None, None, "none"],
    ]
    assert time["faces"] == [[0.0, 4.0]]
    assert (time["speech"], time["seen"], time["off_screen"]) == (5.0, 2.8, 0.44)
    # Which offset each sentence depends on: in sync until the jump, six frames late from there on.
    assert time["changes"] == [[[0], "in sync until 1:28"], [[-6], "sound 240 ms late from 1:30 on"]]
    assert time["along"] == "in sync until 1:28, sound 240 ms late from 1:30 on"
    assert describe_video(successful("b.mp4", make_score(7.0)), make_content(Path("out"), []))["time"] is None


def test_the_page_has_speech_and_offsets_along_the_file(tmp_path: Path) -> None:
    content = make_content(tmp_path, [RESULT])
    write_keepsake(keepsake_path(content.folders.state_dir, RESULT.relative_path), kept())
    lines = collect_pictures(content).lines[0]
    # The pause of three frames is left out, the one of 13 is not.
    assert lines["speech"] == [[25, 75], [88, 100]]
    # Middles of the windows within the segment from 1 to 4 s.
    assert lines["offsets"] == [[1.3, 1], [1.7, 1]]


def test_the_overlay_draws_the_same(tmp_path: Path) -> None:
    whole = whole_file(RESULT, kept())
    assert whole is not None
    assert (whole.cuts, whole.faces) == ([1.6], [(0.0, 4.0)])
    assert whole.speech == [(1.0, 1.6), (1.72, 3.0), (3.52, 4.0)]
    assert [one for one, _ in whole.segments] == [(1.0, 4.0), (4.5, 7.0)]
    passing, unseen = (colour for _, colour in whole.segments)
    assert passing != unseen
    assert [(round(at, 2), offset) for at, offset in whole.offsets] == [(1.3, 1), (1.7, 1)]
    picture = np.zeros((80, 300, 3), np.uint8)
    draw_whole(picture, whole, 100, 200, 5, 10.0)
    segments = picture[5 + 2 * 9 + 3]
    # Ten pixels a second: the passing segment from 110 to 139, the other one from 145 to 169.
    assert [tuple(segments[column]) for column in (105, 112, 138, 142, 147, 168, 175)] == [
        (0, 0, 0), passing, passing, (0, 0, 0), unseen, unseen, (0, 0, 0),
    ]  # fmt: skip
    assert whole_file(successful("b.mp4", make_score(7.0)), None) is None


def test_colours_tell_the_verdict() -> None:
    shown = judged(
        IN_SYNC,
        dataclasses.replace(IN_SYNC, confidence=1.0),
        OFF_SCREEN,
        dataclasses.replace(OFF_SCREEN, kind="no_match"),
    )
    assert len({colour_of_segment(one) for one in shown.segments}) == 4


def without_evidence() -> VideoResult:
    score = make_score(6.0, 0, evidence=Evidence("none", "no speech in the sound"))
    return successful("a.mp4", score)


def test_where_nothing_supports_an_offset_no_word_of_it_is_printed() -> None:
    result = without_evidence()
    told = [
        _outcome(result, 5.0),
        *describe_details(result, 5.0),
        format_summary(make_run([result]), 100),
        describe_verdict(result),
        *(words for track in drawn_tracks(result, None) for words in (track.label, track.brief)),
    ]
    assert not [
        words for words in told if "in sync" in words or "+0" in words or " ms" in words.replace("(200 ms)", "")
    ]
    assert "no evidence of sync" in told[0]


def test_how_much_is_in_sync_stands_beside_each_verdict() -> None:
    assert _outcome(RESULT, 5.0) == "passes, confidence 7.0, sound 40 ms early, in sync for 3.0 of 4.0 s"
    assert describe_verdict(RESULT) == "PASSES: confidence 7.0, sound 40 ms early, in sync for 3.0 of 4.0 s"
    assert "sound 40 ms early, in sync for 3.0 of 4.0 s\n" in format_summary(make_run([RESULT]), 100)
    poor = dataclasses.replace(successful("p.mp4", make_score(2.0, 1)), over_time=judged(IN_SYNC))
    assert "p.mp4  (in sync for 3.0 of 4.0 s)\n" in format_summary(make_run([poor]), 100)
