"""An overlay video in a real browser: Chromium."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from test_looks import make_curve_score, make_result

from syncnet.looks.overlay import draw_overlay
from syncnet.media.opening import open_media
from syncnet.system.interruption import StopFlag
from synthetic.media import Clip, write_clip

PLAY = """async () => {
  const video = document.querySelector("video");
  video.playbackRate = 4;
  video.load();
  const ended = new Promise((done) => { video.onended = done; video.onerror = done; setTimeout(done, 20000); });
  await video.play().catch((problem) => problem);
  await ended;
  return { error: video.error && video.error.message, time: video.currentTime, width: video.videoWidth,
           frames: video.getVideoPlaybackQuality().totalVideoFrames, heard: video.webkitAudioDecodedByteCount };
}"""


@pytest.mark.slow
def test_an_overlay_plays_in_a_browser_from_its_start_to_its_end_with_sound(chromium: Any, tmp_path: Path) -> None:
    media = open_media(write_clip(tmp_path / "a.mp4", Clip(fps=Fraction(30000, 1001))))
    result = make_result(media.path, make_curve_score(7.5))
    draw_overlay(media, result, None, tmp_path / "o.mp4", StopFlag(), min_confidence=5.0)
    (tmp_path / "page.html").write_text('<video muted src="o.mp4"></video>')
    tab = chromium.new_page()
    tab.goto((tmp_path / "page.html").as_uri())
    played = tab.evaluate(PLAY)
    tab.close()
    assert played["error"] is None
    assert played["width"] == 480
    # Two seconds, of which Chromium may skip pictures but no sound.
    assert played["time"] == pytest.approx(2.0, abs=0.1)
    assert played["frames"] > 0
    assert played["heard"] > 1000
