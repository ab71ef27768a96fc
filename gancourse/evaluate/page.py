"""An evaluation as one static page: the table, some fakes beside the reals nearest to them, and the PRD curve."""

import base64
import html

import torch
from torch import Tensor

from gancourse import figures
from gancourse.evaluate.run import Evaluation
from gancourse.metrics import PRDCurve, prd_curve
from gancourse.seeds import stream

FAKES, NEAREST = 8, 5
STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: light-dark(#111, #eee); background: light-dark(#fff, #161616); overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; overflow-wrap: normal; }
caption { text-align: left; font-weight: bold; padding: .5rem 0; }
th, td { border-bottom: 1px solid light-dark(#ccc, #555); padding: .25rem .75rem; text-align: left; }
img { max-width: 100%; height: auto; background: #fff; }
"""


def page(evaluation: Evaluation) -> str:
    """The evaluation as HTML that needs no other file, no script and no network; every picture has a text."""
    real, fake = evaluation.real, evaluation.fake
    title = html.escape(f"{fake.name} against {real.name}")
    table = evaluation.report._repr_html_()
    parts = [f"<h1>{title}</h1>", f'<div class="wide" tabindex="0">{table}</div>']
    parts += [f"<p>{html.escape(note)}</p>" for note in evaluation.notes]
    if isinstance(real.features, Tensor) and isinstance(fake.features, Tensor):
        if real.images and fake.images:
            parts += ["<h2>Do the fakes copy?</h2>", _neighbours(evaluation)]
        clusters = min(20, len(real.features))
        curve = prd_curve(real=real.features, fake=fake.features, clusters=clusters, seed=evaluation.seed)
        parts += ["<h2>Precision against recall</h2>", _curve(curve)]
    for side, files in evaluation.skipped.items():
        if files:
            rows = "".join(f"<li>{html.escape(f'{name} {why}')}</li>" for name, why in sorted(files.items()))
            parts.append(f"<h2>{len(files)} {side} files were left out</h2><ul>{rows}</ul>")
    body = "\n".join(parts)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += f"<title>{title}</title><style>{STYLE}</style>"
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body><main>\n{body}\n</main></body></html>\n'
    )


def _neighbours(evaluation: Evaluation) -> str:
    """Random fakes, each with the nearest reals in feature space: a copy of a real image would show here."""
    real, fake = evaluation.real, evaluation.fake
    random = stream(evaluation.seed)
    rows = torch.randperm(len(fake.features), generator=random)[:FAKES].sort().values
    distances = torch.cdist(fake.features[rows].double(), real.features.double())
    near = distances.topk(min(NEAREST, len(real.features)), largest=False)
    wanted = sorted({real.positions[i] for i in near.indices.flatten()})
    reals = dict(zip(*real.images.read(wanted), strict=True))
    fakes = fake.images.read([fake.positions[i] for i in rows])[1]
    figure, (left, right) = figures.new(
        1, 2, size=(8, 8 * len(rows) / (near.indices.shape[1] + 2)), width_ratios=(1, near.indices.shape[1])
    )
    figures.draw_images(left, fakes, columns=1)
    left.set_title("fake", color=figures.FAKE)
    nearest = torch.stack([reals[real.positions[i]] for i in near.indices.flatten()])
    figures.draw_images(right, nearest, columns=near.indices.shape[1])
    right.set_title("the real images nearest to it", color=figures.REAL, loc="left")
    low, high = near.values[:, 0].min(), near.values[:, 0].max()
    return _image(
        figure,
        f"{len(rows)} random fakes, each beside its {near.indices.shape[1]} nearest real images. The distance to the "
        f"nearest is {low:.3g} to {high:.3g} in feature space; 0 would be a copy.",
    )


def _curve(curve: PRDCurve) -> str:
    figure, ax = figures.new(size=(4.6, 4.2))
    ax.plot(curve.recall, curve.precision, color=figures.FAKE)
    ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    recall, precision = curve.f_beta(8), curve.f_beta(1 / 8)
    ax.set_title(f"F8 (recall) {recall:.2f}, F1/8 (precision) {precision:.2f}")
    return _image(
        figure,
        f"The precision-recall curve of the fakes: F8, which weighs recall, is {recall:.2f}, and F1/8, which weighs "
        f"precision, {precision:.2f}; equal distributions would reach 1 and 1.",
    )


def _image(figure, alt: str) -> str:
    data = base64.b64encode(figures.png(figure)).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">\n<p>{html.escape(alt)}</p>'
