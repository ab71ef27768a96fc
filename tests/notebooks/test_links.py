"""Links from one solution notebook to another, and references by number, lead to something that exists."""

import re
from pathlib import Path

import pytest

from gancourse.classroom import notebooks

SOLUTIONS = notebooks.solutions()
# A target in parentheses, in angle brackets or as href, with or without an anchor; no scheme such as https.
LINK = re.compile(r"""(?:\]\(<?|href=["'])(?![a-z]+:)([^)\s"'>#]+\.ipynb)(?:#[^)\s"'>]*)?""")
# "section 4" means this chapter's, unless a chapter stands before it; sections of papers and of the notes are others.
ELSEWHERE = re.compile(r"(, table| of (the|their|its) (course )?(notes|paper))", re.S)
OF_CHAPTER = re.compile(r"[Cc]hapter (?:\[(\d\d)\]\([^)]*\)|(\d\d)),?\s+$")


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


def headings(path) -> set[str]:
    text = "\n".join(c["source"] for c in notebooks.read(path)["cells"] if c["cell_type"] == "markdown")
    return set(re.findall(r"^## (\d+)\. ", text, re.M))


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_references_to_chapters_and_sections_lead_somewhere(path):
    by_number = {other.name[:2]: other for other in SOLUTIONS}
    for cell in notebooks.read(path)["cells"]:
        if cell["cell_type"] != "markdown" or cell["id"] in ("title", "sources", "links-of-the-notes"):
            continue
        source = cell["source"]
        for number in re.findall(r"[Cc]hapters? (\d\d)\b", source):
            assert number in by_number, f"{cell['id']}: chapter {number}"
        for match in re.finditer(r"\b[Ss]ection (\d+)(?!\.?\d)", source):
            if not ELSEWHERE.match(source, match.end()):
                other = OF_CHAPTER.search(source[: match.start()])
                there = by_number[other[1] or other[2]] if other else path
                assert match[1] in headings(there), f"{cell['id']}: section {match[1]} of {there.stem}"
