"""The check: what a reader is told, and that nothing an answer does can break it."""

import io
import sys
import threading
import time

import numpy as np
import pytest
import torch

from gancourse.exercises import Exercise, Verdict, check, exercise, judge, predicted, progress, rules
from gancourse.exercises.check import CheckFailed
from gancourse.exercises.judging import INTERRUPTED, RIGHT, TIMED_OUT, UNTRIED, WRONG, verdict
from gancourse.exercises.outputs import close, normal
from gancourse.exercises.parcel import pack_results, unpack_results
from gancourse.exercises.running import Result, compiled, run


@pytest.fixture(autouse=True)
def ungraded(monkeypatch):
    monkeypatch.delenv("GANCOURSE_GRADING", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


SETTINGS = ("allowed", "forbidden", "returns", "seconds", "rtol", "atol")


def double(x):
    return 2 * x


def squared(x):
    return x**2


def without(x):
    return x.no


def _doubling(**parts) -> Exercise:
    settings = {key: parts.pop(key) for key in list(parts) if key in SETTINGS}
    record = Exercise("99.1", "double", points=1, **settings)
    parts = {
        "oracle": double,
        "cases": lambda rng: [(np.array([1.0, 2.0]),), (rng.normal(size=(4, 5)),)],
    } | parts
    for answer, message, *recognise in parts.pop(
        "mistakes", ((squared, "Squared."), (without, "No such thing."))
    ):
        record.mistake(message, recognise=recognise[0] if recognise else None)(answer)
    for name, part in parts.items():
        getattr(record, name)(part)
    return record


def _namespace(source: str) -> dict:
    return compiled(f"{source}\nhere = lambda: None", "here").__globals__


def _judged(source: str, **changes):
    return judge(_doubling(**changes), _namespace(source))


@pytest.mark.parametrize(
    "body",
    [
        "return x + x",
        "return torch.as_tensor(x) * 2",
        "return torch.as_tensor(x).float() * 2",
        "return torch.tensor(x, requires_grad=True) * 2",
        "return (2 * x).astype(np.float32)",
        "return (2 * x).tolist()",
        "return [list(row) if row.ndim else float(row) for row in 2 * x]",
        "print('hello'); import warnings; warnings.warn('careful'); return 2 * x",
        "import sys; print('hello', file=sys.stderr); return 2 * x",
    ],
)
def test_many_forms_of_the_right_answer(body, capfd, recwarn):
    assert _judged(f"def double(x):\n    {body}") == Verdict(RIGHT)
    assert capfd.readouterr() == ("", "") and not recwarn.list


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return x**2", "Squared."),
        ("return torch.as_tensor(x, dtype=torch.float32) ** 2", "Squared."),
        ("return x.no", "No such thing."),
        ("return x.nothing_there", "has no attribute 'nothing_there'"),
        ("return x", "For double([1, 2]), expected [2, 4], got [1, 2]."),
        (
            "return 2 * x if x.ndim == 1 else x + 1e-3 * np.eye(4, 5)",
            "For double(<ndarray of shape (4, 5)>), expected",
        ),
        ("return 2 * x + 1e-4", "For double([1, 2]), expected [2, 4], got [2.0001, 4.0001]."),
        ("return (2 * x)[0]", "For double([1, 2]), expected numbers of shape (2,), got one number."),
        ("return 2 * x + 0j", "expected numbers of shape (2,), got complex numbers of shape (2,)."),
        ("return x, x", "For double([1, 2]), expected numbers of shape (2,), got numbers of shape (2, 2)."),
        ("return (2, np.float32(4.5))", "For double([1, 2]), expected [2, 4], got [2, 4.5]."),
        ("return 2 * x * np.nan", "got [nan, nan]."),
        ("2 * x", "For double([1, 2]) it returns nothing (None): is there a `return`?"),
        (
            "return x / 0 + [1] / 2",
            "line 2 of the cell, `return x / 0 + [1] / 2`, raises TypeError: unsupported",
        ),
        ("raise NotImplementedError('half done')", "raises NotImplementedError: half done."),
        ("raise ValueError(f'at {object()}')", "raises ValueError: at <object object at 0x...>."),
        ("return double", "TypeError: expected numbers or arrays of numbers as output, got function."),
        ("return double(x)", "RecursionError"),
        ("import sys; sys.exit(0)", "raises SystemExit: 0."),
        (
            "x *= 2\n    return x",
            "The values are right, but it changes its argument in place: work on a copy.",
        ),
    ],
)
def test_wrong_answers_are_told_apart(body, told):
    judged = _judged(f"def double(x):\n    {body}")
    assert judged.status == WRONG
    assert told in judged.message and "\n" not in judged.message


