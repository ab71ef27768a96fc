"""What nbval passes silently, and what a reader who sees or hears the page differently would miss."""

import ast
import re
import statistics

MOST_WORDS = 5000
MOST_BYTES = 1_200_000


def complaints(notebook: dict) -> list[str]:
    """Everything wrong with an executed solution notebook, each as "cell id: what"."""
    cells = notebook["cells"]
    found = [f"{cell['id']}: {what}" for cell in cells for what in _of_cell(cell)]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    if not code or code[0]["metadata"].get("gancourse", {}).get("role") != "bootstrap":
        found.append("the first code cell is not the bootstrap cell (metadata.gancourse.role)")
    for cell, following in zip(code, [*code[1:], None], strict=True):
        if re.fullmatch(r"answer-\d\d-\d+", cell["id"]):
            check = cell["id"].replace("answer-", "check-")
            if following is None or following["id"] != check:
                found.append(f"{cell['id']}: the next code cell is not {check}")
            elif f'check("{cell["metadata"]["gancourse"]["exercise"]}")' not in following["source"]:
                found.append(f"{check}: does not call check on its exercise")
    return found


def shape(notebook: dict, size: int) -> list[str]:
    """What a chapter as a whole may not be: too long, too large, without its ends, in other forms than the others."""
    cells = notebook["cells"]
    headings = [line for c in _markdown(cells) for line in c["source"].splitlines() if line.startswith("#")]
    ends = [i for i, c in enumerate(cells) if c["source"].startswith("## In one minute")]
    found = [] if ends else ["has no section `## In one minute`"]
    words = sum(len(c["source"].split()) for c in _markdown(cells[: ends[0] if ends else None]))
    if words > MOST_WORDS:
        found.append(f"has {words} words before `In one minute`, more than {MOST_WORDS}")
    if size > MOST_BYTES:
        found.append(f"takes {size:,} bytes, more than {MOST_BYTES:,}")
    lines = [len(c["source"].splitlines()) for c in cells if c["cell_type"] == "code"]
    if statistics.median(lines) > 8:
        found.append(f"its code cells have a median of {statistics.median(lines)} lines, more than 8")
    for heading in headings:
        if "EXERCISE" in heading and not re.fullmatch(
            r"### EXERCISE \d\d\.\d+ \(\d+ points?\): \w+", heading
        ):
            found.append(
                f"a heading in another form than `### EXERCISE 03.2 (3 points): matrix_sqrt`: {heading}"
            )
        if re.match(r"#+ predict", heading, re.I) and heading != "### Predict":
            found.append(f"a heading in another form than `### Predict`: {heading}")
    sources = [c["source"] for c in cells if c["cell_type"] == "code"]
    guesses = sum(bool(re.search(r'^prediction = ""', source, re.M)) for source in sources)
    if sum(heading == "### Predict" for heading in headings) != guesses:
        found.append('each `### Predict` needs its own cell `prediction = ""  # A, B or C`')
    if guesses != sum(len(re.findall(r"^\s*predicted\(", source, re.M)) for source in sources):
        found.append("each prediction needs its own `predicted(prediction, happened)`")
    if any("check-" in c["id"] for c in cells) and not any("progress()" in source for source in sources):
        found.append("has exercises and no `progress()`")
    return found


def _markdown(cells: list[dict]) -> list[dict]:
    return [cell for cell in cells if cell["cell_type"] == "markdown"]


def _of_cell(cell: dict):
    if len(cell["source"].splitlines()) > 25 and cell["cell_type"] == "code":
        yield "more than 25 lines"
    if cell["cell_type"] == "markdown":
        if re.search(r"!\[\s*\]", cell["source"]):
            yield "an image without alt text"
        for tag in re.findall(r"<img\b[^>]*>", cell["source"]):
            if not re.search(r"""alt=["']\s*[^"'\s]""", tag):
                yield "an <img> without alt text"
    if cell["cell_type"] == "code":
        yield from _of_code(cell)


def _of_code(cell: dict):
    tags, outputs = cell["metadata"].get("tags", []), cell["outputs"]
    if cell["execution_count"] is None:
        yield "was not executed: nbval would compare nothing"
    if re.search(r"NBVAL_|PYTEST_VALIDATE", cell["source"]) or "nbval-skip" in tags:
        yield "nbval is steered by tags, and no cell is skipped"
    errors = any(output["output_type"] == "error" for output in outputs)
    expected = bool({"raises-exception", "nbval-raises-exception"} & set(tags))
    if expected and not errors:
        yield "the expected exception did not come"
    if errors and not expected:
        yield "raised an exception"
    if any(output.get("name") == "stderr" for output in outputs):
        yield "wrote to stderr"
    statements = ast.parse(re.sub(r"^\s*[%!].*$", "", cell["source"], flags=re.M)).body
    asserts = any(isinstance(node, ast.Assert) for s in statements for node in ast.walk(s))
    acts = any(isinstance(s, ast.Expr) and not isinstance(s.value, ast.Constant) for s in statements)
    if "nbval-ignore-output" in tags and not asserts:
        yield "ignores its output and asserts nothing"
    if acts and not outputs and not asserts:
        yield "acts, but shows and asserts nothing that could be compared"
    for output in outputs:
        yield from _of_output(output)


def _of_output(output: dict):
    data = output.get("data", {})
    text = output.get("text", "") + "".join(v for k, v in data.items() if k.startswith("text/"))
    if data and not any(mime.startswith("text/") for mime in data):
        yield "an output without text: nbval would compare nothing"
    if any(mime.startswith("image/") and not _alt(output, mime) for mime in data):
        yield "a picture without alt text in its metadata"
    if re.search(r"\bat 0x[0-9a-f]+|<Figure size", text):
        yield "shows an object's address or a bare figure"
    if re.search(r"(?<![\w.])/(home|root|tmp|work|Users|usr)/", text):
        yield "shows a path of the machine it ran on"


def _alt(output: dict, mime: str) -> str:
    return str(output.get("metadata", {}).get(mime, {}).get("alt", "")).strip()
