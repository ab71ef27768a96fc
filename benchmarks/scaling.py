"""How the seconds grow with N and with D, drawn."""

from pathlib import Path

from benchmarks.measure import features, in_turns, table
from benchmarks.peers import MODULES, contenders
from benchmarks.speed import moments
from gancourse import figures

MARKS = dict(zip(MODULES, zip(figures.PALETTE.values(), "o^vsDP", strict=False), strict=True))


def scaling(quick):
    dims, sizes = ((8, 16), (60, 120)) if quick else ((64, 128, 256, 512, 1024), (500, 1000, 2000, 4000))
    figure, axes = figures.new(1, 3, size=(12, 3.8))
    panels = [
        ("frechet", dims, "dimensions D", "Fréchet distance from moments"),
        ("prdc", sizes, "samples N, D = 64", "Precision, recall, density, coverage"),
        ("kid", sizes, "samples N, D = 64", "KID"),
    ]
    parts = []
    for ax, (metric, steps, label, title) in zip(axes, panels, strict=True):
        spent = {name: [] for name in contenders(metric)}
        sets = [
            moments(step, 1) + moments(step, 2)
            if metric == "frechet"
            else (features(step, 64, 1), features(step, 64, 2, 0.1))
            for step in steps
        ]
        in_turns(contenders(metric), sets[0], rounds=1)  # imports and thread pools come first
        for arrays in sets:
            for name, _, cpu, *_ in in_turns(contenders(metric), arrays, rounds=3):
                spent[name].append(cpu)
        for name, times in spent.items():
            colour, marker = MARKS[name]
            ax.loglog(steps, times, color=colour, marker=marker, label=name)
        ax.set(title=title, xlabel=label, ylabel="CPU seconds")
        ax.set_xticks(steps, [f"{step:,}" for step in steps])
        ax.minorticks_off()
        ax.legend(fontsize="small", frameon=False)
        rows = [[name, *times] for name, times in spent.items()]
        parts += [f"{title}, CPU seconds by {label}:", table(["library", *map(str, steps)], rows)]
    if not quick:
        figure.savefig(Path(__file__).with_name("scaling.png"), dpi=90)
        parts.append("![CPU seconds against D and N on logarithmic axes, one line a library](scaling.png)")
    return "Scaling", "\n\n".join(parts)