def test_an_answer_that_takes_other_arguments_is_wrong():
    judged = _judged("def double():\n    return 1")
    assert judged.status == WRONG and "double() takes 0 positional arguments" in judged.message


def test_an_oracle_that_works_in_place_allows_it():
    def doubled(x):
        x *= 2
        return x

    assert _judged("def double(x):\n    x *= 2\n    return x", oracle=doubled).status == RIGHT


@pytest.mark.parametrize(
    "source",
    [
        "def double(x):\n    from gancourse.chapters.ch00_start.exercises import mean_image\n    return 2 * x",
        "import gancourse.chapters.ch00_start.exercises as c\ndef double(x):\n    return c.mean_image(x)",
        "import gancourse\ndef double(x):\n    c = gancourse.chapters.ch00_start.exercises\n"
        "    getattr(c, 'mean_' + 'image')(x)\n    return 2 * x",
        "double = __import__('gancourse.chapters').chapters.ch00_start.exercises.mean_image",
    ],
)
def test_the_courses_function_is_out_of_bounds(source):
    name = "gancourse.chapters.ch00_start.exercises.mean_image"
    judged = _judged(source, forbidden=(name,), cases=lambda rng: [(torch.ones(2, 2),)])
    assert judged.status == WRONG
    assert judged.message.startswith(f"It uses {name}. Write it yourself")


@pytest.mark.parametrize(
    "body", ["f = torch.add\n    return f(x, x)", "x = torch.as_tensor(x)\n    return x.add(x)"]
)
def test_builtins_can_be_out_of_bounds(body):
    changes = {"forbidden": ("torch.add", "torch.Tensor.add"), "cases": lambda rng: [(torch.ones(2),)]}
    assert "It uses torch." in _judged(f"def double(x):\n    {body}", **changes).message
    assert _judged("def double(x):\n    return 2 * x", **changes).status == RIGHT


def test_a_class_is_used_as_the_record_says_and_its_course_version_is_barred():
    class Doubler:
        def __call__(self, x):
            return 2 * x

    record = {"oracle": Doubler, "call": lambda answer, x: answer()(x)}
    mine = "class double:\n    def __call__(self, x):\n        return x + x"
    assert _judged(mine, **record).status == RIGHT
    assert _judged(mine.replace("return x + x", "raise NotImplementedError"), **record).status == UNTRIED
    namespace = {"base": Doubler}
    exec("class double(base):\n    pass", namespace)
    assert judge(_doubling(**record), namespace).message.startswith("It uses the course's double.")


def test_random_answers_are_judged_as_the_record_says():
    def near(case, output, expected):
        return output.shape == expected.shape and abs(output.mean() - expected.mean()) < 0.1

    record = {
        "oracle": lambda n, generator: generator.normal(1, 1, n),
        "cases": lambda rng: [(10_000, rng)],
        "accepts": near,
        "mistakes": (
            (lambda n, g: g.normal(2, 1, n), "Wrong mean.", near),
            (lambda n, g: np.zeros(n), "Constant.", lambda c, o, e: o.std() == 0),
        ),
    }
    assert _judged("def double(n, g):\n    return 1 + g.normal(size=n)", **record).status == RIGHT
    assert _judged("def double(n, g):\n    return 2 + g.normal(size=n)", **record).message == "Wrong mean."
    assert _judged("def double(n, g):\n    return np.zeros(n) + 7", **record).message == "Constant."
    other = _judged("def double(n, g):\n    return g.normal(-3, 1, n)[:9]", **record).message
    assert "a right answer is, for example," in other


def test_global_random_state_is_fixed_and_put_back():
    torch.manual_seed(1), np.random.seed(1)
    before = torch.rand(1), np.random.rand()
    torch.manual_seed(1), np.random.seed(1)
    source = "def double(x):\n    return torch.rand(3) + np.random.rand()"
    first, second = (run(_doubling(), compiled(source, "double")) for _ in range(2))
    assert np.array_equal(first[0].output, second[0].output)
    assert (torch.rand(1), np.random.rand()) == before
    assert sys.getprofile() is None and not isinstance(sys.stdout, type(io.StringIO))


