"""Files that no video tool should trust, through the real command: what is told of each, word by word."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import pytest
from folders import files_below, make_videos, results_in, run

from syncnet.errors import DamagedVideoError, EmptyVideoError, TooLargeError
from syncnet.inputs.discovery import find_videos
from syncnet.media.opening import open_media
from syncnet.settings import MediaSettings
from synthetic.hostile import Shape, Sound, write_shape
from synthetic.media import Clip, write_clip

Writer = Callable[[Path], object]
REMOVE = "remove it, or convert it to mp4"
COPY = "copy or download the file again"
AGAIN = "copy or download the file again"
REPAIR = "copy or download the file again, or repair it (ffmpeg -i FILE -c copy NEW_FILE)"
NO_VIDEO = "this is not a video file of a known kind (mp4, mov, mkv, webm, avi, ts, mpg, flv, wmv, mxf, dv, ogv)"
NO_INDEX = "the file starts like a video, but its index is missing or broken (an interrupted copy or recording?)"


def text(content: str) -> Writer:
    return lambda path: path.write_text(content)


def content(data: bytes) -> Writer:
    return lambda path: path.write_bytes(data)


def clip(**fields: Any) -> Writer:
    return lambda path: write_clip(path, Clip(**fields))


def cut(share: float, **fields: Any) -> Writer:
    def write(path: Path) -> None:
        data = write_clip(path, Clip(**fields)).read_bytes()
        path.write_bytes(data[: round(share * len(data))])

    return write


PNG = bytes.fromhex("89504e470d0a1a0a0000000d494844520000000100000001080200000090775ede")
JPEG = bytes.fromhex("ffd8ffe000104a46494600010101004800480000ffdb0043")
CONTENTS: dict[str, tuple[Writer, str, str]] = {
    "zero_bytes.mp4": (content(b""), "the file is empty (0 bytes)", COPY),
    "one_byte.mp4": (content(b"\0"), NO_VIDEO, REMOVE),
    "text.mp4": (text("These are words.\n" * 1000), NO_VIDEO, REMOVE),
    "page_not_found.mp4": (text("<!DOCTYPE html><html><title>404</title></html>"), NO_VIDEO, REMOVE),
    "picture.mp4": (content(PNG), NO_VIDEO, REMOVE),
    "photo.mov": (content(JPEG * 100), NO_VIDEO, REMOVE),
    "archive.mkv": (content(b"PK\x03\x04" + bytes(1000)), NO_VIDEO, REMOVE),
    "zeros.avi": (content(bytes(100_000)), NO_VIDEO, REMOVE),
    "head_only.mp4": (content(b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"), NO_INDEX, AGAIN),
    "no_moov.mp4": (cut(0.8), NO_INDEX, AGAIN),
    "cut_off.mkv": (cut(0.5, audio_codec="libopus"), "the file ends after 1.1 of 2.0 s", REPAIR),
    "no_sound.mp4": (clip(audio_codec=None), "the file holds no sound", "add its audio track, or leave it out"),
    "no_picture.mp4": (clip(video_codec=None), "the file holds no moving picture", "remove it: it is not a video"),
    "sound_file.mp4": (clip(container="wav", video_codec=None, audio_codec="pcm_s16le"), NO_VIDEO, REMOVE),
    "concat.mp4": (text("ffconcat version 1.0\nfile 'no_sound.mp4'\n"), NO_VIDEO, REMOVE),
    "playlist.ts": (text("#EXTM3U\n#EXTINF:2,\nno_sound.mp4\n#EXT-X-ENDLIST\n"), NO_VIDEO, REMOVE),
    "dash.mp4": (text('<?xml version="1.0"?><MPD><Period><BaseURL>no_sound.mp4</BaseURL></MPD>'), NO_VIDEO, REMOVE),
    "session.mp4": (text("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 9 RTP/AVP 96\n"), NO_VIDEO, REMOVE),
    "pictures_%03d.mp4": (text("%03d"), NO_VIDEO, REMOVE),
}  # fmt: skip
SEEN: dict[str, tuple[Writer, str]] = {
    "single_frame.mp4": (clip(seconds=0.04, click_times=()), "no face seen"),
    "tiny.mp4": (lambda path: write_shape(path, Shape(size_px=(16, 16), seconds=0.4)), "no face seen"),
    "sliver.mkv": (
        lambda path: write_shape(path, Shape(codec="ffv1", pix_fmt="gray", options=(), size_px=(2048, 2), seconds=0.2)),
        "no face seen",
    ),
    "fast.mp4": (lambda path: write_shape(path, Shape(fps=240, seconds=0.5)), "only tracks shorter than 50 frames"),
}
"""Played without a fault; there is no face to score."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of one real run over all of them, and beside them things that are no files."""
    folder = tmp_path_factory.mktemp("hostile")
    videos = folder / "in"
    videos.mkdir()
    for name, (write, *_) in {**CONTENTS, **SEEN}.items():
        write(videos / name)
    os.mkfifo(videos / "pipe.mp4")
    (videos / "device.mp4").symlink_to("/dev/zero")
    (videos / "folder.mp4").mkdir()
    (videos / "loop.mp4").symlink_to("loop.mp4")
    (videos / "nowhere.mp4").symlink_to("gone")
    flags = ("--model", "lite", "--detector", "lite", "--score_cache", "off", "--offline", "--min_face_size", "60")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        assert run(videos, folder / "out", *flags) == 1
    document = results_in(folder / "out")
    document["placed"] = [name for name in files_below(folder / "out") if "quality" in name]
    return document


