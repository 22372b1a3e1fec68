"""Files that cannot be scored, files that play in spite of damage, and files that would open others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from syncnet.errors import (
    DamagedVideoError,
    EmptyVideoError,
    NoAudioStreamError,
    NotAVideoError,
    NoVideoStreamError,
    VideoError,
)
from syncnet.media.opening import open_media
from synthetic.media import Clip, find_clicks, read_frame_number, write_clip

NOBODY = 65534


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_named(name: str, **fields: object) -> Path:
        return write_clip(tmp_path / name, Clip(**fields))  # type: ignore[arg-type]

    return write_named


def assert_refused(path: Path, kind: type[VideoError], *words: str) -> None:
    """``open_media`` raises this error; its line names the problem in these words, and a cure; it knows the path."""
    with pytest.raises(kind) as caught:
        open_media(path)
    assert type(caught.value) is kind
    assert caught.value.path == path
    assert caught.value.cure
    for word in words:
        assert word in str(caught.value)


# What is no video


def test_missing_file(tmp_path: Path) -> None:
    assert_refused(tmp_path / "gone.mp4", NotAVideoError, "no such file")


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    assert_refused(path, NotAVideoError, "empty (0 bytes)")


def test_folder_and_pipe(tmp_path: Path) -> None:
    assert_refused(tmp_path, NotAVideoError, "not a regular file")
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    # Opening it would wait for ever.
    assert_refused(pipe, NotAVideoError, "not a regular file")


@contextmanager
def without_rights() -> Iterator[None]:
    """Who may read every file is somebody else meanwhile."""
    user = os.geteuid()
    os.seteuid(NOBODY if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


def test_unreadable_file(write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    # Relative names, since the folders above this one may be entered by their owner only.
    monkeypatch.chdir(tmp_path)
    write("open.mp4").chmod(0o644)
    write("secret.mp4").chmod(0)
    with without_rights():
        assert len(open_media(Path("open.mp4")).samples) > 0
        assert_refused(Path("secret.mp4"), NotAVideoError, "no permission")


@pytest.mark.parametrize("name", ["text.mp4", "noise.mp4", "noise.mpg", "noise.ts"])
def test_content_that_is_no_video(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(0).bytes(100_000)
    path.write_bytes(b"These are words.\n" * 1000 if "text" in name else noise)
    assert_refused(path, NotAVideoError, "not a video file")


@pytest.mark.parametrize("container", ["wav", "mp3"])
def test_sound_file_under_a_video_s_name(container: str, write: Callable[..., Path]) -> None:
    codec = {"wav": "pcm_s16le", "mp3": "libmp3lame"}[container]
    path = write("sound.mp4", container=container, video_codec=None, audio_codec=codec)
    assert_refused(path, NotAVideoError, "not a video file")


# Streams that are missing


@pytest.mark.parametrize("extension", ["mp4", "mkv", "ts"])
def test_no_sound(extension: str, write: Callable[..., Path]) -> None:
    container = "mpegts" if extension == "ts" else None
    assert_refused(write(f"mute.{extension}", container=container, audio_codec=None), NoAudioStreamError, "no sound")


def test_no_picture(write: Callable[..., Path]) -> None:
    assert_refused(write("radio.mp4", video_codec=None), NoVideoStreamError, "no moving picture")


def test_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(f"file:{path}", "w") as container:
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="bgr24")
        container.mux([*cover.encode(picture), *cover.encode(None)])
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.int16), format="s16", layout="mono")
        silence.sample_rate, silence.pts = 48_000, 0
        container.mux([*sound.encode(silence), *sound.encode(None)])
    with av.open(f"file:{path}") as container:
        assert len(container.streams.video) == 1
    assert_refused(path, NoVideoStreamError, "no moving picture")


def test_unknown_codecs(write: Callable[..., Path]) -> None:
    mp4 = write("picture.mp4")
    mp4.write_bytes(mp4.read_bytes().replace(b"avc1", b"zzzz"))
    assert_refused(mp4, NoVideoStreamError, "unknown codec", "H.264")
    mkv = write("sound.mkv", audio_codec="libopus")
    mkv.write_bytes(mkv.read_bytes().replace(b"A_OPUS", b"A_ZZZZ"))
    assert_refused(mkv, NoAudioStreamError, "unknown codec", "AAC")


def test_sound_that_ends_before_the_picture_starts(write: Callable[..., Path]) -> None:
    path = write("apart.mov", audio_codec="pcm_s16le", audio_end=0.4, video_start=1.0, click_times=())
    assert_refused(path, EmptyVideoError, "no sound can be decoded")


@pytest.mark.parametrize(("extension", "problem"), [("mp4", "no stream"), ("avi", "no picture can be decoded")])
def test_header_without_a_single_frame(extension: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / f"header.{extension}"
    with av.open(f"file:{path}", "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 160, 120, "yuv420p"
        container.add_stream("mp2", rate=44_100, layout="mono")
        container.start_encoding()
    assert_refused(path, EmptyVideoError, problem)


# Damage


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("index_first.mp4", {"muxer_options": (("movflags", "faststart"),)}),
        ("clip.mkv", {"audio_codec": "libopus"}),
        ("clip.avi", {"video_codec": "mpeg4", "audio_codec": "pcm_s16le"}),
        ("clip.flv", {"video_codec": "flv", "audio_codec": "aac"}),
    ],
)
def test_file_that_was_cut_off(name: str, fields: dict[str, object], write: Callable[..., Path]) -> None:
    path = write(name, **fields)
    open_media(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert_refused(path, DamagedVideoError, "the file ends after", "of 2.0 s")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_mp4_that_was_cut_off_before_its_index(keep: float, write: Callable[..., Path]) -> None:
    path = write("index_last.mp4")
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])
    assert_refused(path, DamagedVideoError, "index is missing")


def spoil_packets(path: Path, kind: str, every: int) -> None:
    """Overwrite each ``every``-th packet of the stream, the first few (with its key frame) spared."""
    with av.open(f"file:{path}") as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        places = [(packet.pos, packet.size) for packet in container.demux(stream) if packet.size]
    data = bytearray(path.read_bytes())
    for pos, size in places[5::every]:
        data[pos : pos + size] = b"\xff" * size
    path.write_bytes(data)


def test_a_few_bad_packets_are_passed_over(write: Callable[..., Path]) -> None:
    # Key frames only, so that a bad packet spoils no other.
    path = write("clip.mp4", video_options=(("g", "1"),))
    spoil_packets(path, "video", every=20)
    spoil_packets(path, "audio", every=40)
    media = open_media(path)
    # Packets 5, 25 and 45 are lost; the frame before stands in.
    expected = [n - 1 if n in (5, 25, 45) else n for n in range(50)]
    assert [read_frame_number(frame) for frame in media.frames()] == expected
    assert find_clicks(media.samples) == pytest.approx([0.5, 1.0, 1.5], abs=0.001)


def test_many_bad_packets_are_damage(write: Callable[..., Path]) -> None:
    sound = write("sound.mp4")
    spoil_packets(sound, "audio", every=3)
    assert_refused(sound, DamagedVideoError, "audio packets cannot be decoded")
    picture = write("picture.mp4")
    spoil_packets(picture, "video", every=3)
    media = open_media(picture)
    with pytest.raises(DamagedVideoError, match="of 50 video packets cannot be decoded") as caught:
        list(media.frames())
    assert caught.value.path == picture


def test_tags_in_an_old_encoding_do_no_harm(write: Callable[..., Path]) -> None:
    path = write("clip.avi", video_codec="mpeg4", audio_codec="pcm_s16le", title="Cafe")
    path.write_bytes(path.read_bytes().replace(b"Cafe", b"Caf\xe9"))
    assert sum(1 for _ in open_media(path).frames()) == 50


# What a hostile or an odd name or content could do


@pytest.mark.parametrize(
    "name",
    [
        "-i.mp4",
        "a:b.mp4",
        "http:x.mp4",
        "100%d.mp4",
        "%03d.mp4",
        "concat:x|y.mp4",
        "a b'\"$(c).mp4",
        "a\nb.mp4",
        "ü.mp4",
        os.fsdecode(b"a \xff\xfe\x80.mp4"),
        "x" * 251 + ".mp4",
    ],
)
def test_a_name_is_only_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(Path("plain.mp4"), Clip()).rename(name)
    # Relative, so that the odd characters come first.
    media = open_media(Path(name))
    assert sum(1 for _ in media.frames()) == 50


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.mp4", "ffconcat version 1.0\nfile 'part.ts'\n"),
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\npart.ts\n#EXT-X-ENDLIST\n"),
    ],
)
def test_playlists_open_nothing(name: str, text: str, tmp_path: Path, write: Callable[..., Path]) -> None:
    write("part.ts")
    path = tmp_path / name
    path.write_text(text)
    # FFmpeg left to itself follows the list, even where only files may be opened.
    with av.open(f"file:{path}", options={"protocol_whitelist": "file"}) as container:
        assert len(container.streams.video) == 1
    assert_refused(path, NotAVideoError, "not a video file")
