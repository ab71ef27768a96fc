"""Are the numbers right? Errors against the definitions in 60 digits, and what bad input does."""

import dis

import numpy as np

from benchmarks import measure
from benchmarks.measure import alone, features, quiet, table
from benchmarks.peers import PEERS, contenders
from benchmarks.speed import moments


def errors(quick):
    most, dim, small, n = (64, 32, 4, 30) if quick else (2048, 512, 12, 100)
    cases = []
    for power, size in ((6, most), (2, dim), (6, dim), (12, dim)):
        name = f"Fréchet, commuting, condition 1e{power}, D = {size}"
        cases.append((name, "frechet", *commuting(size, power)))
    x = features(dim // 4, dim, 1).astype(np.float64)
    truth = 0.01 * (x.mean(axis=0) @ x.mean(axis=0) + x.var(axis=0, ddof=1).sum())
    cases.append((f"FID of x and 1.1 x, N = {dim // 4} < D = {dim}", "fid", (x, 1.1 * x), truth))
    cases.append((f"Fréchet, identical, D = {dim}", "frechet", moments(dim, 1) * 2, 0.0))
    given = moments(small, 1) + moments(small, 2)
    cases.append((f"Fréchet, D = {small}", "frechet", given, measure.exact_frechet(*given)))
    pair = features(n, small, 1), features(n, small, 2, 0.1)
    cases.append((f"KID, {n} x {small}, float32", "kid", pair, measure.exact_kid(*pair)))
    log_p = measure.log_probabilities(10 * n, 50)
    truth = measure.exact_inception_score(log_p, 1)
    cases.append((f"Inception Score, {10 * n} x 50", "inception_score", (log_p, 1), truth))
    libraries, rows = list(contenders("frechet")), []
    for case, metric, arrays, truth in cases:
        found = {name: attempt(name, metric, arrays) for name in contenders(metric)}
        off = {name: said or abs(x - truth) / (abs(truth) or 1) for name, (x, said) in found.items()}
        rows.append([case, *(off.get(name, "") for name in libraries)])
    note = "Absolute for identical moments. Truth: closed forms, else the definition in 60 digits."
    return "Relative errors", f"{table(['case', *libraries], rows)}\n\n{note}"


def commuting(dim, power):
    """Moments with covariances H diag(a) H and H diag(b) H, H a reflection: |shift|^2 + sum (sqrt a - sqrt b)^2."""
    rng = np.random.default_rng(power)
    a, b = (np.logspace(0, -power, dim) * rng.uniform(0.5, 2, dim) for _ in range(2))
    v, shift = rng.normal(size=dim), rng.normal(size=dim) / dim
    v /= np.linalg.norm(v)

    def reflected(d):
        cross = np.outer(v, v * d)
        return np.diag(d) - 2 * (cross + cross.T) + 4 * (v @ (v * d)) * np.outer(v, v)

    truth = shift @ shift + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    return (np.zeros(dim), reflected(a), shift, reflected(b)), float(truth)


def bad_input(quick):
    cases, jobs = {}, []
    for metric, exact in EXACT.items():
        made = score_cases() if metric == "inception_score" else pair_cases(30 if quick else 100)
        cases[metric] = {case: (exact(*arrays) if good else None) for case, (good, *arrays) in made.items()}
        for library in contenders(metric):
            jobs += [(attempt, library, metric, arrays) for _, *arrays in made.values()]
    answers, parts, passed = alone(jobs, seconds=120), [], {}
    for metric, truths in cases.items():
        columns, remarks = {}, []
        for library in contenders(metric):
            columns[library] = []
            for (case, truth), answer in zip(truths.items(), answers, strict=False):
                died = isinstance(answer, Exception)
                value, said = (
                    (None, "crash: the interpreter died, or hung for two minutes") if died else answer
                )
                verdict = judged(value, said, truth)
                columns[library].append(verdict)
                if verdict not in PASSED:
                    right = "an error" if truth is None else measure.shown(truth)
                    remarks.append(f"- {library}, {case}: {said or measure.shown(value)}; right is {right}")
            passed[library] = [*passed.get(library, []), *columns[library]]
        rows = [[case, *verdicts] for case, *verdicts in zip(truths, *columns.values(), strict=True)]
        parts += [f"### {metric}", table(["input", *columns], rows), "\n".join(remarks)]
    score = [[name, sum(x in PASSED for x in verdicts), len(verdicts)] for name, verdicts in passed.items()]
    note = (
        "Passed: the right number (to three digits), or a clear error: raised in Python by a `raise` or an `assert` "
        "with a message (linear algebra's own complaints are opaque). prdc may count a point on a sphere as outside "
        "(`<`), as its authors do. All run in a process that may die."
    )
    return "Bad input", "\n\n".join([table(["library", "passed", "of"], score), note, *filter(None, parts)])


PASSED = ("right", "clear error")
EXACT = {
    "fid": measure.exact_fid,
    "kid": measure.exact_kid,
    "prdc": lambda real, fake: [measure.exact_prdc(real, fake, 5, rule) for rule in (np.less_equal, np.less)],
    "precision_recall": lambda real, fake: measure.exact_prdc(real, fake, 3)[:2],
    "inception_score": measure.exact_inception_score,
}


def pair_cases(n):
    """Case: (is there a right number?, real, fake)."""
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(n, 4)), rng.normal(size=(n, 4)) * 1.2 + 0.5
    nan, infinite, flat = fake.copy(), fake.copy(), np.array([1.0, 1.0, 1.0, 0.0])
    nan[7, 1], infinite[7, 1] = np.nan, np.inf
    wide = rng.normal(size=(n, 300))
    return {
        "NaN in one row": (False, real, nan),
        "NaN in one row, D = 300": (False, wide, np.where(np.arange(n)[:, None] == 7, np.nan, wide)),
        "infinity in one row": (False, real, infinite),
        "one row": (False, real[:1], fake[:1]),
        "no rows": (False, real[:0], fake[:0]),
        "no columns": (False, real[:, :0], fake[:, :0]),
        "one axis": (False, real[:, 0], fake[:, 0]),
        "three axes": (False, real[:, None], fake[:, None]),
        "other widths": (False, real, fake[:, :3]),
        "N = 8 < D = 12": (True, rng.normal(size=(8, 12)), rng.normal(size=(8, 12))),
        "D = 1": (True, real[:, :1], fake[:, :1]),
        "a constant column": (True, real * flat, fake * flat),
        "identical sets": (True, real, real.copy()),
        "offset 1e8": (True, real + 1e8, fake + 1e8),
        "offset 1e3 in float32": (True, np.float32(real + 1e3), np.float32(fake + 1e3)),
        "integers": (True, np.int64(3 * real), np.int64(3 * fake)),
        "half precision": (True, np.float16(real), np.float16(fake)),
    }


