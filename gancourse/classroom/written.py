"""Answers in words: found in a submission, and laid out on one page for the person who reads them."""

from pathlib import Path

from gancourse.classroom import cells as roles
from gancourse.classroom import intake, notebooks, pages
from gancourse.classroom.kept import Kept, write
from gancourse.classroom.marking import TO_READ, Row
from gancourse.classroom.release import released
from gancourse.exercises.judging import UNTRIED


def written_answers(path: Path, solution: dict) -> dict[str, str]:
    """Id of a written answer -> what the student put there: "" where its cell is missing or was left as handed out.

    ValueError where the file can't be read at all.
    """
    asked = {
        c["metadata"]["nbgrader"]["grade_id"]: c for c in released(solution)["cells"] if roles.is_free_text(c)
    }
    if not asked:
        return {}
    given, _ = intake._parsed(intake._content(Path(path)))
    found = dict.fromkeys(asked, "")
    for cell in given:
        for id in {cell["id"], cell["grade_id"]} & asked.keys():
            if not found[id] and cell["source"].strip() != asked[id]["source"].strip():
                found[id] = cell["source"]
    return found


def write_page(out: Path, rows: list[Row], kept: list[Kept]) -> None:
    """Write out/to_read.html: each written exercise with the course's answer and every student's; none, no page.

    Points go into out/manual.csv. The page names students: it is not for them.
    """
    texts = {(one.student, one.chapter): one.answers for one in kept}
    asked: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.exercise and "." not in row.exercise:
            asked.setdefault((row.chapter, row.exercise), []).append(row)
    if asked:
        parts = [_exercise(chapter, id, own, texts) for (chapter, id), own in sorted(asked.items())]
        header = "<h1>Answers to read</h1>\n<p>Points and comments go into manual.csv; then run the command again.</p>"
        write(Path(out) / "to_read.html", pages.page("Answers to read", header, "\n".join(parts)))


def _exercise(chapter: str, id: str, rows: list[Row], texts: dict[tuple[str, str], dict[str, str]]) -> str:
    solution = notebooks.read(notebooks.folder() / "solutions" / f"{chapter}.ipynb")
    ours = next((c["source"] for c in solution["cells"] if _grade_id(c) == id), "")
    lines = [line for line in ours.splitlines() if "### BEGIN" not in line and "### END" not in line]
    name = f"{chapter[:2]} {id.replace('-', ' ')}"
    parts = [f"<h2>{pages.text(name)}, {rows[0].max_points:g} points</h2>"]
    if ours:
        parts += ["<h3>The course's own</h3>", _words(f"{name}, the course", "\n".join(lines))]
    for row in rows:
        marked = row.status if row.status in (TO_READ, UNTRIED) else f"{row.points:g} points"
        parts.append(f"<h3>{pages.text(row.student)}: {marked}</h3>")
        if answer := texts.get((row.student, row.chapter), {}).get(id, ""):
            parts.append(_words(f"{name}, {row.student}", answer))
        else:
            parts.append("<p>Nothing was written.</p>")
    return "\n".join(parts)


def _words(label: str, words: str) -> str:
    about = f'tabindex="0" role="region" aria-label="{pages.text(label)}"'
    return f'<pre class="words" dir="auto" {about}>{pages.text(words)}</pre>'


def _grade_id(cell: dict) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")
