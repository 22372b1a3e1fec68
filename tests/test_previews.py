"""Small copies of videos that browsers do not play: which get one, what is in it, and that Chromium plays it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePath

import av
import pytest
from browser import Opener
from fakes import INFO
from looks_fakes import make_curve_score, make_result
from page_fakes import make_content

from syncnet.command import main
from syncnet.looks import movie
from syncnet.looks.making import LookJob, Made, choose_videos, make_looks, remove_old_previews
from syncnet.looks.movie import find_encoder, read_comment
from syncnet.looks.preview import is_played, make_preview, preview_size
from syncnet.looks.progress import describe_looks
from syncnet.media.opening import open_media
from syncnet.placement.folders import OutputFolders
from syncnet.results import VideoResult
from syncnet.settings import LookOptions
from syncnet.system.interruption import Interrupted, StopFlag
from synthetic.media import Clip, find_clicks, read_frame_number, write_clip

AVI = Clip(video_codec="mpeg4", audio_codec="mp2", seconds=4.0)


@pytest.fixture(scope="module")
def avi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 numbered frames, 25 a second, clicks at 0.5, 1.0 and 1.5 s."""
    return write_clip(tmp_path_factory.mktemp("clip") / "a.avi", AVI)


@pytest.fixture
def job(tmp_path: Path) -> LookJob:
    folders = OutputFolders(tmp_path / "out")
    folders.state_dir.mkdir(parents=True)
    return LookJob(LookOptions(previews=True), folders, 5.0)


def scored(path: Path) -> VideoResult:
    info, status = open_media(path).info, path.stat()
    result = make_result(path, make_curve_score(7.5))
    return replace(result, info=info, file_bytes=status.st_size, mtime_ns=status.st_mtime_ns)


def make(result: VideoResult, job: LookJob, stop: StopFlag | None = None) -> Made:
    return make_looks(choose_videos([result], job), job, stop or StopFlag(), workers=1, on_done=lambda _: None)


