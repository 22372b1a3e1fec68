"""The opened video: its player and its faces, in Chromium."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from browser import Opener
from fakes import IN_SYNC, make_score, over_time_of, successful
from page_fakes import make_content, make_keepsake, moved_to, with_score

from syncnet.keepsake.file import keepsake_path, write_keepsake
from syncnet.results import VideoResult
from synthetic.media import Clip, write_clip


def playable(folder: Path, name: str, clip: Clip) -> VideoResult:
    """A video of four seconds with a time line, beside the page."""
    (folder / "in").mkdir(exist_ok=True)
    write_clip(folder / "in" / name, clip)
    result = with_score(name, 7.0, over_time=over_time_of(IN_SYNC))
    assert result.info
    info = replace(result.info, video_codec=str(clip.video_codec).removeprefix("lib").replace("x264", "h264"))
    return moved_to(replace(result, info=info), folder / "in")


def test_the_player_goes_where_a_time_line_is_pressed(open_page: Opener, tmp_path: Path) -> None:
    result = playable(tmp_path, "a b.mp4", Clip(seconds=4.0))
    content = make_content(tmp_path, [result, with_score("gone.mp4", 7.0)])
    write_keepsake(keepsake_path(content.folders.state_dir, "a b.mp4"), make_keepsake())
    open_page.videos = {(tmp_path / "in" / "a b.mp4").as_uri()}
    page = open_page(content)
    page.open_video("a b.mp4")
    page.tab.wait_for_function("() => document.querySelector('#detail video').readyState >= 1")

    def time() -> float:
        page.tab.wait_for_function("() => !document.querySelector('#detail video').seeking")
        return float(page.tab.evaluate("document.querySelector('#detail video').currentTime"))

    lane = page.tab.locator(".whole .lane").nth(0)
    width = lane.bounding_box()["width"]
    lane.click(position={"x": width / 4, "y": 7})
    assert time() == pytest.approx(4.0041 / 4, abs=0.02)
    heads = page.tab.locator(".whole .playhead")
    assert heads.nth(0).evaluate("(head) => parseFloat(head.style.left)") == pytest.approx(25, abs=0.5)
    # A segment goes to its start.
    page.tab.locator("#detail button.segment").click()
    assert time() == pytest.approx(1.0, abs=0.001)
    # The opened file, in another tab, starts there too.
    assert page.tab.get_attribute("#detail a.play", "href") == "./in/a%20b.mp4#t=1.00"
    # A chart whose x axis is the time: the offset of windows, 0 to 4 s.
    over = page.tab.locator("[aria-label^='Offset of each window'] .u-over")
    over.scroll_into_view_if_needed()
    over.click(position={"x": 0.75 * over.bounding_box()["width"], "y": 40})
    assert time() == pytest.approx(3.0, abs=0.03)
    page.tab.locator("#detail").focus()
    page.tab.keyboard.press("k")
    page.tab.wait_for_function("() => !document.querySelector('#detail video').paused")
    page.tab.keyboard.press("ArrowRight")
    assert page.tab.inner_text("#detail-name") == "gone.mp4"
    assert "The file is no longer where it was." in page.tab.inner_text("#detail")
    assert page.tab.locator("#detail video").count() == 0


@pytest.mark.parametrize(
    ("name", "clip", "told"),
    [
        ("a.avi", Clip(video_codec="mpeg4", audio_codec="mp2"), "This browser cannot play this file (avi, mpeg4 and"),
        ("a.mpg", Clip(video_codec="mpeg2video", audio_codec="mp2"), "cannot play this file (mpg, mpeg2video and"),
    ],
)
def test_what_the_browser_cannot_play_is_said(
    open_page: Opener, tmp_path: Path, name: str, clip: Clip, told: str
) -> None:
    page_content = make_content(tmp_path, [playable(tmp_path, name, clip)])
    open_page.videos = {(tmp_path / "in" / name).as_uri()}
    page = open_page(page_content)
    page.open_video(name)
    page.tab.wait_for_selector("#detail .player-note:visible")
    assert told in page.tab.inner_text("#detail .player-note")
    assert page.tab.is_hidden("#detail video")
    assert page.tab.get_attribute("#detail a.play", "href") == f"./in/{name}"


def test_each_face_of_a_video_has_its_picture(open_page: Opener, tmp_path: Path) -> None:
    result = successful("two.mp4", make_score(7.0))
    result = replace(result, tracks=(result.tracks[0], successful("x", make_score(2.0)).tracks[0]))
    content = make_content(tmp_path, [result])
    write_keepsake(keepsake_path(content.folders.state_dir, "two.mp4"), make_keepsake(tracks=2))
    page = open_page(content)
    page.open_video("two.mp4")
    sizes = page.tab.locator(".track-bar img").evaluate_all("(faces) => faces.map((face) => face.naturalWidth)")
    assert sizes == [64, 64]
