"""The benchmarks run, with tiny arrays and without a peer; and what they demand of our own numbers holds."""

import os
import re
import time
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import measure, peers, speed, trust


@pytest.fixture(autouse=True)
def without_peers(monkeypatch):
    monkeypatch.setattr(peers, "absent", lambda: [name for name in peers.MODULES if name != "gancourse"])
    for room in (speed, trust):  # a new process takes seconds
        monkeypatch.setattr(room, "alone", lambda jobs, **_: (job[0](*job[1:]) for job in jobs))


@pytest.mark.parametrize("name", [name for name in benchmarks.SECTIONS if name != "lpips"])
def test_every_section_runs(name, capsys):
    benchmarks.main(["--quick", name])
    said = capsys.readouterr().out
    assert re.search(r"^## .+\n\n", said, re.MULTILINE) and "| " in said and "fails" not in said


def test_our_errors_are_roundings():
    cells = re.findall(r"^\| .*\| (\S+) +\|$", trust.errors(quick=True)[1], re.MULTILINE)[1:]
    assert len(cells) == 9 and max(map(float, cells)) < 1e-10


def test_we_pass_all_bad_input():
    passed, of = re.search(
        r"^\| gancourse +\| (\d+) +\| (\d+)", trust.bad_input(quick=True)[1], re.M
    ).groups()
    assert passed == of and int(of) > 70


def test_bad_answers_are_told_apart(monkeypatch):
    def opaque():
        return np.linalg.cholesky(-np.eye(2))

    def clear():
        raise ValueError("row 3 has NaN")

    monkeypatch.setitem(trust.PEERS, "trial", {"opaque": opaque, "clear": clear, "nan": lambda: float("nan")})
    verdicts = {name: trust.judged(*trust.attempt(name, "trial", ()), None) for name in trust.PEERS["trial"]}
    assert verdicts == {"opaque": "opaque error", "clear": "clear error", "nan": "NaN"}
    assert trust.judged(1.5, "", 1.0) == trust.judged(1.5, "", None) == "WRONG number"
    assert trust.judged((1.0, 2.0), "", [(1.0, 3.0), (1.0, 2.0)]) == "right"


def test_ratios_are_taken_within_a_round():
    rows = measure.in_turns(
        {"ours": lambda n: n, "theirs": lambda n: [i for i in range(n)][-1] + 1}, [50_000]
    )
    assert [row[0] for row in rows] == ["ours", "theirs"] and [row[-1] for row in rows] == [50_000, 50_000]
    assert rows[0][3] == 1 and rows[1][3] > 10


def test_a_section_replaces_only_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmarks, "RESULTS", tmp_path / "results.md")
    for name, text in [("kid", "## KID\n\nold\n"), ("frechet", "## F\n\none\n"), ("kid", "## KID\n\nnew\n")]:
        benchmarks.record(name, text)
    written = benchmarks.RESULTS.read_text()
    assert written.index("## F") < written.index("## KID") and "old" not in written and "new" in written


def test_deaths_and_hangs_are_survived():
    jobs = [(abs, -1), (os._exit, 3), (time.sleep, 600), (abs, -2)]
    alive, dead, hung, again = measure.alone(jobs, seconds=2)
    assert (alive, again) == (1, 2) and all(isinstance(x, BrokenProcessPool) for x in (dead, hung))
