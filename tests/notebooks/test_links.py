"""Links from one solution notebook to another lead to a file that exists."""

import re
from pathlib import Path

import pytest

from gancourse.classroom import notebooks

SOLUTIONS = notebooks.solutions()
# A target in parentheses, in angle brackets or as href, with or without an anchor; no scheme such as https.
LINK = re.compile(r"""(?:\]\(<?|href=["'])(?![a-z]+:)([^)\s"'>#]+\.ipynb)(?:#[^)\s"'>]*)?""")


def links(notebook: dict) -> list[str]:
    """Every relative link to a notebook in the Markdown cells."""
    return [
        target
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
        for target in LINK.findall(cell["source"])
    ]


def broken(notebook: dict, folder: Path) -> list[str]:
    """The links that point to no file of the folder, or out of it."""
    return [
        target
        for target in links(notebook)
        if (folder / target).resolve().parent != folder.resolve() or not (folder / target).is_file()
    ]


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_links_between_chapters_lead_somewhere(path):
    assert broken(notebooks.read(path), path.parent) == []


def test_the_course_map_leads_to_every_chapter():
    start = next(path for path in SOLUTIONS if path.stem.startswith("00_"))
    others = {path.name for path in SOLUTIONS} - {start.name}
    assert others <= set(links(notebooks.read(start)))


@pytest.mark.parametrize(
    "source",
    [
        "[a](missing.ipynb)",
        "[a](missing.ipynb#4-Part)",
        "[a](<missing.ipynb>)",
        '<a href="missing.ipynb">a</a>',
    ],
)
def test_a_link_to_a_missing_notebook_is_found(source, tmp_path):
    notebook = {"cells": [{"cell_type": "markdown", "source": source}]}
    assert broken(notebook, tmp_path) == ["missing.ipynb"]
    (tmp_path / "missing.ipynb").touch()
    assert broken(notebook, tmp_path) == []


def test_links_to_the_web_are_left_alone(tmp_path):
    notebook = {"cells": [{"cell_type": "markdown", "source": "[a](https://example.org/a.ipynb)"}]}
    assert broken(notebook, tmp_path) == []
