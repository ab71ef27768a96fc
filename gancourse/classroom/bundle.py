"""What an instructor hands out: the students' notebooks, a README, the points, and a zip of it all. No answer is in it."""

import zipfile
from pathlib import Path

from gancourse.classroom import cells as roles
from gancourse.classroom import colab, notebooks
from gancourse.classroom.feedback import title_of
from gancourse.classroom.intake import exercises_of
from gancourse.classroom.release import released

NAME = "gancourse"
_STAMP = (2000, 1, 1, 0, 0, 0)  # the same notebooks give the same zip, to the byte


def write_bundle(out: Path, chapters: tuple[str, ...] = ()) -> list[Path]:
    """Write out/gancourse (the students' notebooks of these chapters, all by default, and README.md) and out/gancourse.zip.

    The notebooks are made from the solutions, as they are now. Files of an earlier bundle in the way are replaced, others
    are an error: nothing that was laid there by hand is handed out. Returns the files, the zip last.
    """
    paths = notebooks.solutions(chapters)
    if not paths:
        raise ValueError(f"there are no solved notebooks in {notebooks.folder()}: release from a checkout")
    files = {path.name: _student(path) for path in paths} | {"README.md": readme(paths)}
    folder = Path(out) / NAME
    if strange := sorted(p.name for p in folder.glob("*") if p.name not in files and not _ours(p)):
        raise ValueError(f"out: {folder} holds what is not of this course: {', '.join(strange)}")
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*"):
        path.unlink()
    for name, text in files.items():
        notebooks.write(folder / name, text)
    archive = Path(out) / f"{NAME}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{NAME}/{name}", _STAMP)
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    return [*(folder / name for name in sorted(files)), archive]


def points_of(solution: dict) -> list[tuple[str, str, float]]:
    """(exercise, what it asks for, points) of a chapter, written answers included, in the notebook's order."""
    records = {roles.answer_id(record): record for record in exercises_of(solution)}
    found: list[tuple[str, str, float]] = []
    for cell in solution["cells"]:
        if cell["id"] in records:
            record = records[cell["id"]]
            found.append((record.id, f"`{record.name}`", record.points))
        elif roles.is_free_text(cell):
            nbgrader = cell["metadata"]["nbgrader"]
            found.append(
                (nbgrader["grade_id"], "in words, read by your instructor", nbgrader.get("points", 0))
            )
    return found


def readme(paths: list[Path]) -> str:
    """The bundle's README: how to start, how to hand in, what earns how many points."""
    lines = [_HOW.replace("INSTALL", _install())]
    total, overview, table = 0.0, [], ["| exercise | asks for | points |", "|---|---|---:|"]
    for path in paths:
        solution = notebooks.read(path)
        asked = points_of(solution)
        title = title_of(path.stem)
        points = sum(p for *_, p in asked)
        total += points
        overview.append(f"| [{title}]({path.name}) | {len(asked)} | {points:g} |")
        table += [f"| {id} | {what} | {points:g} |" for id, what, points in asked]
    lines += ["## Points", "", "| chapter | exercises | points |", "|---|---:|---:|", *overview]
    lines += [f"| all | | {total:g} |", "", *table, ""]
    return "\n".join(lines)


def _student(path: Path) -> str:
    return notebooks.text(released(notebooks.normalised(notebooks.read(path)), path.name))


def _ours(path: Path) -> bool:
    names = {p.name for p in notebooks.solutions()} | {"README.md"}
    return path.is_file() and not path.is_symlink() and path.name in names


def _install() -> str:
    repository = colab.repository(notebooks.folder().parent)
    if repository:
        return f'.venv/bin/pip install "gancourse[lab] @ {repository}/archive/refs/heads/main.zip"'
    return '.venv/bin/pip install "gancourse[lab]"   # your instructor says from where'


_HOW = """\
# Understanding and evaluating GANs: your notebooks

## Start

You need Python 3.11, 3.12 or 3.13, 4 GiB of memory and some room on the disk for PyTorch. In a terminal, in this folder:

```sh
python -m venv .venv
.venv/bin/pip install --upgrade pip     # on Windows: .venv\\Scripts\\pip
INSTALL
.venv/bin/gancourse doctor              # says what is missing, and what to do about it
.venv/bin/jupyter lab
```

On Linux without a graphics card, put `PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu` in front of the third
line: it spares you gigabytes.

The data (Fashion-MNIST, the trained models) comes with the package: nothing more has to be downloaded, and the
notebooks run without the internet. `gancourse doctor` checks that it is whole.

## Work

Open a chapter and run it from top to bottom; it runs as it is. Under each exercise is a cell with a function to write and
one with `check(...)`, which tells you at once how far you are. Write in the answer cells. You may add cells of your own,
a helper function say. Please leave the cells of the course where they are: do not delete, split or copy an answer cell.

## Hand in

Save the notebook under the name that it has here and hand in that file. Answers are tried on inputs that are not those of
the check, so write functions that do what their docstring says. Outputs do not matter, nor do the cells of the course:
only your answers and your own cells are read.
"""
