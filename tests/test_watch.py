from __future__ import annotations

import time
from pathlib import Path, PurePath

from syncnet.engines.watch import Watch
from syncnet.inputs.discovery import VideoFile


def video(name: str) -> VideoFile:
    return VideoFile(Path("in") / name, PurePath(name), 7)


def test_the_watch_tells_each_hanging_video_once() -> None:
    watch = Watch(0.0, grace_seconds=0.0)
    with watch.scoring(video("a.mp4")):
        time.sleep(0.01)
        assert {item.path.name for item in watch.take_hung()} == {"a.mp4"}
        assert watch.take_hung() == []
    with watch.scoring(video("b.mp4")):
        pass
    time.sleep(0.01)
    assert watch.take_hung() == []


def test_the_watch_lets_a_video_have_its_time() -> None:
    watch = Watch(1000.0)
    with watch.scoring(video("a.mp4")):
        assert watch.take_hung() == []
