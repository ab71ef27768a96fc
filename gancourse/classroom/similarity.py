"""Which answers are alike: pairs for a person to look at, found on this machine alone. Likeness is no proof of copying.

Code is compared as sequences of K tokens, with names, strings, comments, docstrings and layout taken out. What was handed
out in the stub does not count, and what many wrote counts little: a sequence that d of n answers share weighs
log((n + 1) / d), as rare words do in a search. Two submissions are as alike as the share of the lighter one's weight that
they have in common. After S. Schleimer, D. Wilkerson, A. Aiken, "Winnowing: local algorithms for document fingerprinting"
(SIGMOD 2003), without the winnowing, which short answers do not need.
"""

import builtins
import html
import inspect
import io
import keyword
import math
import textwrap
import tokenize
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from gancourse.classroom import cells as roles
from gancourse.classroom import kept, notebooks, pages
from gancourse.classroom.feedback import title_of
from gancourse.classroom.intake import exercises_of
from gancourse.classroom.release import released
from gancourse.classroom.tables import write_csv

K = 6  # tokens in a row
ALIKE = 0.6  # share from which a pair is listed
FEWEST = 12  # sequences that a pair must share beside: short answers are alike by nature
MOST_PAIRS = 100
ORACLE, SOLUTION = "the course's function", "the course's solution"
_KEPT_NAMES = frozenset(keyword.kwlist) | frozenset(dir(builtins))
_LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NEWLINE)

Marks = frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class Pair:
    """Two submissions of a chapter (or one and the course) and how alike they are, as a whole and by exercise."""

    chapter: str
    first: str
    second: str
    alike: float
    shared: int
    exercises: tuple[tuple[str, float], ...]  # the most alike first


def compare(out: Path) -> list[Pair]:
    """Compare what was graded into `out`; writes out/similarity.csv and out/similarity.html, returns the pairs listed.

    The page shows both codes of each pair. It is for the instructor: it names students.
    """
    found = [one for one in kept.load_all(out) if one.answers]
    if not found:
        raise ValueError(f"out: there are no graded answers in {out}")
    pairs: list[Pair] = []
    codes: dict[tuple[str, str], dict[str, str]] = {}
    for chapter in sorted({one.chapter for one in found}):
        own = {one.student: one.answers for one in found if one.chapter == chapter}
        course, stubs = _of_course(chapter)
        pairs += alike(chapter, own, course, stubs)
        codes |= {(chapter, name): answers for name, answers in (own | course).items()}
    header = ["chapter", "first", "second", "alike", "shared", "exercises"]
    rows = [[p.chapter, p.first, p.second, round(p.alike, 2), p.shared, _shares(p)] for p in pairs]
    write_csv(Path(out) / "similarity.csv", header, rows)
    kept.write(Path(out) / "similarity.html", page(pairs, codes))
    return pairs


def alike(
    chapter: str, answers: dict[str, dict[str, str]], course: dict[str, dict[str, str]], stubs: dict[str, str]
) -> list[Pair]:
    """The pairs of one chapter worth a look, the most alike first: students with each other and with the course.

    answers, course: who -> exercise -> code. stubs: exercise -> code as handed out.
    """
    marks = {
        who: {id: marks_of(code) - marks_of(stubs.get(id, "")) for id, code in codes.items() if id in stubs}
        for who, codes in (course | answers).items()
    }
    counts = Counter((id, mark) for who in answers for id, own in marks[who].items() for mark in own)
    weight = {key: math.log((len(answers) + 1) / count) for key, count in counts.items()}
    rare = math.log(len(answers) + 1)

    def heavy(id: str, some: Iterable[tuple[str, ...]]) -> float:
        # Exact sums: a set has another order in each process.
        return math.fsum(weight.get((id, mark), rare) for mark in some)

    weights = {who: {id: heavy(id, some) for id, some in own.items()} for who, own in marks.items()}
    found = []
    for first, second in [
        *combinations(sorted(answers), 2),
        *((s, c) for s in sorted(answers) for c in course),
    ]:
        a, b = marks[first], marks[second]
        common = {id: a[id] & b[id] for id in a.keys() & b.keys()}
        shared = sum(map(len, common.values()))
        lighter = min(math.fsum(weights[first].values()), math.fsum(weights[second].values()))
        if shared < FEWEST or not lighter:
            continue
        both = {id: heavy(id, some) for id, some in common.items()}
        if (total := math.fsum(both.values())) >= ALIKE * lighter:
            parts = []
            for id, value in both.items():
                least = min(weights[first][id], weights[second][id])
                parts.append((id, min(1.0, value / least) if least else 0.0))
            parts.sort(key=lambda part: (-part[1], part[0]))
            share = min(1.0, total / lighter)
            found.append(Pair(chapter, first, second, share, shared, tuple(parts)))
    return sorted(found, key=lambda p: (-round(p.alike, 3), -p.shared, p.first, p.second))[:MOST_PAIRS]


