"""Chapter 10's climax as its notebook runs it: every right way to write the parts draws the trained images to 1e-5."""

import importlib.util
import re
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

from gancourse.classroom import notebooks
from gancourse.exercises import exercise, of_chapter

CELLS = {
    cell["id"]: cell["source"]
    for path in notebooks.solutions()
    if path.name.startswith("10_")
    for cell in notebooks.read(path)["cells"]
}
# A mistake of each exercise that can be put together and shows in the images.
WRONG = {"unit_length", "MappingWithReLU", "AdaINWithoutOne", "NoiseEqualized", "faded_from_bilinear"}
WRONG |= {"mixed_one_late", "activated_after_adain"}
# What the second hints leave to the reader, around the code that they quote.
AROUND = {
    "10.1": ["return {0}"],
    "10.2": [
        "self.norm = PixelNorm()\nself.layers = {0}",
        "x = self.norm(z)\nfor layer in self.layers:\n    {1}\nreturn x",
    ],
    "10.3": [
        "self.affine = {0}",
        "y_s, y_b = self.affine(w)[:, :, None, None].chunk(2, dim=1)\n"
        "mean, var = x.mean((2, 3), keepdim=True), {1}\nreturn {2}",
    ],
    "10.4": ["self.weight = nn.Parameter(torch.zeros(channels))", "return {0}"],
    "10.5": ["return {0}"],
    "10.6": ["return {0}"],
    "10.7": [
        "w = style_mix(parts.mapping(z1), parts.mapping(z2), crossover, len(parts.layers))\n"
        "x = parts.const(len(z1))\n"
        "for i, layer in enumerate(parts.layers):\n"
        "    if i == len(parts.layers) - 2:\n        before = x\n"
        "    if not {1}:\n        {0}\n    {2}\n    {3}\n"
        "return {4}"
    ],
}


def right_answers() -> list:
    """(exercise, answer) of `ch10_stylegan.py`, beside this file."""
    spec = importlib.util.spec_from_file_location(
        "right_answers_10", Path(__file__).with_name("ch10_stylegan.py")
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return [(exercise(id), answer) for id, answers in module.RIGHT.items() for answer in answers]


def hinted(id: str) -> str:
    """The answer cell of an exercise, its solutions written as the second hint says, word for word."""
    text = next(text for text in CELLS.values() if f"### EXERCISE {id} " in text)
    code = re.findall(r"`([^`]+)`", text.split("Second hint")[1])
    bodies = iter(AROUND[id])

    def body(found: re.Match) -> str:
        return textwrap.indent(next(bodies).format(*code), found[1])

    cell = CELLS[f"answer-{id.replace('.', '-')}"]
    return re.sub(r"( +)### BEGIN SOLUTION.*?### END SOLUTION", body, cell, flags=re.S)


class _Layer(nn.Module):
    """A PixelNorm written as a function, as a layer of the mapping network."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return torch.as_tensor(self.function(x))


def fitted(name: str, answer):
    """The answer as the other cells take it: functions that answer in NumPy hand on tensors."""
    if isinstance(answer, type):
        return answer
    if name == "PixelNorm":
        return lambda *given: torch.as_tensor(answer(*given)) if given else _Layer(answer)
    if name in ("fade_in", "style_mix"):
        return lambda *given: torch.as_tensor(answer(*given))
    return answer


@pytest.fixture(scope="module")
def start() -> dict:
    """The notebook's namespace as its assembly begins."""
    namespace = {"__name__": "notebook"}
    for id in ("imports", "trained", *(f"answer-10-{i}" for i in range(1, 8))):
        exec(CELLS[id], namespace)
    yield namespace
    torch.set_grad_enabled(True)  # which the first cell has switched off


def with_hints(start: dict) -> dict:
    """The namespace, its answers written as the second hints say; answers find each other in it, as in a notebook."""
    namespace = dict(start)
    for record in of_chapter("10"):
        exec(hinted(record.id), namespace)
    return namespace


def climax(namespace: dict, capsys) -> str:
    """What the cells print that compare the parts with the trained generator and look for a fault."""
    capsys.readouterr()
    torch.set_grad_enabled(False)
    for id in ("reproduce", "compared", "first-fault"):
        exec(CELLS[id], namespace)
    return capsys.readouterr().out


def assert_right(told: str) -> None:
    assert re.findall(r"equal to 1e-5: (\w+)", told) == ["True"] * 3, told
    assert "all yours: no part departs" in told


def test_the_course_s_own_answers(start, capsys):
    assert_right(climax(dict(start), capsys))


def test_answers_written_as_the_second_hints_say(start, capsys):
    assert_right(climax(with_hints(start), capsys))


@pytest.mark.parametrize(
    ("record", "answer"), right_answers(), ids=lambda x: getattr(x, "id", getattr(x, "__name__", ""))
)
def test_every_right_answer_among_those_of_the_hints(record, answer, start, capsys):
    namespace = with_hints(start)
    namespace[record.name] = fitted(record.name, answer)
    assert_right(climax(namespace, capsys))


@pytest.mark.parametrize("record", of_chapter("10"), ids=lambda record: record.id)
def test_a_wrong_answer_is_named_there(record, start, capsys):
    """All others are tried in tests/exercises/test_assembly.py."""
    answer = next(m.answer for m in record.mistakes if m.answer.__name__ in WRONG)
    namespace = with_hints(start)
    namespace[record.name] = fitted(record.name, answer)
    told = climax(namespace, capsys)
    assert "equal to 1e-5: False" in told
    assert f"all yours: {record.name}\n" in told