def entry_of(told: dict[str, Any], name: str) -> dict[str, Any]:
    (entry,) = (entry for entry in told["results"] if Path(entry["video_path"]).name == name)
    return entry


@pytest.mark.parametrize("name", CONTENTS)
def test_what_is_no_video_fails_with_the_right_words(name: str, told: dict[str, Any]) -> None:
    entry = entry_of(told, name)
    assert (entry["status"], entry["error"], entry["cure"]) == ("failed", *CONTENTS[name][1:])


@pytest.mark.parametrize("name", SEEN)
def test_what_plays_but_shows_no_track_is_no_failure(name: str, told: dict[str, Any]) -> None:
    entry = entry_of(told, name)
    assert entry["status"] == "no_faces"
    assert entry["error"].startswith(SEEN[name][1])
    assert entry["cure"]


def test_what_is_no_file_is_named_and_nothing_is_placed(told: dict[str, Any]) -> None:
    reasons = {Path(skipped["path"]).name: skipped["reason"] for skipped in told["left_out"] + told["unreadable"]}
    assert reasons == {
        "pipe.mp4": "not a regular file",
        "device.mp4": "not a regular file",
        "loop.mp4": "too many levels of symbolic links",
        "nowhere.mp4": "a link to nothing",
    }
    assert told["placed"] == []
    assert told["total_videos"] == len(CONTENTS) + len(SEEN)


@pytest.mark.parametrize("tenths", range(1, 10))
@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("index_first.mp4", {"muxer_options": (("movflags", "faststart"),)}),
        ("clip.mkv", {"audio_codec": "libopus"}),
        ("clip.avi", {"video_codec": "mpeg4", "audio_codec": "pcm_s16le"}),
        ("clip.flv", {"video_codec": "flv"}),
    ],
)
def test_every_tenth_of_a_file_that_says_its_length_is_seen_to_be_a_part(
    name: str, fields: dict[str, Any], tenths: int, tmp_path: Path
) -> None:
    path = tmp_path / name
    cut(tenths / 10, **fields)(path)
    # Of two seconds, half a second may be missing through careless muxing.
    if tenths >= 7:
        with contextlib.suppress(DamagedVideoError):
            assert open_media(path).info.duration_seconds > 1.4
    else:
        words = "the file ends after|index is missing|no picture can be decoded"
        with pytest.raises((DamagedVideoError, EmptyVideoError), match=words):
            open_media(path)


@pytest.mark.parametrize("tenths", range(1, 10))
def test_every_tenth_of_a_file_that_says_no_length_is_taken_for_the_whole(tenths: int, tmp_path: Path) -> None:
    path = tmp_path / "clip.ts"
    cut(tenths / 10, container="mpegts", audio_codec="mp2", video_options=(("tune", "zerolatency"),))(path)
    # Of two seconds; the bytes are not spread evenly over them, and the first picture takes the most.
    assert open_media(path).info.duration_seconds == pytest.approx(2 * tenths / 10, abs=0.4)


