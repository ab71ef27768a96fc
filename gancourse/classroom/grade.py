"""`gancourse grade`: a folder of submissions in; a gradebook, feedback pages and a class report out."""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tqdm.auto import tqdm

from gancourse.classroom import (
    class_report,
    feedback,
    gradebook,
    kept,
    lms,
    manual,
    notebooks,
    points,
    sandbox,
)
from gancourse.classroom.handed_in import HandedIn, handed_in, student_of
from gancourse.classroom.intake import read_submission
from gancourse.classroom.kept import Kept
from gancourse.classroom.marking import NOT_GRADED, NotRun, Row, mark
from gancourse.classroom.tables import named, plain, read_text
from gancourse.classroom.written import write_page, written_answers

EVERYONE = "all"


def grade(
    submissions: Path,
    out: Path,
    *,
    chapters: Collection[str] = (),
    jobs: int = 1,
    regrade: Collection[str] = (),
    seed: int | None = None,
    credit: Mapping[str, float] | None = None,
    late: Path | None = None,
    students: Path | None = None,
    exports: Collection[Path] = (),
    cell_seconds: int = 60,
    limits: sandbox.Limits | None = None,
) -> list[Row]:
    """Grade submissions/<student>/<chapter>.ipynb into `out`; returns the rows of the gradebook.

    A submission that was graded before, with the same bytes, is not run again: an interrupted run goes on where it was,
    and `out` gathers chapter after chapter. What one submission does is a row of its own and never the end.

    chapters: numbers of those to grade ("02"), by default all that were handed in.
    regrade: students to run again, or "all".
    seed: of the secret inputs; by default drawn at the first run. It is kept in out/seed.
    credit, late: what answers earn that are not right, or late (`points.read_credit`, `points.read_due`).
    students: a text file with the names of the class, a line each: who handed in nothing has a row too.
    exports: gradebooks as Canvas or Moodle export them; filled copies are written to `out`.

    Written: gradebook.csv, summary.csv, manual.csv (for points by hand, which later runs merge and never write over),
    to_read.html, feedback/<student>/<chapter>.html, class_report.html and the filled exports.
    ValueError, before anything is run, where folders or files are not what they should be.
    """
    submissions, out = Path(submissions).resolve(), Path(out).resolve()
    if not submissions.is_dir():
        raise ValueError(f"submissions: {submissions} is not a folder")
    if out.is_relative_to(submissions):
        raise ValueError(
            f"out: {out} lies inside the submissions; students could be shown each other's grades"
        )
    numbers = {path.name[:2] for path in notebooks.solutions(tuple(chapters))} if chapters else set()
    with _room_for_archives(out) as unpacked:
        everything = handed_in(submissions, unpacked)
        given = [g for g in everything if not numbers or g.chapter[:2] in numbers]
        if not given:
            what = f"chapter {' or '.join(chapters)}" if everything else "<student>/<chapter>.ipynb"
            raise ValueError(f"submissions: there is no {what} in {submissions}")
        if unknown := set(regrade) - {EVERYONE} - {g.student for g in given}:
            raise ValueError(f"regrade: nothing was handed in by {', '.join(sorted(unknown))}")
        with named("late"):
            due = points.read_due(late) if late else {}
        marks = manual.read_marks(out / "manual.csv")
        roster = {
            student_of(f.name) for f in submissions.iterdir() if f.is_dir() and not f.name.startswith(".")
        }
        with named("students"):
            roster |= _names(students) if students else set()
        known = {g.chapter for g in given} | {k.chapter for k in kept.load_all(out)}
        best = {chapter: gradebook.maxima(chapter) for chapter in known}
        with named("exports"):
            books = [lms.read_export(path) for path in exports]
            for book in books:
                lms.check(book, {chapter: sum(maxima.values()) for chapter, maxima in best.items()})
        (out / "state").mkdir(parents=True, exist_ok=True)
        secret = _seed(out / "seed", seed, EVERYONE in regrade)

        done = _marked(
            given, submissions, out, secret, regrade, jobs, cell_seconds, limits or sandbox.Limits()
        )
    rows: list[Row] = []
    shown: list[Row] = []  # the same with what students may read
    for one in done:
        own = gradebook.completed(one.rows, best[one.chapter], one.answers)
        own = points.credited(own, credit or {})
        readable = [replace(row, message=feedback.for_student(row)) for row in own]
        for verdicts, rest in ((own, rows), (readable, shown)):
            marked = manual.merged(verdicts, marks, out / "manual.csv")
            rest += [points.late(row, one.handed_in, due) for row in marked]
    for note in manual.unused(rows, marks, out / "manual.csv"):
        print(note)
    absent = gradebook.missing(roster | {one.student for one in done}, best, rows)
    rows = sorted([*rows, *absent], key=lambda row: (row.student, row.chapter))
    gradebook.write_gradebook(out, rows)
    manual.add_open(out / "manual.csv", rows)
    write_page(out, rows, done)
    for note in feedback.write_pages(out, shown, done):
        print(note)
    class_report.write_report(out, rows, done, due)
    for book in books:
        for note in lms.write_filled(out, book, [*shown, *absent]):
            print(note)
    return rows