def score_cases():
    """Case: (is there a right number?, log probabilities, splits)."""
    log_p = measure.log_probabilities(100, 10)
    nan = log_p.copy()
    nan[7, 1] = np.nan
    onehot = np.where(np.eye(11) == 1, 0.0, -800.0)
    return {
        "NaN in one row": (False, nan, 1),
        "one axis": (False, log_p[0], 1),
        "no rows": (False, log_p[:0], 1),
        "more splits than rows": (False, log_p[:5], 10),
        "one row": (True, log_p[:1], 1),
        "one class": (True, log_p[:, :1] * 0, 1),
        "sure rows, 11 in 10 splits": (True, onehot, 10),
        "half precision": (True, np.float16(log_p), 1),
    }


def attempt(library, metric, arrays):
    """(value, "") or (None, what went wrong)."""
    try:
        with quiet():
            return PEERS[metric][library](*arrays), ""
    except Exception as error:
        trace = error.__traceback__
        while trace.tb_next:
            trace = trace.tb_next
        code = trace.tb_frame.f_code.co_code  # where it was raised, before any `finally` there went on
        raised = code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]  # not by a function in C
        clear = raised and str(error) and not isinstance(error, np.linalg.LinAlgError)
        said = " ".join(str(error).split())[:90]
        return None, f"{'clear' if clear else 'opaque'} error: {type(error).__name__}: {said}"


def judged(value, said, truth):
    if said:
        return said.split(":")[0]
    if truth is not None and np.isclose(value, np.atleast_2d(truth), rtol=1e-3, atol=1e-9).all(axis=1).any():
        return "right"
    return "NaN" if np.isnan(value).any() else "WRONG number"