@pytest.mark.parametrize(
    ("name", "container", "picture", "sound", "played"),
    [
        ("a.mp4", "mov,mp4,m4a,3gp,3g2,mj2", "h264", "aac", True),
        ("a.MOV", "mov,mp4,m4a,3gp,3g2,mj2", "h264", "aac", True),
        ("a.mov", "mov,mp4,m4a,3gp,3g2,mj2", "prores", "pcm_s16le", False),
        ("a.mp4", "mov,mp4,m4a,3gp,3g2,mj2", "hevc", "aac", False),
        ("a.mp4", "mov,mp4,m4a,3gp,3g2,mj2", "h264", "ac3", False),
        ("a.mp4", "mov,mp4,m4a,3gp,3g2,mj2", "mpeg4", "aac", False),
        ("a.webm", "matroska,webm", "vp9", "opus", True),
        ("a.mkv", "matroska,webm", "mpeg4", "mp3", False),
        ("a.mkv", "matroska,webm", "h264", "aac", False),
        ("a.avi", "avi", "h264", "aac", False),
        ("a.mpg", "mpeg", "mpeg1video", "mp2", False),
        ("a.ts", "mpegts", "h264", "aac", False),
    ],
)
def test_what_browsers_play(name: str, container: str, picture: str, sound: str, played: bool) -> None:
    assert is_played(name, replace(INFO, container=container, video_codec=picture, audio_codec=sound)) is played


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((1920, 1080), (854, 480)),
        ((1080, 1920), (270, 480)),
        ((160, 120), (160, 120)),
        ((641, 361), (640, 360)),
        ((4000, 100), (854, 22)),
        ((4000, 4), (854, 2)),
    ],
)
def test_a_preview_is_small_and_never_larger(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert preview_size(*size) == small


def test_a_preview_shows_the_same_at_the_same_time(avi: Path, job: LookJob) -> None:
    made = make(scored(avi), job)
    assert (made.previews, made.overlays, made.problems) == (1, 0, [])
    path = job.folders.output_dir / "previews" / "a.avi.mp4"
    seen = open_media(path)
    assert (seen.info.video_codec, seen.info.audio_codec, seen.info.source_fps) == ("h264", "aac", 25.0)
    assert (seen.info.width, seen.info.height) == (160, 120)
    assert is_played(path.name, seen.info)
    assert [read_frame_number(frame) for frame in seen.frames()] == list(range(100))
    # As they are heard in the AVI, whose encoder delays them by 10 ms.
    assert find_clicks(seen.samples) == pytest.approx(find_clicks(open_media(avi).samples), abs=1e-3)
    assert find_clicks(seen.samples) == pytest.approx([0.5, 1.0, 1.5], abs=0.02)
    assert describe_looks(made, job) == [f"Previews: {job.folders.previews_dir} (1)"]


def test_it_is_made_once_and_again_for_another_file(avi: Path, job: LookJob, tmp_path: Path) -> None:
    video = tmp_path / "a.avi"
    video.write_bytes(avi.read_bytes())
    path = job.folders.preview_path(PurePath("a.avi"))
    assert make(scored(video), job).previews == 1
    first = path.stat().st_ino
    assert make(scored(video), job).previews == 1
    assert path.stat().st_ino == first
    os.utime(video, (1_700_000_000, 1_700_000_000))
    assert make(scored(video), job).previews == 1
    assert path.stat().st_ino != first


def test_only_what_browsers_do_not_play_and_what_was_decoded_gets_one(avi: Path, job: LookJob) -> None:
    result = scored(avi)
    assert choose_videos([result, replace(result, status="no_faces")], job) == [
        result,
        replace(result, status="no_faces"),
    ]
    played = replace(result, relative_path=PurePath("a.mp4"), info=replace(INFO, container="mov,mp4"))
    for other in (played, replace(result, status="failed"), replace(result, missing=True), replace(result, info=None)):
        assert choose_videos([other], job) == []
    assert choose_videos([result], replace(job, options=LookOptions())) == []


def test_old_ones_are_removed_and_files_of_others_are_not(avi: Path, job: LookJob) -> None:
    result = scored(avi)
    path = job.folders.preview_path(result.relative_path)
    make(result, job)
    remove_old_previews([result], job)
    remove_old_previews([replace(result, missing=True)], replace(job, options=LookOptions()))
    assert path.is_file()
    remove_old_previews([replace(result, missing=True)], job)
    assert not path.exists()
    path.write_bytes(b"mine")
    remove_old_previews([replace(result, missing=True)], job)
    ((_, problem),) = make(result, job).problems
    assert "was not drawn by this tool" in problem
    assert path.read_bytes() == b"mine"


def test_a_stop_leaves_nothing_half_made(avi: Path, tmp_path: Path) -> None:
    class Later(StopFlag):
        looks = 0

        @property
        def stopped(self) -> bool:
            self.looks += 1
            return self.looks > 30

    media = open_media(avi)
    with pytest.raises(Interrupted):
        make_preview(media, tmp_path / "previews" / "a.mp4", Later())
    assert list((tmp_path / "previews").iterdir()) == []


def test_the_encoder_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_encoder() == "h264"
    without(monkeypatch, "h264")
    assert find_encoder() == "libvpx-vp9"
    without(monkeypatch, "h264", "libvpx-vp9")
    with pytest.raises(OSError, match=r"neither H\.264 nor VP9"):
        find_encoder()


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """As a build of FFmpeg that lacks these encoders."""
    known = av.codec.Codec

    def find(name: str, mode: str) -> av.codec.Codec:
        if name in missing:
            raise av.codec.codec.UnknownCodecError(name)
        return known(name, mode)

    monkeypatch.setattr(movie.av, "Codec", find)


@pytest.mark.parametrize("missing", [(), ("h264",)], ids=["H.264", "VP9"])
def test_chromium_plays_it_on_the_page(
    missing: tuple[str, ...],
    avi: Path,
    job: LookJob,
    open_page: Opener,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without(monkeypatch, *missing)
    result = replace(scored(avi), relative_path=PurePath("in/a b.avi"))
    content = make_content(tmp_path, [result])
    made = make(result, replace(job, folders=content.folders))
    assert made.problems == []
    preview = content.folders.preview_path(result.relative_path)
    open_page.videos = {preview.as_uri()}
    page = open_page(content)
    page.open_video("in/a b.avi")
    player = page.tab.locator("#detail video")
    assert player.get_attribute("src") == "./previews/in/a%20b.avi.mp4"
    page.tab.wait_for_selector("#detail .player-note:visible")
    told = page.tab.inner_text("#detail .player-note")
    assert told == "A small copy, made for browsers: they do not play this file (avi, mpeg4 and mp2)."
    played = player.evaluate(
        "(video) => new Promise((done, fail) => { video.muted = true; video.onerror = () => fail(video.error.message);"
        " video.ontimeupdate = () => video.currentTime > 0.2 && done([video.videoWidth, video.videoHeight]);"
        " video.play().catch(fail); })"
    )
    assert played == [160, 120]
    # The file itself is still what is opened.
    assert page.tab.get_attribute("#detail a.play", "href").split("#")[0].endswith("/a.avi")


def test_without_one_the_page_says_how_to_get_it(avi: Path, open_page: Opener, tmp_path: Path) -> None:
    content = make_content(tmp_path, [scored(avi)])
    page = open_page(content)
    open_page.videos = {avi.as_uri()}
    page.open_video("a.avi")
    page.tab.wait_for_selector("#detail .player-note:visible")
    told = page.tab.inner_text("#detail .player-note")
    assert "This browser cannot play this file (avi, mpeg4 and mp2)" in told and "--previews" in told
    assert page.tab.is_hidden("#detail video")


def test_a_damaged_preview_gives_way_to_the_file(avi: Path, open_page: Opener, tmp_path: Path) -> None:
    result = scored(avi)
    content = make_content(tmp_path, [result])
    preview = content.folders.preview_path(result.relative_path)
    preview.parent.mkdir(parents=True)
    preview.write_bytes(b"nothing")
    open_page.videos = {avi.as_uri(), preview.as_uri()}
    page = open_page(content)
    page.open_video("a.avi")
    page.tab.wait_for_selector("#detail .player-note:visible")
    assert "This browser cannot play this file" in page.tab.inner_text("#detail .player-note")


def test_the_command_makes_them_and_the_page_knows(
    avi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, out = tmp_path / "in", tmp_path / "out"
    videos.mkdir()
    (videos / "a.avi").write_bytes(avi.read_bytes())
    flags = ["--input_dir", str(videos), "--output_dir", str(out), "--model", "lite", "--detector", "lite"]
    assert main([*flags, "--previews", "--score_cache", "off"]) == 0
    assert f"Previews: {out}/previews (1)\n" in capsys.readouterr().out
    assert read_comment(out / "previews" / "a.avi.mp4").startswith("sync_filter ")
    assert '"preview":"./previews/a.avi.mp4"' in (out / "report.html").read_text()
