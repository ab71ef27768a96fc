"""What is handed out holds everything that a student needs, and nothing that gives an answer away."""

import inspect
import json
import re
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from gancourse.classroom import bundle, notebooks
from gancourse.cli import main
from gancourse.exercises import chapters, of_chapter


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    done = CliRunner().invoke(main, ["release", "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize(
    "words", [["02", "03"], ["--chapter", "02", "--chapters", "03"], ["02", "--chapter", "03"]]
)
def test_some_chapters_only(tmp_path, words):
    done = CliRunner().invoke(main, ["release", *words, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / bundle.NAME).rglob("*")}
    assert names == {path.name for path in notebooks.solutions(("02", "03"))} | {"README.md"}


def files(out: Path) -> dict[str, str]:
    """Every file of the bundle and of its zip, as text; of a notebook the sources."""
    found = {path.name: path.read_text(encoding="utf-8") for path in (out / bundle.NAME).rglob("*")}
    with zipfile.ZipFile(out / f"{bundle.NAME}.zip") as zipped:
        for name in zipped.namelist():
            found[f"zip/{name.removeprefix(f'{bundle.NAME}/')}"] = zipped.read(name).decode()
    return found


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def whole(out: Path) -> str:
    """All words of the bundle in a row, whatever the notebooks' format does to lines; hints, which may show a line, left out."""
    told = []
    for text in files(out).values():
        if text.startswith("{"):
            text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
        told.append(re.sub(r"<details><summary>\w+ hint</summary>.*?</details>", "", text, flags=re.S))
    return squeezed("\n".join(told))


def passages(code: str) -> list[str]:
    """What gives code away: its lines two by two, without docstrings and comments; one alone where it is the only one."""
    code = re.sub(r'""".*?"""', "", code, flags=re.S)
    lines = [line.strip() for line in code.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", "@", "def ", "class "))]
    pairs = [squeezed(" ".join(pair)) for pair in pairwise(lines)] or lines
    return [pair for pair in pairs if len(pair) > 24]


def test_it_is_the_notebooks_and_a_readme(out):
    names = {path.name for path in notebooks.solutions()} | {"README.md"}
    assert {path.name for path in (out / bundle.NAME).rglob("*")} == names
    assert files(out).keys() == names | {f"zip/{name}" for name in names}
    for name in names:
        assert files(out)[name] == files(out)[f"zip/{name}"]


def test_no_solution_and_no_output_is_handed_out(out):
    handed_out = whole(out)
    regions = 0
    for path in notebooks.solutions():
        for cell in notebooks.read(path)["cells"]:
            for region in re.findall(
                r"### BEGIN SOLUTION.*?\n(.*?)\n[^\n]*### END SOLUTION", cell["source"], re.S
            ):
                regions += 1
                assert not [p for p in passages(region) if p in handed_out], cell["id"]
    assert regions >= sum(len(of_chapter(number)) for number in chapters())
    for name, text in files(out).items():
        if name.endswith(".ipynb"):
            code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
            assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert "BEGIN SOLUTION" not in handed_out


@pytest.mark.parametrize("number", chapters())
def test_no_record_of_the_package_is_handed_out(out, number):
    handed_out = whole(out)
    for record in of_chapter(number):
        for part in (record.oracle, record.cases, *(mistake.answer for mistake in record.mistakes)):
            found = [p for p in passages(inspect.getsource(part)) if p in handed_out]
            assert not found, (record.id, found)
        told = [mistake.message for mistake in record.mistakes if squeezed(mistake.message) in handed_out]
        assert not told, (record.id, told)


def test_the_readme_tells_the_points(out):
    readme = files(out)["README.md"]
    for number in chapters():
        for record in of_chapter(number):
            assert f"| {record.id} | `{record.name}` | {record.points} |" in readme
    total = re.search(r"\| all \| \| (\d+) \|", readme)
    rows = re.findall(r"\| \[[^\]]+\]\((\S+)\) \| \d+ \| (\d+) \|", readme)
    assert total and sum(int(points) for _, points in rows) == int(total[1])
    assert [name for name, _ in rows] == [path.name for path in notebooks.solutions()]


def test_the_same_notebooks_give_the_same_zip(tmp_path):
    for folder in ("a", "b", "b"):
        bundle.write_bundle(tmp_path / folder, ("02",))
    first, second = ((tmp_path / name / "gancourse.zip").read_bytes() for name in "ab")
    assert first == second
    assert {p.name for p in (tmp_path / "a" / bundle.NAME).iterdir()} == {"02_covariance.ipynb", "README.md"}


def test_what_was_laid_there_by_hand_is_not_handed_out(tmp_path):
    bundle.write_bundle(tmp_path, ("02",))
    (tmp_path / bundle.NAME / "answers.py").touch()
    with pytest.raises(ValueError, match=r"holds what is not of this course: answers\.py"):
        bundle.write_bundle(tmp_path, ("02",))


def test_an_answer_without_its_markers_is_never_handed_out(tmp_path, monkeypatch):
    notebook = notebooks.read(notebooks.solutions(("02",))[0])
    for cell in notebook["cells"]:
        cell["source"] = re.sub(r".*### (BEGIN|END) SOLUTION.*\n?", "", cell["source"])
    (tmp_path / "solutions").mkdir()
    notebooks.write(tmp_path / "solutions" / "02_covariance.ipynb", notebook)
    monkeypatch.setattr(notebooks, "folder", lambda: tmp_path)
    with pytest.raises(ValueError, match="would be handed out solved"):
        bundle.write_bundle(tmp_path / "dist")
    assert not (tmp_path / "dist").exists()