@pytest.mark.parametrize(
    "playlist",
    [
        "ffconcat version 1.0\nfile '{url}'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n",
        (
            '<?xml version="1.0"?><MPD type="static"><Period><AdaptationSet><Representation><BaseURL>{url}</BaseURL>'
            "</Representation></AdaptationSet></Period></MPD>"
        ),
        "[playlist]\nFile1={url}\n",
        "RTSPtext\n{url}\n",
    ],
)
def test_no_network_address_is_ever_called(playlist: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/clip.mp4"
        path = tmp_path / "list.mp4"
        path.write_text(playlist.format(url=url))
        with pytest.raises(Exception, match="not a video file of a known kind"):
            open_media(path)
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()


def test_8192_pixels_a_side_are_refused_where_they_would_pass_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "huge.mkv"
    with av.open(f"file:{path}", "w") as container:
        picture: Any = container.add_stream("mjpeg", rate=25)
        picture.width = picture.height = 8192
        picture.pix_fmt, picture.codec_context.thread_count = "yuvj420p", 1
        sound = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        grey = av.VideoFrame(8192, 8192, "yuvj420p")
        for plane in grey.planes:
            plane.update(bytes([128]) * plane.buffer_size)
        container.mux([*picture.encode(grey), *picture.encode(None)])
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), format="s16", layout="mono")
        silence.sample_rate, silence.pts = 16_000, 0
        container.mux([*sound.encode(silence), *sound.encode(None)])
    with pytest.raises(TooLargeError) as caught:
        open_media(path, settings=MediaSettings(max_memory_mb=2000))
    assert str(caught.value) == (
        "pictures of 8192 x 8192 may take 3072 MB, more than the 2000 MB of --max_memory: "
        "make the pictures smaller, or give --max_memory 3072 with --retry_failed"
    )
    media = open_media(path, settings=MediaSettings(max_memory_mb=3072))
    assert next(media.frames()).shape == (8192, 8192, 3)


# Names and numbers of files

NAMES = [
    b"fine with spaces  .mp4",
    b"fine 'single' \"double\" `ticks`.mp4",
    b"-fine.mp4",
    b"--rescan fine.mp4",
    b"fine\nnewline\rreturn\ttab.mp4",
    b"fine \xff\xfe\x80.mp4",
    "fine 🎬👄.mp4".encode(),
    "fine \u202egpj.mp4".encode(),
    b"fine%s%n%d{0}.mp4",
    b"fine;rm -rf ~;$(reboot)&|<>*?[a].mp4",
    b"fine\\back\\slash.mp4",
    b"=fine+1@x.mp4",
    b"fine" + b"x" * 247 + b".mp4",
]


@pytest.mark.parametrize("place", ["copy", "hardlink", "symlink", "move"])
def test_any_name_that_a_file_can_have_is_placed_and_told(place: str, tmp_path: Path, fake_scoring: None) -> None:
    assert max(len(name) for name in NAMES) == 255
    names = [os.fsdecode(name) for name in NAMES]
    videos = make_videos(tmp_path / "in", *names)
    out = tmp_path / "out"
    assert run(videos, out, "--place", place) == 0
    good = out / "good_quality"
    assert sorted(os.listdir(good)) == sorted(names)
    assert all((good / name).read_bytes() == os.fsencode(name) for name in names)
    assert sorted(Path(entry["video_path"]).name for entry in results_in(out)["results"]) == sorted(names)
    # And is found again.
    assert run(videos, out, "--place", place) == 0
    assert results_in(out)["this_run"]["scored"] == 0


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: many files are made and removed there in no time."""
    memory = Path("/dev/shm")  # noqa: S108 (the folder below it is this test's own)
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.slow
def test_a_hundred_thousand_entries_are_listed_in_order(roomy: Path) -> None:
    count = 100_000
    for number in range(count):
        os.close(os.open(roomy / f"{number:06}.{('mp4', 'txt')[number % 2]}", os.O_CREAT | os.O_WRONLY))
    found = find_videos(roomy, recursive=True)
    assert len(found.videos) == count // 2
    assert [video.path.name for video in found.videos[:2]] == ["000000.mp4", "000002.mp4"]
    assert found.videos[-1].path.name == "099998.mp4"


def test_more_sound_tracks_than_anybody_has_are_counted(tmp_path: Path) -> None:
    path = write_shape(tmp_path / "many.mkv", Shape(seconds=0.4, sounds=[Sound("pcm_s16le", 8_000, seconds=0.4)] * 40))
    assert len(open_media(path, settings=MediaSettings(39)).samples) == pytest.approx(16_000 * 0.4, abs=100)
    with pytest.raises(Exception, match="there is no audio track 40: the file holds 40 audio tracks"):
        open_media(path, settings=MediaSettings(40))
