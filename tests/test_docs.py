"""README and docs against the tool: options, defaults, commands, quoted output, links and code."""

from __future__ import annotations

import ast
import glob
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from doc_pages import FENCE, PAGES, REPOSITORY, Said, all_commands, commands_and_output, text_of
from folders import make_videos, run

from docs.make_options import PARSERS, make_page
from syncnet import command
from syncnet.cli.request import parse_request
from weights import __main__ as weights_command

RUN = "run here"
FLAGS_EXIST = "its module and its flags are looked for here: it takes minutes or hours, or clips that are not at hand"
TARGET_EXISTS = "its target is looked for here: these are the commands that every change is checked with"
HOW_TESTED = {
    r"python filter_videos\S+ rejudge .*--passing good\.parquet": "tests/test_list_tables.py",
    r"make demo": RUN,
    r"(PYTHON=\S+ )?make (test|check|model|demo).*": TARGET_EXISTS,
    r"python filter_videos\S+ --input_dir (my_videos|samples) --output_dir (sorted|curated|quick) .*--preset.*": RUN,
    r"python filter_videos\S+ (samples|my_videos)/\w+\.mp4( --json)?": RUN,
    r"python filter_videos\S+ report .*": RUN,
    r"python filter_videos\S+ export .*--cut .*": "tests/test_cuts.py",
    r"python filter_videos\S+ export .*": "tests/test_export.py",
    r"python filter_videos\S+ .*--cut passing.*": "tests/test_cut_rescored.py",
    r"python filter_videos\S+ --input_dir uploads .* --preset medium": "tests/test_over_time_files.py",
    r"python filter_videos\S+ rejudge .*": RUN,
    r"python filter_videos\S+ evaluate .*": "tests/test_evaluate.py",
    r"python filter_videos\S+ .*--decisions .*": "tests/test_decided_runs.py",
    r"python filter_videos\S+ repair curated .*": RUN,
    r"python filter_videos\S+ repair sorted .*": "tests/test_repair_command.py",
    r"python filter_videos\S+ --input_dir cured/repaired .*": RUN,
    r"python filter_videos\S+ --calibrate FOLDER_THAT_IS_IN_SYNC": RUN,
    r"python filter_videos\S+ --input_dir videos .*--shard 3/16": RUN,
    r"python filter_videos\S+ merge sorted/shards/\* .*": RUN,
    r"python -m weights": RUN,
    r"python -m weights (check|fetch).*": "tests/test_weights_command.py",
    r"python filter_videos\S+ --input_manifest .*": "tests/test_input_manifest.py",
    r"python filter_videos\S+ .*--visualize all": "tests/test_looks.py",
    r".* --shard --max_workers .*|.*merge /shared/sorted/shards/\* .*": "tests/test_shards.py",
    r"python filter_videos\S+ .*--engine ray .*": "tests/test_ray.py",
    r"\*/10 .*--cron .*": "tests/test_cron.py",
    r"python filter_videos\S+ .*--detector yunet": "tests/test_detectors.py",
    r"python filter_videos\S+ .*--weights_dir models --offline": "tests/test_weights_folder.py",
    r"python (-m (benchmarks|training|docs)\.|benchmarks/|samples/).*": FLAGS_EXIST,
    r"python examples/.*": FLAGS_EXIST,
    r"python -c .*torch.*": "not run: it asks PyTorch only",
    r"python -c .*pandas.*": "not run: pandas is no requirement of the tool, nor of its tests",
    r"python -c .*json.loads.*": "run here, on a log of its own",
    r"pip .*": "not run: it changes the environment",
    r"ffmpeg .*": "not run: the program is no requirement. Tried with both signs, offsets were 0 afterwards",
}
"""Command -> how it is known to be right, for every command in the pages."""

MOST_COLUMNS = 120

FOREIGN_FLAGS = {
    "--job-name": "Slurm", "--array": "Slurm", "--cpus-per-task": "Slurm", "--mem": "Slurm", "--time": "Slurm",
    "--requeue": "Slurm", "--signal": "Slurm", "--head": "ray start", "--port": "ray start", "--address": "ray start",
    "--no-deps": "pip", "--input-dir": "the other spelling, as an example",
}  # fmt: skip
"""Flags in the pages that are no flags of this project -> whose they are."""


def how_tested(text: str) -> str:
    """Empty where nothing is known."""
    return next((how for pattern, how in HOW_TESTED.items() if re.fullmatch(pattern, text)), "")


def test_options_page_is_what_the_parsers_say() -> None:
    assert make_page() == text_of("docs/options.md"), "run: python -m docs.make_options > docs/options.md"


