from __future__ import annotations

from pathlib import Path, PurePath

import pytest
from folders import files_below, make_videos, results_in, run

from syncnet.errors import UsageError
from syncnet.inputs.shards import Shard, parse_shard, shard_folder, slurm_shard

SLURM = {
    "SLURM_ARRAY_TASK_ID": "3",
    "SLURM_ARRAY_TASK_COUNT": "5",
    "SLURM_ARRAY_TASK_MIN": "0",
    "SLURM_ARRAY_TASK_MAX": "4",
}


def test_the_part_follows_from_the_path_below_the_input() -> None:
    # printf a.mp4 | sha256sum begins with e6d48eabd560bc60, whose remainder by 3 is that of its digits' sum, 133: 1.
    assert [Shard(number, 3).holds(PurePath("a.mp4")) for number in (1, 2, 3)] == [False, True, False]
    # 1c3d5a70fcf20fc6: the digits' sum is 122, so 2.
    assert Shard(3, 3).holds(PurePath("sub/c.mp4"))


def test_every_video_is_in_one_part_and_the_parts_are_alike() -> None:
    shards = [Shard(number, 4) for number in range(1, 5)]
    paths = [PurePath(f"{number}.mp4") for number in range(4000)]
    held = [[shard.number for shard in shards if shard.holds(path)] for path in paths]
    assert all(len(numbers) == 1 for numbers in held)
    sizes = [sum(numbers == [shard.number] for numbers in held) for shard in shards]
    # Six standard deviations of a fair split, sqrt(4000 * 1/4 * 3/4) = 27.4 each.
    assert all(abs(size - 1000) < 165 for size in sizes)


def test_a_name_of_any_bytes_has_its_part() -> None:
    assert sum(Shard(number, 7).holds(PurePath("\udcff.mp4")) for number in range(1, 8)) == 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "1", "a/b", "1/2/3", "-1/4", "", "1.5/4"])
def test_what_cannot_be_meant_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="give I/N, with I from 1 to N"):
        parse_shard(text)


def test_a_slurm_array_counts_from_zero_or_from_one() -> None:
    assert slurm_shard(SLURM) == Shard(4, 5)
    assert slurm_shard({**SLURM, "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "5"}) == Shard(3, 5)


@pytest.mark.parametrize(
    "changed",
    [
        # sbatch --array=3: one task of those that there once were.
        {"SLURM_ARRAY_TASK_COUNT": "1", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_MAX": "3"},
        # sbatch --array=0,3: the same.
        {"SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MAX": "3"},
    ],
)
def test_a_slurm_array_with_gaps_needs_the_number_of_parts(changed: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"does not say how many parts there are: give --shard \$SLURM_ARRAY_TASK_ID"):
        slurm_shard({**SLURM, **changed})


def test_outside_of_slurm_the_numbers_have_to_be_given() -> None:
    with pytest.raises(UsageError, match="needs a Slurm job array"):
        slurm_shard({})


def test_two_splits_do_not_share_a_folder(tmp_path: Path) -> None:
    (tmp_path / "shards" / "2-of-8").mkdir(parents=True)
    (tmp_path / "shards" / "notes").mkdir()
    assert shard_folder(tmp_path, Shard(1, 8)) == tmp_path / "shards" / "1-of-8"
    with pytest.raises(UsageError, match="holds parts of a split into 8, not in 4: give --shard I/8"):
        shard_folder(tmp_path, Shard(1, 4))


@pytest.mark.usefixtures("fake_scoring")
def test_each_part_works_in_a_folder_of_its_own(tmp_path: Path) -> None:
    names = [f"{number}.mp4" for number in range(9)]
    # The output lies within the input: no part may take another one's copies for videos.
    videos = make_videos(tmp_path / "in", *names)
    out = videos / "out"
    for number in (1, 2, 3):
        assert run(videos, out, "--shard", f"{number}/3", "--recursive", "--score_cache", "off") == 0
    placed = [files_below(out / "shards" / f"{number}-of-3" / "good_quality") for number in (1, 2, 3)]
    assert sorted(name for files in placed for name in files) == names
    for number, files in enumerate(placed, 1):
        document = results_in(out / "shards" / f"{number}-of-3")
        assert [Path(entry["video_path"]).name for entry in document["results"]] == files
        assert document["total_videos"] == len(files)
    assert not (out / "good_quality").exists()


@pytest.mark.usefixtures("fake_scoring")
def test_a_slurm_task_takes_its_part_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    videos = make_videos(tmp_path / "in", "a.mp4")
    assert run(videos, tmp_path / "out", "--shard") == 0
    assert (tmp_path / "out" / "shards" / "4-of-5").is_dir()
    # Without the flag a job array is none of the tool's business.
    assert run(videos, tmp_path / "all") == 0
    assert files_below(tmp_path / "all" / "good_quality") == ["a.mp4"]


@pytest.mark.usefixtures("fake_scoring")
def test_the_input_itself_is_no_place_for_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", "a.mp4")
    assert run(videos, videos, "--shard", "1/2") == 2
    assert "--input_dir and --output_dir are the same folder" in capsys.readouterr().err
