"""A chapter's words are linked where they are first used: to the table at its end, with the meaning to hover over."""

import re

import pytest

from gancourse.classroom import notebooks

LINK = re.compile(r'\[([^\]]+)\]\(#Words(?: "([^"]*)")?\)')
CHAPTERS = [path for path in notebooks.solutions() if not path.name.startswith("00")]


def table(notebook: dict) -> dict[str, str]:
    """Word -> meaning, as the chapter's table `## Words` has them."""
    cell = next(c["source"] for c in notebook["cells"] if c["source"].startswith("## Words\n"))
    rows = [line.strip("|").split("|", 1) for line in cell.splitlines() if line.startswith("|")][2:]
    return {word.strip(): meaning.strip() for word, meaning in rows}


def title(meaning: str) -> str | None:
    """The meaning as a link's title, which shows no formulas: None where there is one."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", meaning).replace("*", "").replace('"', "'")
    return None if re.search(r"[$`\\]", plain) else plain


def forms(entry: str) -> set[str]:
    """What an entry such as "KL divergence, relative entropy" may be called in a sentence."""
    parts = re.sub(r"\(.*?\)", "", entry).split(",")
    return {re.sub(r"[\s-]+", " ", part).strip().lower() for part in parts}


def faults(notebook: dict) -> list[str]:
    words, linked, found = table(notebook), [], []
    for cell in notebook["cells"]:
        for text, shown in LINK.findall(cell["source"] if cell["cell_type"] == "markdown" else ""):
            used = re.sub(r"[\s-]+", " ", text).lower()
            names = [w for w in words if forms(w) & {used, used.removesuffix("s"), used.removesuffix("es")}]
            if not names:
                found.append(f"[{text}] is no word of the table")
            elif not {shown} <= {title(words[name]) or "" for name in names}:
                found.append(f"[{text}]: expected the title {title(words[names[0]])!r}, got {shown!r}")
            linked.append(names[0] if names else text)
    found += [
        f"{word} is linked {linked.count(word)} times" for word in set(linked) if linked.count(word) > 1
    ]
    if len(set(linked)) < len(words) / 2:
        found.append(f"only {len(set(linked))} of {len(words)} words are linked")
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_words_are_linked_at_their_first_use(path):
    assert faults(notebooks.read(path)) == []


def test_a_wrong_link_is_found():
    words = "## Words\n\n| word | meaning |\n|---|---|\n| KL divergence, relative entropy | a price |\n| nat | unit |"

    def notebook(text: str) -> dict:
        return {"cells": [{"cell_type": "markdown", "source": source} for source in (text, words)]}

    right = 'The [relative\nentropy](#Words "a price")'
    assert faults(notebook(right)) == []
    for text, fault in (
        ('[KL divergence](#Words "a cost")', "expected the title 'a price'"),
        ('[bit](#Words "unit")', "is no word"),
        ('[nat](#Words "unit"), [nats](#Words "unit")', "nat is linked 2 times"),
        ("no link", "only 0 of 2"),
    ):
        assert any(fault in one for one in faults(notebook(text))), text