def test_no_page_names_a_flag_that_does_not_exist() -> None:
    sources = "\n".join(path.read_text() for path in REPOSITORY.glob("[bestw]*/*.py"))
    sources += "\n".join(path.read_text() for path in REPOSITORY.glob("training/**/*.py"))
    known = {flag for parser in PARSERS.values() for flag in parser._option_string_actions}  # ours, in full
    known |= set(re.findall(r'add_argument\(\s*"(--\w+)"', sources))
    unknown = {
        f"{page}: {flag}"
        for page in PAGES
        for flag in re.findall(r"(?<![\w/-])--[a-z][\w-]*", text_of(page))
        if flag not in known and flag not in FOREIGN_FLAGS
    }
    assert unknown == set()


def test_defaults_in_the_readme_are_those_of_the_command() -> None:
    request = parse_request(["--input_dir", "a", "--output_dir", "b"])
    defaults = {
        "--preset": request.preset or "none",
        "--min_confidence": request.settings.thresholds.min_confidence,
        "--max_abs_offset": request.settings.thresholds.max_abs_offset,
        "--keep_all": "on" if request.keep_all else "off",
        "--cut": request.cuts.cut,
        "--decisions": request.options.decisions or "none",
        "--place": request.options.place,
        "--recursive": "on" if request.recursive else "off",
        "--min_face_size": request.settings.tracks.min_face_px,
        "--min_track": request.settings.tracks.min_track_frames,
        "--max_workers": request.max_workers,
        "--model": request.settings.model,
        "--detector": request.settings.detector,
        "--device": request.settings.device,
        "--repair": "on" if request.repair.repair else "off",
        "--limit": request.options.limit or "none",
        "--visualize": request.looks.visualize,
        "--calibrate": "on" if request.calibrate else "none",
        "--cron": "on" if request.options.cron else "off",
    }
    told: dict[str, str] = {}
    for flags, values in re.findall(r"^\| (`--.*?) \| (.*?) \|", text_of("README.md"), re.MULTILINE):
        names = re.findall(r"--\w+", flags)
        shown = values.split(", ")
        told |= dict(zip(names, shown * (len(names) if len(shown) == 1 else 1), strict=True))
    assert told == {flag: str(value) for flag, value in defaults.items()}


def test_every_command_has_its_proof_and_no_proof_is_left_over() -> None:
    unproven = [text for text in all_commands() if not how_tested(text)]
    assert unproven == [], "say in HOW_TESTED how they are known to work"
    used = {how_tested(text) for text in all_commands()}
    assert {how for how in used if how.startswith("tests/") and not (REPOSITORY / how).is_file()} == set()
    stale = [pattern for pattern in HOW_TESTED if not any(re.fullmatch(pattern, text) for text in all_commands())]
    assert stale == []


@pytest.mark.parametrize("text", [text for text in all_commands() if how_tested(text) is FLAGS_EXIST])
def test_modules_of_long_commands_exist_and_take_their_flags(text: str) -> None:
    words = text.split()
    module = words[2].replace(".", "/") + ".py" if words[1] == "-m" else words[1]
    source = (REPOSITORY / module).read_text()
    flags = re.findall(r"--\w+", text)
    # Some take their flags from a module that they share.
    shared = "\n".join(path.read_text() for path in (REPOSITORY / module).parent.glob("*.py"))
    assert [flag for flag in flags if f'"{flag}"' not in source + shared] == []


@pytest.mark.parametrize("text", [text for text in all_commands() if how_tested(text) is TARGET_EXISTS])
def test_targets_of_make_exist(text: str) -> None:
    target = text.split("make ")[1].split(maxsplit=1)[0]
    assert re.search(rf"^{target}:", text_of("Makefile"), re.MULTILINE)


def as_typed(text: str) -> list[str]:
    """The words after the name of the program, stars expanded as a shell does."""
    if text == "make demo":
        recipe = re.search(r"VENV_PYTHON\) filter_videos_by_sync_score.py (.*?);", text_of("Makefile"))
        assert recipe
        return shlex.split(recipe[1])
    words = shlex.split(text)[2:]
    return [name for word in words for name in (sorted(glob.glob(word)) if "*" in word else [word])]


def comparable(text: str) -> list[str]:
    """Lines without what differs from run to run: times, and scores that an earlier command had left in the cache."""
    text = re.sub(r" in (\d+ h )?(\d+ min )?[\d.]+ s\b", " in N s", text)
    text = re.sub(r"This run: \d+ scored(, \d+ scored earlier for another folder)?", "This run: N scored", text)
    return [line for line in text.splitlines() if line.strip()]


def folder_of_a_reader(tmp_path: Path, page: str) -> Path:
    """Where the names that the page's commands use mean the samples; the report is that of the README's run."""
    folder = tmp_path / Path(page).with_suffix("")
    folder.mkdir(parents=True)
    for name in ("samples", "my_videos", "videos", "FOLDER_THAT_IS_IN_SYNC"):
        (folder / name).symlink_to(REPOSITORY / "samples")
    if page == "docs/report.md":
        (folder / "sorted").symlink_to(tmp_path / "README" / "sorted")
    return folder


