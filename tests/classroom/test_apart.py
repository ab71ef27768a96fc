"""Every exercise is judged where the course is away: right answers are right, each mistake earns its message, as by `judge`."""

import importlib.util
import sys
import textwrap
from pathlib import Path

import pytest

from gancourse.classroom import notebooks
from gancourse.exercises import Exercise, chapters, exercise, judging, of_chapter, parcel
from gancourse.exercises.record import earlier
from gancourse.exercises.running import fresh_cases, run

SEED = 11
RECORDS = [record for number in chapters() for record in of_chapter(number)]
SOLVED = {path.name[:2]: path for path in notebooks.solutions()}


def some_chapters(*numbers: str):
    """Every chapter; all but these are slow."""
    return pytest.mark.parametrize(
        "number", [pytest.param(n, marks=() if n in numbers else pytest.mark.slow) for n in SOLVED]
    )


every_exercise = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.id)


def _styles(number: str) -> list[tuple[Exercise, str, str]]:
    """(exercise, name of a right answer, source of the module that holds it)."""
    path = next((Path(__file__).parents[1] / "chapters").glob(f"ch{number}_*.py"))
    spec = importlib.util.spec_from_file_location(f"styles_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    source = path.read_text()
    return [(exercise(id), answer.__name__, source) for id, found in module.RIGHT.items() for answer in found]


@some_chapters("02", "05", "07", "10")
def test_right_answers_in_every_style_are_right(number, room):
    chapter, wrong = room(number), {}
    for record in chapter.records:
        told = chapter.verdict(record, chapter.right[record.id])
        if told.status != judging.RIGHT:
            wrong[record.id, "solution"] = told
    for record, name, source in _styles(number):
        told = chapter.verdict(record, f"{record.name} = {name}", source, lent=True)
        if told.status != judging.RIGHT:
            wrong[record.id, name] = told
    assert not wrong, "\n".join(f"{key}: {told}" for key, told in wrong.items())


@some_chapters("02")
def test_mistakes_earn_their_messages(number, room):
    chapter, wrong, tried = room(number), {}, 0
    for record in chapter.records:
        for mistake in record.mistakes:
            try:
                source = parcel.Source(mistake.answer)
            except TypeError:  # it stands on a module of the course
                continue
            tried += 1
            inner = textwrap.indent(source.text, "    ")  # where its names are its own
            helper = f"def made():\n{inner}\n    return {mistake.answer.__name__}"
            told = chapter.verdict(record, f"{record.name} = made()", helper, lent=True)
            if told != judging.Verdict(judging.WRONG, mistake.message):
                wrong[record.id, mistake.answer.__name__] = told
    print(number, tried, sum(len(r.mistakes) for r in chapter.records))
    assert not wrong, "\n".join(f"{key}: {told}" for key, told in wrong.items())
    assert tried


@every_exercise
def test_what_travels_holds_no_answer(record: Exercise):
    source = parcel.Source(*([record.call] if record.has("call") else []))
    parcel.pack_cases(fresh_cases(record, SEED), source)
    later = [r for r in of_chapter(record.id[:2]) if r not in earlier(record)]
    secret = [r.oracle for r in later] + [m.answer for r in later for m in r.mistakes]
    assert not [name for name, thing in source.things.items() if any(thing is s for s in secret)]


@every_exercise
def test_cases_and_results_come_back_as_they_were(record: Exercise):
    for seed in range(3):
        source = parcel.Source(*([record.call] if record.has("call") else []))
        told, arrays = parcel.pack_cases(fresh_cases(record, seed), source)
        (told, text), arrays = parcel.from_bytes(parcel.to_bytes([told, source.text], arrays))
        defined: dict = {"__name__": "lent"}
        exec(text, defined)
        copy = Exercise(record.id, record.name, points=0)
        copy.cases(lambda rng: parcel.unpack_cases(told, arrays, defined))  # noqa: B023
        if record.has("call"):
            copy.call(defined[record.call.__name__])
        results = parcel.unpack_results(parcel.pack_results(run(copy, record.oracle, watched=False)))
        assert judging.verdict(record, results, seed) == judging.Verdict(judging.RIGHT)