def marks_of(code: str) -> Marks:
    """The sequences of K tokens in a piece of code, layout and names taken out; what is no Python is read word by word."""
    tokens = _tokens(code)
    return frozenset(tuple(tokens[i : i + K]) for i in range(max(len(tokens) - K + 1, min(1, len(tokens)))))


def page(pairs: list[Pair], codes: dict[tuple[str, str], dict[str, str]]) -> str:
    """The pairs as HTML, with both codes of each."""
    header = "<h1>Answers that are alike</h1>\n"
    header += (
        "<p>A place to look, no verdict: short exercises have few right answers. Names, comments, docstrings, layout and "
        "what was handed out do not count, and what many wrote counts little.</p>"
    )
    if not pairs:
        return pages.page("Answers that are alike", header, "<p>None.</p>")
    lines = [
        [
            f'<a href="#p{i}">{pages.text(pair.first)} and {pages.text(pair.second)}</a>',
            pages.text(pair.chapter[:2]),
            f"{pair.alike:.0%}",
            pages.text(_shares(pair)),
        ]
        for i, pair in enumerate(pairs)
    ]
    parts = [pages.table("Pairs", ["who", "chapter", "alike", "in"], lines, numbers=(2,))]
    for i, pair in enumerate(pairs):
        title = (
            f"{pages.text(pair.first)} and {pages.text(pair.second)}, {pages.text(title_of(pair.chapter))}"
        )
        parts.append(f'<section aria-labelledby="p{i}">\n<h2 id="p{i}">{title}</h2>')
        for id, share in pair.exercises:
            if share >= ALIKE:
                parts.append(f"<h3>{html.escape(id)}: {share:.0%}</h3>\n<div class='pair'>")
                for who in (pair.first, pair.second):
                    code = pages.text(codes[pair.chapter, who].get(id, ""))
                    label = pages.text(f"{id} of {who}, pair {i + 1}")
                    parts.append(
                        f"<div><p>{pages.text(who)}</p>"
                        f'<pre dir="ltr" tabindex="0" role="region" aria-label="{label}">{code}</pre></div>'
                    )
                parts.append("</div>")
        parts.append("</section>")
    return pages.page("Answers that are alike", header, "\n".join(parts))


def _of_course(chapter: str) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """(who -> exercise -> code of the course itself, exercise -> stub)."""
    solution = notebooks.read(notebooks.folder() / "solutions" / f"{chapter}.ipynb")
    stubs = {cell["id"]: cell["source"] for cell in released(solution)["cells"]}
    records = exercises_of(solution)
    sources = {cell["id"]: cell["source"] for cell in solution["cells"]}
    course = {
        ORACLE: {r.id: textwrap.dedent(inspect.getsource(r.oracle)) for r in records},
        SOLUTION: {r.id: sources[roles.answer_id(r)] for r in records},
    }
    return course, {r.id: stubs[roles.answer_id(r)] for r in records}


def _tokens(code: str) -> list[str]:
    found: list[str] = []
    line: list[str] = []  # of the statement that is being read: a string alone on it is a docstring
    before = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.NEWLINE and line != ["s"]:
                found += line
            if token.type == tokenize.NEWLINE:
                line = []
            if token.type in _LAYOUT or token.type in (tokenize.INDENT, tokenize.DEDENT):
                continue
            if token.type == tokenize.STRING:
                line.append("s")
            elif token.type == tokenize.NAME and before != "." and token.string not in _KEPT_NAMES:
                line.append("n")
            else:
                line.append(token.string)
            before = token.string
    except (tokenize.TokenError, SyntaxError, ValueError):
        return code.split()
    return found + line


def _shares(pair: Pair) -> str:
    return ", ".join(f"{id} {share:.0%}" for id, share in pair.exercises if share >= ALIKE)