def test_check_prints_binds_and_returns_nothing(capsys):
    namespace = _namespace("def mean_image(images):\n    return images.float().mean()")
    assert check("00.1", namespace) is None
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 2 and told[0].startswith("✗ 00.1 mean_image: wrong. That is one number")
    assert namespace["mean_image"] is exercise("00.1").oracle
    check("00.1", namespace)
    assert capsys.readouterr().out.startswith(
        "○ 00.1 mean_image: not attempted. mean_image is the course's own here"
    )


def test_check_finds_its_caller(capsys):
    namespace = {"check": check}
    exec("def mean_image(images):\n    return images.double().mean(0)\ncheck('00.1')", namespace)
    assert capsys.readouterr().out == "✓ 00.1 mean_image: right.\n"
    exec("del mean_image\ncheck('00.1')", namespace)
    assert capsys.readouterr().out.startswith(
        "○ 00.1 mean_image: not attempted. There is no mean_image here yet"
    )
    assert callable(namespace["mean_image"])


@pytest.mark.parametrize(
    ("variable", "value", "raises"),
    [
        ("GANCOURSE_GRADING", "1", True),
        ("NBGRADER_EXECUTION", "autograde", True),
        ("NBGRADER_EXECUTION", "validate", True),
        ("NBGRADER_EXECUTION", "generate_feedback", False),
    ],
)
def test_graded_mode_raises_after_binding(variable, value, raises, monkeypatch, capsys):
    monkeypatch.setenv(variable, value)
    namespace: dict = {}
    if raises:
        with pytest.raises(CheckFailed, match=r"00\.1 mean_image: not attempted"):
            check("00.1", namespace)
    else:
        check("00.1", namespace)
    assert namespace["mean_image"] is exercise("00.1").oracle


def test_an_unknown_exercise_is_named():
    with pytest.raises(ValueError, match=r"no exercise '77\.1'"):
        check("77.1", {})


def test_close_knows_shapes_kinds_and_float32():
    a = np.array([1.0, 2.0])
    assert close(normal([1, 2.0]), a) and close(a, normal((1, np.float32(2))))
    assert not close(normal([1, 2.0, 3]), a) and not close(normal(1.0), a) and not close(a[:, None], a)
    assert close(np.float32(1 / 3) * a.astype(np.float32), a / 3, rtol=1e-12)
    assert not close(a * (1 + 1e-4), a) and not close(a.astype(np.float32) * 1.001, a)
    assert close(normal([np.nan, np.inf]), normal([np.nan, np.inf])) and not close(
        normal([np.inf]), normal([-np.inf])
    )
    assert close(normal("a"), normal("a")) and not close(normal("a"), normal(1))
    assert close(normal({"b": 1, "a": 2}), normal({"a": 2, "b": 1})) and not close(normal(()), a)


def test_outputs_survive_a_file_without_objects(tmp_path):
    nested = (np.arange(3), (np.array(1.5), np.array("text")), ())
    results = [
        Result(nested, changed=True),
        Result(error="ValueError", detail="line 3"),
        Result(np.array(True), forbidden="f"),
    ]
    np.savez(tmp_path / "outputs.npz", **pack_results(results))
    with np.load(tmp_path / "outputs.npz", allow_pickle=False) as arrays:
        back = unpack_results(arrays)
    assert [(r.error, r.detail, r.changed, r.forbidden) for r in back] == [
        (r.error, r.detail, r.changed, r.forbidden) for r in results
    ]
    assert all(close(a.output, b.output) for a, b in zip(back, results, strict=True) if not a.error)
    assert close(back[0].output[1][1], np.array("text")) and back[0].output[2] == ()


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"cases": np.array(10**15)},
        {"cases": np.array([1, 2])},
        {"cases": np.array(1), "0.told": np.array(["", "", "", "", ""])},
        {"cases": np.array(1), "0.told": np.array(["", "", "", "", ""]), "0.parts": np.array(10**15)},
        {
            "cases": np.array(1),
            "0.told": np.array(["", "", "", "", ""]),
            "0": np.array(["2020"], "datetime64[D]"),
        },
        {"cases": np.array(1), "0.told": np.array(["", ""])},
        {"cases": np.array(np.nan)},
    ],
)
def test_a_strangers_arrays_are_refused(arrays):
    with pytest.raises(ValueError):
        unpack_results(arrays)


