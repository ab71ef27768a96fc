"""What a class handed in: which notebook is whose, for which chapter, whatever the files and folders are called.

Taken: a folder for each student (nbgrader, Moodle), one folder for all with the student's name in front of the chapter's
(Canvas), and zip archives of either, as Canvas and Moodle give them, with the archives that students handed in inside.
"""

import hashlib
import os
import re
import shutil
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from gancourse.classroom import notebooks
from gancourse.classroom.intake import MAX_BYTES, plain

_MOST_FILES = 20_000  # in an archive
_MOST_BYTES = 4_000_000_000  # of an archive's notebooks
_LONGEST = 255  # bytes of a file's name
_LMS = (  # what Canvas and Moodle add to a student's name
    re.compile(r"_assignsubmission_(?:file|onlinetext)_?$"),
    re.compile(r"_late$", re.IGNORECASE),
)
_FILE = (  # what they add to a file's: (the student's name), the file's own
    re.compile(r"^(.+?_assignsubmission_(?:file|onlinetext)_).*$"),
    re.compile(r"^([^\W_]+(?:_late)?_\d{3,}_\d{4,})_.*$", re.IGNORECASE),
)


@dataclass(frozen=True)
class HandedIn:
    """One notebook: whose it is, the chapter that it answers (the file's own name where it answers none), where it lies."""

    student: str
    chapter: str
    path: Path
    archive: str = ""  # name of the one that it came in, where that may hold a whole class


def handed_in(submissions: Path, unpacked: Path) -> list[HandedIn]:
    """One notebook for each student and chapter, sorted; archives are unpacked into `unpacked`.

    Of several for one chapter the one changed last counts. Links are not followed. An archive that can't be unpacked
    stands for itself, as a chapter that the course doesn't have; where nothing else was handed in it is a ValueError.
    """
    found: dict[tuple[str, str], HandedIn] = {}
    chapters = [path.stem for path in notebooks.solutions()]
    for given in _told_apart(list(_all(Path(submissions), Path(unpacked), chapters))):
        key = given.student, given.chapter
        if key not in found or _order(given) > _order(found[key]):
            found[key] = given
    if found and all(given.path.suffix.lower() == ".zip" for given in found.values()):
        raise ValueError(
            f"submissions: {', '.join(sorted(g.path.name for g in found.values()))} can't be unpacked"
        )
    return [found[key] for key in sorted(found)]


def _told_apart(everything: list[HandedIn]) -> Iterator[HandedIn]:
    """The same, by the archive's name where each of several archives holds one folder, and all of one name.

    Students who packed the folder that was handed out give such archives: the folder names none of them.
    """
    students: dict[str, set[str]] = {}
    archives: dict[tuple[str, str], set[str]] = {}
    for given in everything:
        if given.archive:
            students.setdefault(given.archive, set()).add(given.student)
            archives.setdefault((given.student, given.chapter), set()).add(given.archive)
    alike = {
        name for names in archives.values() if len(names) > 1 for name in names if len(students[name]) == 1
    }
    for given in everything:
        yield replace(given, student=given.archive) if given.archive in alike else given


def chapter_of(name: str, chapters: Sequence[str]) -> tuple[str, str]:
    """(chapter that a file's name means, what stands in front of it), or ("", "") where it means none.

    "Copy of 02_covariance (1).ipynb" and "02-COVARIANCE.ipynb" mean 02_covariance; so does "02.ipynb".
    """
    stem = re.sub(r"\.ipynb$", "", name, flags=re.IGNORECASE)
    for chapter in sorted(chapters, key=len, reverse=True):
        words = r"[\W_]+".join(re.escape(word) for word in chapter.split("_"))
        if match := re.search(rf"(?<![0-9]){words}", stem, re.IGNORECASE):
            return chapter, stem[: match.start()]
    alone = [chapter for chapter in chapters if re.fullmatch(rf"\D*{chapter[:2]}(?:\D.*)?", stem)]
    return (alone[0], "") if len(alone) == 1 else ("", "")


