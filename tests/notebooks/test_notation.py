"""One notation: a letter means in every chapter what the table in chapter 00 says, and one thing has one name."""

import ast
import inspect
import re

import pytest

import gancourse.latents
import gancourse.metrics
from gancourse.classroom import cells as roles
from gancourse.classroom import notebooks

GREEK = re.compile(
    r"\\(alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|varphi|chi"
    r"|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Sigma|Phi|Psi|Omega)(?![A-Za-z])"
)
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.S)

# Names that would be a second one for what the course already calls otherwise.
OTHER_NAMES = {
    "reals": "real", "real_features": "real", "fakes": "fake", "generated": "fake", "fake_features": "fake",
    "imgs": "images", "img": "images", "pictures": "images", "feats": "features", "embeddings": "features",
    "eps": "epsilon", "lam": "lambda's meaning", "cov_x": "sigma_x", "cov_y": "sigma_y", "mean_x": "mu_x",
    "w_mean": "w_avg", "w_bar": "w_avg", "truncation": "psi", "truncation_psi": "psi", "latents": "z or w",
    "n_layers": "num_layers", "nlayers": "num_layers", "bs": "batch_size", "batchsize": "batch_size",
    "logvar": "log_var", "log_sigma2": "log_var", "eta": "noise", "net": "network", "discriminator": "critic",
    "neighbours": "k", "nearest_k": "k", "probs": "probabilities", "classes_count": "classes", "rng": "generator",
}  # fmt: skip


def solved() -> list:
    return notebooks.solutions(())


def rows() -> list[tuple[set[str], set[str]]]:
    """Of each row of the table in 00: its Greek letters, and the numbers of the chapters that it names."""
    cells = notebooks.read(solved()[0])["cells"]
    source = next(cell["source"] for cell in cells if cell["id"] == "notation")
    lines = [line.split(" | ", 1) for line in source.split("\n") if line.startswith("| $")]
    found = [
        (greek(symbol), set(re.findall(r"\[(\d\d)\]", rest))) for symbol, rest in lines if "N(" not in symbol
    ]
    return [(letters, chapters) for letters, chapters in found if letters]


def greek(formula: str) -> set[str]:
    return set(GREEK.findall(formula))


def greek_of(path) -> dict[str, str]:
    """Letter -> a formula with it, of one chapter."""
    cells = notebooks.read(path)["cells"]
    formulas = [f for c in cells if c["cell_type"] == "markdown" for f in FORMULA.findall(c["source"])]
    return {letter: formula for formula in formulas for letter in greek(formula)}


@pytest.mark.parametrize("path", solved(), ids=lambda path: path.stem)
def test_every_greek_letter_stands_in_the_table_for_this_chapter(path):
    number = path.name[:2]
    if number in ("00", "12"):  # 00 holds the table, 12 looks back at all chapters
        return
    known = {letter for letters, chapters in rows() if number in chapters for letter in letters}
    missing = {letter: formula for letter, formula in greek_of(path).items() if letter not in known}
    assert not missing


def test_the_table_names_no_chapter_that_does_without_the_letter():
    used = {path.name[:2]: greek_of(path) for path in solved()}
    wrong = [
        (sorted(letters), number)
        for letters, chapters in rows()
        for number in chapters & used.keys()
        if not letters & used[number].keys()
    ]
    assert not wrong


def names_in_exercises() -> dict[str, str]:
    found = {}
    for path in solved():
        for cell in notebooks.read(path)["cells"]:
            if roles.is_answer(cell):
                for node in ast.walk(ast.parse(cell["source"])):
                    if isinstance(node, ast.FunctionDef):
                        found |= {a.arg: cell["id"] for a in (*node.args.args, *node.args.kwonlyargs)}
    return found


def names_in_rooms() -> dict[str, str]:
    public = [getattr(gancourse.metrics, name) for name in gancourse.metrics.__all__]
    public += [thing for _, thing in inspect.getmembers(gancourse.latents, inspect.isfunction)]
    functions = [thing for thing in public if inspect.isfunction(thing)]
    return {name: f.__name__ for f in functions for name in inspect.signature(f).parameters}


def test_one_thing_has_one_name():
    names = names_in_exercises() | names_in_rooms()
    assert len(names) > 80 and {"real", "fake", "w_avg", "epsilon"} <= names.keys()
    second = {name: where for name, where in names.items() if name in OTHER_NAMES}
    assert not second, {name: f"{where}: call it {OTHER_NAMES[name]}" for name, where in second.items()}