@contextlib.contextmanager
def _room_for_archives(out: Path) -> Iterator[Path]:
    """A folder to unpack into, which goes when its notebooks have been marked, or when nothing can be."""
    new = not out.exists()
    try:
        yield out / "unpacked"
    finally:
        shutil.rmtree(out / "unpacked", ignore_errors=True)
        if new and out.is_dir() and not any(out.iterdir()):
            out.rmdir()


def _marked(
    given: list[HandedIn],
    submissions: Path,
    out: Path,
    seed: int,
    regrade: Collection[str],
    jobs: int,
    cell_seconds: int,
    limits: sandbox.Limits,
) -> list[Kept]:
    """The marks of everything that was ever handed in: of what has been marked before as it was kept."""
    if not (confine := sandbox.confined()):
        print(
            "bubblewrap is not here: submissions run with limits, but can read your files and use the network."
        )
    hidden = [submissions, out, notebooks.folder(), notebooks.folder().parent / ".git"]
    again = EVERYONE in regrade

    def one(work: HandedIn) -> Kept:
        started = time.monotonic()
        try:
            before = kept.load(kept.place(out, work.student, work.chapter))
            key = _key(work.path, seed)
            if before and before.key == key and not again and work.student not in regrade:
                return before
            rows = mark(work.path, work.student, work.chapter, seed, hidden, cell_seconds, limits, confine)
            found = Kept(work.student, work.chapter, key, rows, _answers(work))
            found.seconds = round(time.monotonic() - started, 1)
            found.handed_in = _time_of(work.path)
            kept.save(out, found)
            return found
        except NotRun as error:  # nothing is kept: the next run tries again
            message = f"no notebook runs here: {error}"
        except Exception as error:  # a submission that the grader stumbles over costs no one else's mark
            message = f"the grader stumbled over this submission ({type(error).__name__}: {error})"
        best = gradebook.maxima(work.chapter)
        row = gradebook.whole_chapter(work.student, work.chapter, best, NOT_GRADED, plain(message, 300))
        return Kept(work.student, work.chapter, "", [row])

    found: dict[tuple[str, str], Kept] = {(k.student, k.chapter): k for k in kept.load_all(out)}
    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(one, work) for work in given]
        try:
            bar = tqdm(total=len(given), desc="grading", unit="notebook", disable=len(given) < 3)
            with bar:
                for ended in as_completed(running):
                    marked = ended.result()
                    found[marked.student, marked.chapter] = marked
                    bar.update()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [found[key] for key in sorted(found)]


def _answers(work: HandedIn) -> dict[str, str]:
    """Exercise -> what the student wrote, for the feedback."""
    source = notebooks.folder() / "solutions" / f"{work.chapter}.ipynb"
    try:
        solution = notebooks.read(source)
        answers = read_submission(work.path, solution).answers | written_answers(work.path, solution)
    except (ValueError, OSError):
        return {}
    return {id: plain(text, 20_000) for id, text in answers.items()}


def _names(path: Path) -> set[str]:
    lines = read_text(path).removeprefix("\ufeff").splitlines()
    if not any(line.strip() for line in lines):
        raise ValueError(f"{path} holds no names")
    return {line.strip() for line in lines if line.strip()}


def _key(path: Path, seed: int) -> str:
    """Digest of a submission's bytes and the seed."""
    digest = hashlib.sha256(str(seed).encode())
    if path.is_file() and not path.is_symlink():
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _time_of(path: Path) -> str:
    """When a file was last changed, to the minute, with the time zone."""
    try:
        changed = os.lstat(path).st_mtime
    except OSError:
        return ""
    return datetime.fromtimestamp(changed).astimezone().isoformat(timespec="minutes")


def _seed(path: Path, asked: int | None, again: bool) -> int:
    """The batch's seed: the one that was asked for, else the one kept, else a new one."""
    text = path.read_text().strip() if path.exists() else None
    if text is not None and not re.fullmatch("-?[0-9]+", text):
        raise ValueError(f"{path} is damaged: expected one whole number, got {text[:50]!r}")
    before = None if text is None else int(text)
    if asked is not None and before not in (None, asked) and not again:
        raise ValueError(f"seed: this batch has the seed {before}; another one needs --regrade {EVERYONE}")
    seed = before if asked is None else asked
    if seed is None:
        seed = secrets.randbits(32)
    if seed != before:
        kept.write(path, str(seed))
    return seed