def _all(
    submissions: Path, unpacked: Path, chapters: Sequence[str], inner: bool = False
) -> Iterator[HandedIn]:
    """Everything in a folder of students' folders, notebooks and archives; `inner` where it comes from an archive."""
    for entry in sorted(os.scandir(submissions), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.name.startswith((".", "__MACOSX")):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _of_student(path, student_of(entry.name), unpacked, chapters)
        elif path.suffix.lower() == ".zip" and entry.is_file(follow_symlinks=False):
            owner = _owner(path.stem)
            if inner or owner != path.stem:  # one student's; else the whole class may be in it
                yield from _of_archive(path, student_of(owner), unpacked, chapters)
            elif folder := _unpack(path, unpacked, archives=True):
                for given in _all(folder, unpacked, chapters, inner=True):
                    nobody = given.chapter in chapters and given.student == plain(given.path.stem)
                    name = student_of(path.stem)
                    yield replace(given, student=name if nobody else given.student, archive=name)
            else:
                yield HandedIn(student_of(path.stem), plain(path.name), path)
        elif path.suffix.lower() == ".ipynb":
            chapter, before = chapter_of(entry.name, chapters)
            student = student_of(_owner(re.sub(r"(?i)copy of $", "", before).strip("-_ ")))
            yield HandedIn(student or plain(path.stem), chapter or plain(path.stem), path)


def _of_student(folder: Path, student: str, unpacked: Path, chapters: Sequence[str]) -> Iterator[HandedIn]:
    """The notebooks of one student's folder, of the folders in it, and of archives that the student put there."""
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(n for n in inner if not n.startswith((".", "__MACOSX")))
        for name in sorted(n for n in names if not n.startswith(".")):
            path = Path(place) / name
            if name.lower().endswith(".ipynb"):
                yield HandedIn(student, chapter_of(name, chapters)[0] or plain(path.stem), path)
            elif name.lower().endswith(".zip") and path.is_file() and not path.is_symlink():
                yield from _of_archive(path, student, unpacked, chapters)


def _of_archive(archive: Path, student: str, unpacked: Path, chapters: Sequence[str]) -> Iterator[HandedIn]:
    """The notebooks of an archive that one student handed in; archives inside it are left alone."""
    if folder := _unpack(archive, unpacked):
        yield from _of_student(folder, student, unpacked, chapters)
    else:
        yield HandedIn(student, plain(archive.name), archive)


def student_of(name: str) -> str:
    """A student's name without what a learning platform adds to it, fit to name a folder: never empty, "." or "..".

    Canvas: "doejane_LATE_1234_5678_file" (the numbers are the student's and the file's). Moodle:
    "Jane Doe_1234_assignsubmission_file_".
    """
    whole = plain(name)
    name = whole.strip("_ ")
    name = re.sub(r"^(.+?)(?:_late)?_(\d+)_\d+$", r"\1_\2", name, flags=re.IGNORECASE)
    for added in _LMS:
        name = added.sub("", name)
    name = name.strip("_ ") or whole
    return f"{name}_" if whole and not name.strip(".") else name


def _owner(name: str) -> str:
    """What stands for the student in the name of a file from Canvas or Moodle; other names as they are."""
    for pattern in _FILE:
        if match := pattern.match(name):
            return match[1]
    return name


def _order(given: HandedIn) -> tuple[float, bool]:
    """What counts among several: the latest, and of two of one time the one with the chapter's own name."""
    try:
        changed = os.lstat(given.path).st_mtime
    except OSError:
        changed = 0
    return changed, given.path.stem == given.chapter


def _unpack(archive: Path, unpacked: Path, archives: bool = False) -> Path | None:
    """A new folder in `unpacked` with an archive's notebooks, and with `archives` the archives in it.

    Each is at most as large as a notebook that is read, under a name that stays in the folder. None where it can't be read.
    """
    folder = unpacked / hashlib.sha256(os.fsencode(archive)).hexdigest()[:16]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        _unpack_into(archive, folder, (".ipynb", ".zip") if archives else (".ipynb",))
    except Exception:  # a stranger's archive can be damaged in many ways, and each costs only that archive
        return None
    return folder


def _unpack_into(archive: Path, folder: Path, kinds: tuple[str, ...]) -> None:
    with zipfile.ZipFile(archive) as file:
        found = [info for info in file.infolist()[:_MOST_FILES] if info.filename.lower().endswith(kinds)]
        if sum(min(info.file_size, MAX_BYTES) for info in found) > _MOST_BYTES:
            raise ValueError(f"{archive} holds more than a class hands in")
        for info in found:
            parts = [plain(part) for part in PurePosixPath(info.filename.replace("\\", "/")).parts]
            parts = [_shortened(part) for part in parts if part not in ("", "/", "..", ".")]
            if info.is_dir() or not parts:
                continue
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with file.open(info) as packed, open(target, "wb") as out:
                out.write(packed.read(MAX_BYTES + 1))
            when = time.mktime((*info.date_time, 0, 0, -1))
            os.utime(target, (when, when))


def _shortened(name: str) -> str:
    """A name that a file can have, both ends kept: the student's name and the chapter's."""
    content = name.encode()
    if len(content) <= _LONGEST:
        return name
    return content[:128].decode(errors="ignore") + content[-120:].decode(errors="ignore")