def test_missing_outputs_are_no_right_answer():
    record = _doubling()
    results = run(record, compiled("def double(x):\n    return x + x", "double"))
    assert verdict(record, results).status == RIGHT
    assert verdict(record, results[:1]).status == WRONG and verdict(record, []).status == WRONG
    assert verdict(record, results, seed=1).status == WRONG


def test_a_source_is_judged_without_running_it():
    record = exercise("00.1")
    source = "from gancourse.chapters.ch00_start.exercises import mean_image as m\nprint(1 / 0)"
    assert rules.forbidden_use(record, source) == "the course's mean_image"
    assert rules.forbidden_use(record, "def mean_image(x:\n") == ""
    assert rules.forbidden_use(record, "def mean_image(x):\n    return mean_image(x)") == ""


def test_cases_share_no_memory():
    one = torch.ones(2, 2)
    record = _doubling(oracle=lambda x, y: x + y, cases=lambda rng: [(one, one), (one, one)])
    judged = judge(record, _namespace("def double(x, y):\n    x += y\n    return x"))
    assert (judged.status, judged.message[:20]) == (WRONG, "The values are right")


def test_an_error_is_a_mistake_only_with_its_text():
    record = _doubling(mistakes=((lambda x: torch.as_tensor(x).to(torch.uint8).mean(), "Bytes."),))
    same = "def double(x):\n    return torch.as_tensor(x).to(torch.uint8).mean()"
    other = "def double(x):\n    return torch.as_tensor(x) @ torch.ones(7)"
    assert judge(record, _namespace(same)).message == "Bytes."
    assert "raises RuntimeError" in judge(record, _namespace(other)).message


def test_a_helper_in_another_cell_is_named():
    source = "def helper(x):\n    return x.no\ndef double(x):\n    return helper(x)"
    assert "line 2 of the cell that defines `helper`" in _judged(source, mistakes=()).message
    stub = "def helper(x):\n    raise NotImplementedError\ndef double(x):\n    return helper(x)"
    judged = _judged(stub, mistakes=())
    assert (
        judged.status == WRONG
        and "it calls `helper`, which still raises NotImplementedError" in judged.message
    )


def test_digits_are_shown_until_the_difference_is_seen():
    record = _doubling(cases=lambda rng: [(np.full((3, 5), 82.6),)])
    judged = judge(record, _namespace("def double(x):\n    x = 2 * x\n    x[0, 2] += 0.01\n    return x"))
    assert "expected [0, 2] = 165.2, got 165.21" in judged.message


def test_the_part_that_differs_is_named():
    record = _doubling(oracle=lambda x: (2 * x, x.mean()), returns=("twice", "mean"))
    judged = judge(record, _namespace("def double(x):\n    return 2 * x, x.sum()"))
    assert "expected mean = 1.5, got 3" in judged.message
    unnamed = _doubling(oracle=lambda x: (2 * x, x.mean()))
    judged = judge(unnamed, _namespace("def double(x):\n    return 2 * x, x.sum()"))
    assert "part 2 of 2 = 1.5" in judged.message


def test_the_failing_input_can_be_had():
    judged = judge(exercise("03.4"), {"fid": _namespace("def fid(real, fake):\n    return 7.0")["fid"]})
    assert '`check.case("03.4", 0)` gives you this input' in judged.message
    real, fake = check.case("03.4", 0)
    assert real.shape == fake.shape == (4, 2)
    real += 1
    assert not torch.equal(real, check.case("03.4", 0)[0])
    hidden = judge(
        exercise("03.4"), {"fid": _namespace("def fid(real, fake):\n    return 7.0")["fid"]}, seed=5
    )
    assert hidden.status == WRONG and "check.case" not in hidden.message
    with pytest.raises(ValueError, match=r"i: exercise 03\.4 has the cases 0 to"):
        check.case("03.4", 99)


def test_an_endless_answer_ends_in_a_verdict():
    start = time.monotonic()
    judged = _judged("def double(x):\n    while True:\n        pass", seconds=0.3)
    assert judged.status == TIMED_OUT and "an endless loop?" in judged.message
    swallows = "def double(x):\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass\n    while True:\n        pass"
    assert _judged(swallows, seconds=0.3).status == TIMED_OUT
    assert time.monotonic() - start < 5
    assert _judged("def double(x):\n    return 2 * x", seconds=0.3).status == RIGHT


