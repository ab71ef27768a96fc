"""Every item of the course notes has a home: the headings, links and cards that notebooks/notes-inventory.csv names stand."""

import csv
import re

import pytest

from gancourse.classroom import notebooks

COLUMNS = ["kind", "text", "version", "chapter", "heading", "note"]
KINDS = {"section", "claim", "mistake", "formula", "table", "figure", "question", "example", "link", "word"}
ADDRESS = re.compile(r"https?://[^\s)>|,;]+")
# How a chapter introduces something wrong that its reader will meet elsewhere.
NAMED_AS_WRONG = re.compile(
    r"You (may|will) (read|find|see)|\bslips?\b|correction|often listed|leaves the", re.I
)


def inventory() -> list[dict]:
    with (notebooks.folder() / "notes-inventory.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sections(notebook: dict) -> list[tuple[str, str, bool]]:
    """Each heading with its text, its subsections included, and whether a picture is drawn there.

    `### Predict` interrupts a section for a guess and begins none.
    """
    found = []  # [level, heading, text, picture]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for line in cell["source"].splitlines():
                match = re.match(r"(#+) (.+)", line)
                if match and match[2] != "Predict":
                    for section in found:
                        section[0] = 0 if section[0] >= len(match[1]) else section[0]  # 0: it has ended
                    found.append([len(match[1]), match[2].strip(), "", False])
                else:
                    for section in found:
                        section[2] += f"{line}\n" if section[0] else ""
        elif any(kind.startswith("image/") for output in cell["outputs"] for kind in output.get("data", ())):
            for section in found:
                section[3] |= section[0] > 0
    return [(heading, text, picture) for _, heading, text, picture in found]


def complaint(row: dict, chapter: list[tuple[str, str, bool]]) -> str | None:
    """What is wrong with one row, given the sections of its chapter; None if it holds."""
    kind, note = row["kind"], row["note"]
    homes = [section for section in chapter if section[0] == row["heading"]]
    if len(homes) != 1:
        return f"{len(homes)} headings {row['heading']!r}"
    _, text, picture = homes[0]
    if kind == "link":
        address = ADDRESS.search(row["text"])[0]
        other = ADDRESS.search(note)
        if not note.startswith(("kept", "replaced by ", "dropped: ")):
            return f"neither kept, replaced nor dropped: {note!r}"
        if note.startswith("kept") and (other[0] if other else address) not in ADDRESS.findall(text):
            return "a link that is said to be kept doesn't stand there"
        if note.startswith("replaced") and other and other[0] not in ADDRESS.findall(text):
            return "what is said to replace a link doesn't stand there"
        if note.startswith("dropped") and any(address in part for _, part, _ in chapter):
            return "a link that is said to be dropped stands there"
    if (
        kind == "figure"
        and not note.startswith("lost; ")
        and not (note.startswith("drawn anew: ") and picture)
    ):
        return "a picture neither drawn anew there nor said to be lost"
    if kind == "mistake" and not (note and NAMED_AS_WRONG.search(text)):
        return "a mistake without its correction, or that the chapter doesn't call one"
    if kind == "question" and row["heading"] == "Self-check":
        number = re.fullmatch(r"question (\d+)", note)
        if not number or f"**{number[1]}. " not in text:
            return f"no such question in the self-check: {note!r}"
    return None


@pytest.fixture(scope="module")
def chapters() -> dict[str, list[tuple[str, str, bool]]]:
    return {path.name[:2]: sections(notebooks.read(path)) for path in notebooks.solutions()}


def test_rows_are_well_formed():
    rows = inventory()
    assert list(rows[0]) == COLUMNS
    assert {row["kind"] for row in rows} == KINDS
    assert {row["version"] for row in rows} == {"v1", "v2", "both"}
    assert all(row["text"].strip() and row["heading"].strip() and None not in row for row in rows)
    names = [(row["kind"], row["text"]) for row in rows]
    assert sorted(names) == sorted(set(names))


def test_every_chapter_takes_something_up(chapters):
    assert {row["chapter"] for row in inventory()} == set(chapters)


def test_every_row_leads_to_what_it_says(chapters):
    complaints = {
        f"{row['kind']}: {row['text']}": complaint(row, chapters.get(row["chapter"], []))
        for row in inventory()
    }
    assert {item: wrong for item, wrong in complaints.items() if wrong} == {}


def test_words_of_the_notes_are_the_cards_of_chapter_00(chapters):
    glossary = next(text for heading, text, _ in chapters["00"] if heading == "Appendix A: Glossary")
    words = [row["text"] for row in inventory() if row["kind"] == "word"]
    assert words == re.findall(r"<summary>(.+?)</summary>", glossary)


def test_links_that_chapters_ascribe_to_the_notes_are_in_the_inventory(chapters):
    known = set(ADDRESS.findall(" ".join(f"{row['text']} {row['note']}" for row in inventory())))
    seen = 0
    for sections_of_one in chapters.values():
        sources = next((text for heading, text, _ in sections_of_one if heading == "Sources"), "")
        about = re.split(r"[Ll]inks of the notes|[Nn]otes' links|From the notes", sources)[1:]
        for line in "".join(about).splitlines():
            addresses = set(ADDRESS.findall(line))
            seen += bool(addresses)
            assert not addresses or addresses & known, line
    assert seen >= 15


CHAPTER = [
    ("Part", "You may read X. [a](https://example.org/a)\n", False),
    ("Self-check", "**1. Why?**\n", False),
]


@pytest.mark.parametrize(
    "row",
    [
        {"kind": "claim", "heading": "Another part"},
        {"kind": "link", "heading": "Part", "text": "B: https://example.org/b", "note": "kept"},
        {"kind": "link", "heading": "Part", "text": "A: https://example.org/a", "note": "dropped: gone"},
        {"kind": "link", "heading": "Part", "text": "A: https://example.org/a", "note": ""},
        {
            "kind": "link",
            "heading": "Part",
            "text": "A: https://example.org/a",
            "note": "replaced by https://example.org/c",
        },
        {"kind": "figure", "heading": "Part", "note": "drawn anew: a line"},
        {"kind": "mistake", "heading": "Part"},
        {"kind": "mistake", "heading": "Self-check", "note": "Y"},
        {"kind": "question", "heading": "Self-check", "note": "question 2"},
    ],
)
def test_a_row_that_leads_nowhere_is_found(row):
    assert complaint({"text": "", "note": ""} | row, CHAPTER)


def test_a_heading_that_stands_twice_is_no_place():
    assert complaint({"kind": "claim", "text": "", "heading": "Part", "note": ""}, CHAPTER + CHAPTER[:1])
