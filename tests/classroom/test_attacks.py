"""What a hostile answer tries, and what it gets: nothing, and nobody else pays for it."""

import os
import sys
import time
import types
from pathlib import Path
from pkgutil import resolve_name

import psutil
import pytest

from gancourse.classroom import sandbox, verdicts
from gancourse.exercises import chapters, judging, of_chapter

sys.path.insert(0, str(Path(__file__).parent))
from attacks import DISGUISES, FORGERIES, HAVOC, THEFTS

ASKED, AFTER = of_chapter("02")[:2]  # covariance is attacked; covariance_matrix must not suffer


@pytest.fixture(scope="module", autouse=True)
def confined():
    if not sandbox.confined():
        pytest.fail("bubblewrap is not here") if os.environ.get("CI") else pytest.skip(
            "bubblewrap is not here"
        )


FORBIDDEN = [
    pytest.param(record, name, marks=() if number == "04" else pytest.mark.slow, id=f"{record.id}-{name}")
    for number in chapters()
    for record in of_chapter(number)
    for name in record.forbidden
    if isinstance(resolve_name(name), types.FunctionType | type) or name.startswith("scipy.")
]


def _unhurt(room) -> None:
    assert room.verdict(AFTER, room.right[AFTER.id]) == judging.Verdict(judging.RIGHT)


@pytest.mark.parametrize("name", DISGUISES)
def test_what_computes_the_same_is_named_under_every_disguise(room, name):
    told = room("02").verdict(ASKED, DISGUISES[name])
    assert told.status == judging.WRONG and told.message.startswith("It uses "), told


@pytest.mark.parametrize(("record", "name"), FORBIDDEN)
def test_what_a_record_forbids_is_refused(room, record, name):
    call = ".pdf(0.0, -1.0, 1.0)" if name == "scipy.stats.truncnorm" else "(*case)"
    answer = f"from pkgutil import resolve_name\ndef {record.name}(*case):\n    kept = resolve_name({name!r})"
    told = room(record.id[:2]).verdict(record, f"{answer}\n    return kept{call}")
    assert told.status == judging.WRONG and told.message.startswith(f"It uses {name}."), told


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_wrong(room, name):
    told = room("02").verdict(ASKED, FORGERIES[name])
    assert told.status in (judging.WRONG, "crashed"), told


@pytest.mark.parametrize("name", THEFTS)
def test_there_is_nothing_to_find(room, name):
    told = room("02").verdict(ASKED, THEFTS[name])
    assert told.status == judging.WRONG, told
    assert "nothing there" in told.message or "OSError" in told.message, told


@pytest.mark.parametrize("name", HAVOC)
def test_havoc_costs_one_exercise(room, name):
    answer, status = HAVOC[name]
    told = room("02").verdict(ASKED, answer)
    assert told.status == status if status else told.status != judging.RIGHT, told
    _unhurt(room("02"))


def test_loops_end(room, monkeypatch):
    monkeypatch.setattr(verdicts, "_GRACE", 3)
    started = time.monotonic()
    told = room("02").verdict(ASKED, "def covariance(x, y):\n    while True:\n        pass")
    assert told.status == judging.TIMED_OUT
    stubborn = "def covariance(x, y):\n    while True:\n        try:\n            sum(range(1000))\n"
    told = room("02").verdict(
        ASKED, stubborn + "        except BaseException:\n            pass", cell_seconds=1
    )
    assert told.status == judging.TIMED_OUT and time.monotonic() - started < 120
    _unhurt(room("02"))


def test_memory_is_bounded(room, monkeypatch):
    apart, small = room("02").apart, sandbox.Limits(resident_bytes=1_500_000_000)
    monkeypatch.setattr(apart, "limits", small)
    hoard = "def covariance(x, y):\n    kept = [bytes([1]) * 2_500_000_000]\n    while True:\n        pass"
    started = time.monotonic()
    assert room("02").verdict(ASKED, hoard).status == "crashed" and time.monotonic() - started < 30
    _unhurt(room("02"))


def test_nothing_survives_the_room(room):
    _unhurt(room("02"))
    first = psutil.Process(room("02").apart.process.pid)  # other chapters' rooms may be open beside it
    ours = [first, *first.children(recursive=True)]
    assert len(ours) > 1
    room("02").apart.__exit__()
    assert [p for p in ours if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