def test_a_watchdog_barks_in_any_thread():
    told = []
    thread = threading.Thread(
        target=lambda: told.append(_judged("def double(x):\n    while True:\n        pass", seconds=0.3))
    )
    thread.start()
    thread.join(20)
    assert told and told[0].status == TIMED_OUT


def test_an_interrupt_ends_in_a_verdict_and_goes_on(capsys):
    namespace = _namespace("def mean_image(images):\n    raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        check("00.1", namespace)
    assert INTERRUPTED in capsys.readouterr().out
    assert namespace["mean_image"] is exercise("00.1").oracle


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("def mean_imag(images):\n    return images.float().mean(0)", "Your cell defines mean_imag"),
        (
            "def mean_image(images):\n    return images.float(.mean(0)",
            "Line 2 of the answer cell can't be read",
        ),
        ("x = 1", "mean_image is the course's own here"),
    ],
)
def test_after_a_failed_check_the_cell_is_told_what_it_is(cell, told, capsys):
    namespace: dict = {}
    check("00.1", namespace)
    namespace["In"] = ["", cell, 'check("00.1")']
    assert told in judge(exercise("00.1"), namespace).message


@pytest.mark.parametrize(
    ("guess", "told"),
    [
        ("", "It happened: B. You made no guess."),
        ("b", "It happened: B. You guessed B: right."),
        ("A.", "It happened: B. You guessed A."),
        ("maybe", "It happened: B. Your guess 'maybe' is not one of the letters."),
    ],
)
def test_a_prediction_is_compared_with_what_happened(guess, told, capsys):
    predicted(guess, "B")
    assert capsys.readouterr().out == told + "\n"


def test_progress_counts_what_is_right(capsys):
    namespace = {"check": check, "progress": progress}
    exec("progress()", namespace)
    exec("check('00.1')\nprogress()", namespace)
    assert capsys.readouterr().out.endswith(
        "○ Chapter 00: 0 of 1 exercises right, 0 of 1 points.\nOpen: 00.1 mean_image.\n"
    )
    exec("def mean_image(images):\n    return images.double().mean(0)\ncheck('00.1')\nprogress()", namespace)
    assert capsys.readouterr().out.endswith("✓ Chapter 00: 1 of 1 exercises right, 1 of 1 points.\n")


@pytest.mark.parametrize(
    "source",
    [
        "from gancourse.metrics import fid as f\ndef fid(real, fake):\n    return f(real=real, fake=fake).value",
        "def fid(real, fake):\n    from gancourse.metrics import fid as f\n    return f(real=real, fake=fake).value",
        "import functools, gancourse.metrics as m\ndef fid(real, fake):\n"
        "    return float(functools.partial(getattr(m, 'fid'), real=real)(fake=fake))",
        "import gancourse.metrics as m\ndef fid(real, fake):\n"
        "    return list(map(lambda x: m.frechet.fid(real=x, fake=fake).value, [real]))[0]",
        "import gancourse.metrics as m\ndef helper(x):\n    return m.Moments(x.shape[1]).update(x)\n"
        "def fid(real, fake):\n    return m.fid(real=helper(real), fake=helper(fake)).value",
    ],
)
def test_anything_of_the_course_is_out_of_bounds(source):
    judged = judge(exercise("03.4"), _namespace(source))
    assert judged.status == WRONG and judged.message.startswith("It uses "), judged


def test_what_an_argument_does_inside_is_free():
    from gancourse.models.layers import PixelNorm

    record = _doubling(
        oracle=lambda layer, x: layer(x), cases=lambda rng: [(PixelNorm(), torch.ones(2, 3))], mistakes=()
    )
    assert judge(record, _namespace("def double(layer, x):\n    return layer.forward(x)")).status == RIGHT
    mine = "from gancourse.models import VAE\ndef double(x):\n    return VAE().forward(x)"
    plain = _doubling(cases=lambda rng: [(torch.ones(2, 3),)], mistakes=())
    assert judge(plain, _namespace(mine)).message.startswith("It uses gancourse.models.vae.VAE")


def test_a_cell_may_compare_with_what_its_answer_may_not_call():
    source = "def covariance(x, y):\n    return 1\nprint(np.cov([1, 2], [3, 4]))"
    assert rules.forbidden_use(exercise("02.1"), source, {"np": np}) == ""
    assert rules.forbidden_use(
        exercise("02.1"), source.replace("return 1", "return np.cov(x, y)"), {"np": np}
    )