@pytest.mark.slow
def test_commands_run_and_say_what_the_pages_quote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In their order, a folder for each page: the videos are scored by the first one, then found again."""
    done: list[str] = []
    quoted = 0
    for page in ("README.md", *(page for page in PAGES if page != "README.md")):
        said = ""
        monkeypatch.chdir(folder_of_a_reader(tmp_path, page))
        for item in commands_and_output(page):
            if isinstance(item, Said):
                rest = iter(comparable(said))
                assert [line for line in comparable(item.text) if line not in rest] == [], f"{page} after {done[-1]}"
                quoted += 1
            elif how_tested(item) is RUN and item not in done:
                if "--montage" in item:
                    pytest.importorskip("matplotlib")
                main = weights_command.main if "-m weights" in item else command.main
                # Among the samples are two that fail.
                words = as_typed(item)[1:] if "-m weights" in item else as_typed(item)
                assert main(words) in (0, 1), f"{item}: {capsys.readouterr().err}"
                said = capsys.readouterr().out
                done.append(item)
    assert quoted >= 5
    assert len(done) >= 10


def test_the_line_that_reads_a_log_names_the_failed_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_scoring: None
) -> None:
    (line,) = [text for text in all_commands() if "json.loads" in text]
    videos = make_videos(tmp_path / "in", "damaged.mp4", "good.mp4", "damaged too.mp4")
    assert run(videos, tmp_path / "out", "--log_file", str(tmp_path / "log"), "--log_format", "json") == 1
    said = subprocess.run(
        [sys.executable, *shlex.split(line)[1:]], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert sorted(said.stdout.splitlines()) == ["damaged too.mp4", "damaged.mp4"]


def test_every_module_has_its_place_in_the_architecture() -> None:
    """The first column names files; where a name has no folder, it is that of the name before it."""
    known: list[str] = []
    for cell in re.findall(r"^\| (.*?) \|", text_of("docs/architecture.md"), re.MULTILINE):
        folder = ""
        for name in re.findall(r"`([^`]+)`", cell):
            folder = name.rpartition("/")[0] if "/" in name else folder
            known.append(name if "/" in name else f"{folder}/{name}")
    modules = [path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("syncnet/**/*.py")]
    homeless = [
        module
        for module in modules
        if not any(fnmatch(module, name) or (name.endswith("/") and module.startswith(name)) for name in known)
    ]
    assert homeless == ["syncnet/__init__.py"]


@pytest.mark.parametrize("page", PAGES)
def test_links_and_named_files_are_there(page: str) -> None:
    text = text_of(page)
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    named = re.findall(
        r"\b(?:tests|docs|syncnet|training|benchmarks|weights|detectors|samples)/[\w/]+\.(?:py|md|js)\b", text
    )
    folder = (REPOSITORY / page).parent
    missing = [link for link in links if not (folder / link).exists()]
    missing += [name for name in named if not (REPOSITORY / name).exists() and not (folder / name).exists()]
    assert missing == []


def test_the_page_of_documents_leads_to_every_page() -> None:
    folder = REPOSITORY / "docs"
    links = re.findall(r"\]\(([^)#]+)", text_of("docs/README.md"))
    led_to = {(folder / link).resolve().relative_to(REPOSITORY).as_posix() for link in links}
    assert [page for page in PAGES if page not in led_to | {"docs/README.md"}] == []
    assert "](docs/README.md)" in text_of("README.md")


@pytest.mark.parametrize("page", PAGES)
def test_links_to_a_section_find_it(page: str) -> None:
    folder = (REPOSITORY / page).parent
    links = [link for link in re.findall(r"\]\(([^)\s]*#[^)\s]+)\)", text_of(page)) if "://" not in link]
    broken = []
    for link in links:
        target, _, section = link.partition("#")
        text = FENCE.sub("", (folder / target).read_text() if target else text_of(page))
        if section not in {anchor_of(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}:
            broken.append(link)
    assert broken == []


def anchor_of(heading: str) -> str:
    """The name that GitHub gives a heading: lower case, punctuation left out, spaces as dashes."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_two_versions_of_itself(page: str) -> None:
    assert not re.search(r"^(<<<<<<<|>>>>>>>) ", text_of(page), re.MULTILINE)


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_lines_of_prose_are_short(page: str) -> None:
    """Tables, fences, quoted output and lines with an address cannot be broken."""
    lines = FENCE.sub("", text_of(page)).splitlines()
    prose = [line for line in lines if not line.lstrip().startswith(("|", ">")) and "://" not in line]
    assert [line for line in prose if len(line) >= MOST_COLUMNS] == []


@pytest.mark.parametrize("page", [page for page in PAGES if "```python" in text_of(page)])
def test_python_in_the_pages_compiles(page: str) -> None:
    for fence in FENCE.finditer(text_of(page)):
        if fence[1] == "python":
            ast.parse(fence[2])
