"""What is read of a stranger's notebook and code, without running any of it."""

import json
import subprocess
import sys
import time

import pytest

from gancourse.exercises import reading
from gancourse.exercises.apart import Away, Cells


@pytest.mark.parametrize(
    ("source", "stored", "loaded"),
    [
        ("x = y\nimport a.b as c\nfrom d import e", {"x", "c", "e"}, {"y"}),
        ("def f(a):\n    global g\n    g = a + h\n    return a", {"f", "g"}, {"h"}),
        ("class K(B):\n    z = w\n    def m(self):\n        return v", {"K"}, {"B", "w", "v"}),
        ("%matplotlib inline\nfiles = !ls\nx = 1\nnp.cov?", {"x"}, set()),
        ("if a:\n    %time f()\n    b = 1", {"b"}, {"a"}),
        ("a \\\n % b", set(), {"a", "b"}),
        ("def f(:", set(), set()),
        ("-" * 100_000 + "1", set(), set()),
        ("x" + ".y" * 20_000, set(), set()),
        ("\0", set(), set()),
    ],
)
def test_names_that_a_cell_binds_and_uses(source, stored, loaded):
    found = reading.names_in(source)
    assert found[0] == stored and found[1] - {"__name__"} == loaded


@pytest.mark.parametrize("text", [" " * 190_000 + "x(", "a " * 95_000, " \n" * 90_000, "= %" * 60_000])
def test_no_cell_takes_long_to_read(text):
    started = time.process_time()
    reading.plain(text)
    assert time.process_time() - started < 2


def test_the_program_prints_cells_and_names_and_leaves_cells_out():
    cells = [
        {"cell_type": "code", "id": f"c{i}", "source": source} for i, source in enumerate(("x = 1", "y = x"))
    ]
    notebook = json.dumps({"nbformat": 4, "cells": cells}).encode()
    command = [sys.executable, "-I", "-S", reading.__file__]
    lines = [
        json.loads(line)
        for line in subprocess.run(command, input=notebook, capture_output=True).stdout.splitlines()
    ]
    assert [cell["id"] for cell in lines[0]] == ["c0", "c1"]
    assert lines[1:] == [[0, ["x"], []], [1, ["y"], ["x"]]]
    done = subprocess.run([*command, "0"], input=notebook, capture_output=True)
    assert [json.loads(line)[0] for line in done.stdout.splitlines()[1:]] == [1]
    done = subprocess.run(command, input=b"[", capture_output=True)
    assert json.loads(done.stdout) == {"error": "JSONDecodeError"}


def test_what_is_no_unicode_becomes_a_question_mark():
    notebook = {"cells": [{"cell_type": "code", "source": ["a = '\ud800'\r\n", "b"]}]}
    assert reading.cells(json.dumps(notebook).encode())[0]["source"] == "a = '?'\nb"


@pytest.mark.parametrize("content", [b"{}", b'{"cells": 3}', b"3", b'{"cells": [3]}', b"[" * 100_000])
def test_what_is_no_notebook_is_an_error(content):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError, RecursionError)):
        reading.cells(content)


def test_only_what_an_answer_stands_on_is_run():
    namespace: dict = {}
    cells = [
        ("course", "import math\nWIDTH = 3\nloaded = open('/nowhere')\nprint(1 / 0)"),
        ("reader", "%time pass\nscale = WIDTH * 2\ntable = {}\ntable['a'] = scale\nother = 1 / 0"),
        (
            "reader",
            "from __future__ import annotations\ndef f(x: Undefined):\n    return x * table['a'] + later()",
        ),
        ("reader", "def later():\n    return math.floor(0.5)\nassert 1 / 0"),
        ("reader", "def f("),
    ]
    book = Cells(cells, namespace)
    assert book.bind("f") is None and namespace["f"](2) == 12
    assert "other" not in namespace and "loaded" not in namespace
    assert list(book.errors) == ["<cell 4>"]


@pytest.mark.parametrize(
    "helper",
    [
        "from math import *",
        "floor = None\ntry:\n    from math import *\nexcept ImportError:\n    pass",
        "import math\nrules = []\nrules.append(math.floor)\ndef floor(x):\n    return rules[0](x)",
        "import math\nrules = {}\nfor k in (1,):\n    rules.update({k: math.floor})\n"
        "def floor(x):\n    return rules[1](x)",
        "import functools, math\n@functools.singledispatch\ndef floor(x):\n    return 0\n"
        "@floor.register\ndef _(x: float):\n    return math.floor(x)",
    ],
)
def test_an_answer_stands_on_what_was_imported_and_filled_in_as_well(helper):
    namespace: dict = {}
    book = Cells([("reader", helper), ("reader", "def f(x):\n    return floor(x)")], namespace)
    assert book.bind("f") is None and namespace["f"](2.5) == 2


def test_calls_of_a_modules_functions_are_not_what_an_answer_stands_on():
    namespace: dict = {}
    cells = [("reader", "import sys\nsys.exit()\nwidth = 3\nprint(width.real)\nother.append(1)")]
    assert Cells([*cells, ("reader", "def f():\n    return width, sys")], namespace).bind("f") is None
    assert namespace["f"]() == (3, sys)


def test_a_class_that_is_away_may_stand_in_a_type_hint():
    away = Away("gancourse.metrics.Moments", lambda name: None)
    namespace: dict = {"Moments": away}
    answer = "def f(x: Moments | None, y: None | Moments = None):\n    return isinstance(x, Moments)"
    assert Cells([("reader", answer)], namespace).bind("f") is None
    assert not namespace["f"](1) and namespace["f"](type("Moments", (), {})())


def test_what_keeps_an_answer_from_being_defined_is_told():
    failed = Cells([("reader", "f = 1 / 0"), ("reader", "g = 1")], {}).bind("f")
    assert isinstance(failed, ZeroDivisionError)
    assert Cells([("reader", "f = 1 / 0"), ("reader", "f = 1")], {}).bind("f") is None
