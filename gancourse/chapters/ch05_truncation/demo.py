"""What truncation does to sixteen images while you drag, and a game of telling real from generated."""

import base64
import functools
import html
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from gancourse import figures
from gancourse.chapters.ch05_truncation.pictures import measured
from gancourse.datasets import fashion_mnist, quantise
from gancourse.demos.control import Demo, Slider
from gancourse.demos.stage import Stage
from gancourse.latents import sample
from gancourse.models import load
from gancourse.seeds import stream

# --- two sliders -------------------------------------------------------------------------------------------


def truncation_demo():
    """Sliders for psi on w and for a threshold on z: sixteen fixed latents of the shipped StyleGAN, and the trade.

    The noise maps are fixed, so that an image is a function of its w alone and psi = 0 gives sixteen equal ones.
    The curves are measured at every tenth of psi, without a threshold (`data/measured/05_psi.json`), and drawn
    straight between. For the threshold see `narrowed`.
    """
    network = load("stylegan")
    z = sample(16, network.z_dim, generator=stream(12))

    slider = Slider("psi", "psi, on w", 0.0, 1.2, 0.05, 1.0)

    @functools.lru_cache(maxsize=1000)
    @torch.inference_mode()
    def images(psi, threshold):
        return quantise(network(narrowed(z, threshold), psi=psi))

    for step in range(25):  # what a drag of the first slider shows is drawn beforehand
        images(slider.exact(slider.step * step), 3.0)
    curves = {name: np.array(values) for name, values in measured("psi").items()}
    render, found = _trade(images, "psi", curves, "psi, on w", "16 latents of StyleGAN")

    def describe(psi, threshold):
        cut = narrowed(z, threshold).abs().max()
        return (
            f"psi {psi:g}: {found(psi)}. The largest |z| is {cut:.1f}; "
            "the curves are those of psi alone, without a threshold on z."
        )

    return Demo(
        render,
        [
            slider,
            Slider("threshold", "threshold on z", 0.1, 3.0, 0.1, 3.0),
        ],
        describe,
        title="Fewer kinds, fewer accidents: truncation in w",
        stills=[{"psi": 1.0}, {"psi": 0.5}, {"psi": 0.0}, {"threshold": 0.1}],
    )


def threshold_demo():
    """A slider for the threshold on z where z is what the network draws from: the shipped VAE's decoder.

    Sixteen fixed latents, and the measured curves of the threshold, drawn straight between the measured ones.
    """
    network = load("vae")
    z = sample(16, network.z_dim, generator=stream(12))

    @torch.inference_mode()
    def images(threshold):
        return quantise(network(narrowed(z, threshold)))

    curves = {name: np.array(values) for name, values in measured("threshold", network="vae").items()}
    render, found = _trade(images, "threshold", curves, "threshold on z", "16 latents of the VAE")

    def describe(threshold):
        return f"threshold {threshold:g}: {found(threshold)}."

    return Demo(
        render,
        [Slider("threshold", "threshold on z", 0.25, 3.0, 0.25, 3.0)],
        describe,
        title="A network that truncation doesn't suit",
        stills=[{}, {"threshold": 1.0}, {"threshold": 0.25}],
    )


def narrowed(z: Tensor, threshold: float) -> Tensor:
    """Standard normals (N, D) moved to a normal cut at the threshold, each to the same quantile, float32.

    Truncation draws again what is beyond, which a slider can't show: images would jump. A number that is larger than
    90% of all normals becomes the one that is larger than 90% of the truncated ones. The distribution is the same.
    """
    mass = torch.special.erf(torch.tensor(threshold / 2**0.5, dtype=torch.float64))
    share = torch.special.erf(z.double() / 2**0.5) * mass
    return (2**0.5 * torch.special.erfinv(share)).float()


def _trade(images: Callable[..., Tensor], name: str, curves: dict, label: str, heading: str):
    """What draws a state, and what says its numbers: tiles on the left, FID, precision and recall on the right."""
    x = curves[name]
    figure, (top, bottom) = figures.new(2, 1, size=(7.0, 3.75), sharex=True, layout="none")
    figure.subplots_adjust(left=0.575, right=0.98, top=0.91, bottom=0.135, hspace=0.12)
    colors = {"precision": figures.PALETTE["green"], "recall": figures.PALETTE["purple"], "fid": figures.FAKE}
    axes = {"precision": top, "recall": top, "fid": bottom}
    for part, ax in axes.items():
        ax.plot(x, curves[part], "o-", ms=4, color=colors[part], label=part)
    top.set(ylim=(-0.03, 1.03), ylabel="share of images")
    top.legend(fontsize=9.5, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    bottom.set(ylim=(0, 1.15 * curves["fid"].max()), ylabel="FID")
    bottom.set_xlabel(f"{label}; measured on 10,000 images", fontsize=9.5)
    figure.text(0.02, 0.955, heading, fontsize=10)
    tiles = figure.figimage(np.zeros((393, 393), np.uint8), 16, 16, cmap="gray", vmin=0, vmax=255)
    lines = [ax.axvline(x[0], color=figures.GREY, lw=1.2) for ax in (top, bottom)]
    dots = {
        part: ax.plot([], [], "o", ms=9, color=colors[part], clip_on=False)[0] for part, ax in axes.items()
    }
    stage = Stage(figure, [tiles, *lines, *dots.values()])

    def interpolated(value):
        return {part: float(np.interp(value, x, curves[part])) for part in axes}

    def render(**state):
        drawn = images(**state)
        sheet = np.full((393, 393), 255, np.uint8)
        grid = figures.tile_images(drawn, columns=4, gap=1, scale=3)
        start = (393 - len(grid)) // 2
        sheet[start : start + len(grid), start : start + len(grid)] = grid
        tiles.set_data(sheet)
        for line in lines:
            line.set_xdata([state[name], state[name]])
        for part, height in interpolated(state[name]).items():
            dots[part].set_data([state[name]], [height])
        return stage.png()

    def found(value):
        numbers = interpolated(value)
        whence = "measured" if np.isclose(x, value).any() else "between two measured points"
        return (
            f"FID {numbers['fid']:.1f}, precision {numbers['precision']:.2f}, "
            f"recall {numbers['recall']:.2f} ({whence})"
        )

    return render, found


# --- real or generated? ------------------------------------------------------------------------------------

TIMES = {"no limit": None, "1 s": 1000, "1/2 s": 500, "1/4 s": 250, "1/10 s": 100}
READY, MASK = 700, 30  # milliseconds: the cross before an image, each of the four masks after it


@dataclass(frozen=True)
class Deck:
    """Images (n, 1, 28, 28) in a mixed order, half of them real, and which are."""

    images: Tensor
    real: np.ndarray


def deal(n: int = 20, *, psi: float = 1.0, seed: int = 0) -> Deck:
    """n / 2 test images and n / 2 of the shipped StyleGAN, drawn and mixed from one seed."""
    network, test, random = load("stylegan"), fashion_mnist("test").images, stream(seed)
    chosen = test[torch.randperm(len(test), generator=random)[: n // 2]]
    with torch.inference_mode():
        z = sample(n // 2, network.z_dim, generator=random)
        made = quantise(network(z, psi=psi, noise="fresh", generator=random))[..., 2:-2, 2:-2]
    order = torch.randperm(2 * (n // 2), generator=random)
    return Deck(torch.cat([chosen, made])[order], (order < n // 2).numpy())


def flash(image: Tensor, milliseconds: int | None, nonce: str = "") -> bytes:
    """A PNG of one image (1, 28, 28); with a time, one that plays once: a cross, the image, four masks, then black.

    The browser keeps the time, to a frame of the screen: a kernel's answer takes longer than the shortest time. The
    masks are the image's own blocks in random order, so that no after-image stays on the eye. Equal files would share
    one run in the page: `nonce` makes them differ.
    """
    pixels, buffer, text = image[0].numpy(), io.BytesIO(), PngInfo()
    text.add_text("shown", nonce)
    if milliseconds is None:
        Image.fromarray(pixels).save(buffer, "PNG", pnginfo=text)
        return buffer.getvalue()
    cross = np.full_like(pixels, 90)
    cross[12:16, 13:15] = cross[13:15, 12:16] = 255
    random = np.random.default_rng(len(nonce))
    blocks = pixels.reshape(7, 4, 7, 4).swapaxes(1, 2).reshape(49, 4, 4)
    masks = [random.permutation(blocks).reshape(7, 7, 4, 4).swapaxes(1, 2).reshape(28, 28) for _ in range(4)]
    frames = [Image.fromarray(frame) for frame in (cross, pixels, *masks, np.zeros_like(pixels))]
    frames[0].save(
        buffer,
        "PNG",
        save_all=True,
        append_images=frames[1:],
        duration=[READY, milliseconds, *[MASK] * 4, 1000],
        loop=1,
        pnginfo=text,
    )
    return buffer.getvalue()


def error_rate(wrong: np.ndarray, *, repeats: int = 2000, seed: int = 0) -> tuple[float, float, float]:
    """Share of wrong answers (n,) and its 95% bootstrap interval: (share, low, high).

    The interval holds the middle 95% of the shares of `repeats` samples of n answers, drawn with replacement.
    """
    wrong = np.asarray(wrong, float)
    drawn = np.random.default_rng(seed).integers(len(wrong), size=(repeats, len(wrong)))
    low, high = np.quantile(wrong[drawn].mean(axis=1), [0.025, 0.975])
    return float(wrong.mean()), float(low), float(high)


class HypeGame:
    """Real or generated? A deck of images, one at a time, and the error rate at the end.

    Nothing is kept but in the notebook's kernel. `first` is the deck of the still, which stands where no kernel runs.
    """

    def __init__(self, n: int = 20):
        import ipywidgets

        self.n, self.rounds, self.answers_given = n, 0, []
        self.first = self.deck = deal(n)
        self.time = ipywidgets.Dropdown(options=list(TIMES), value="no limit", description="shown for")
        self.psi = ipywidgets.Dropdown(options=["1.0", "0.7", "0.5"], value="1.0", description="psi")
        self.start = ipywidgets.Button(description="Start")
        self.says_real = ipywidgets.Button(description="Real", disabled=True)
        self.says_made = ipywidgets.Button(description="Generated", disabled=True)
        self.image, self.line = ipywidgets.HTML(), ipywidgets.HTML()
        self.start.on_click(self._begin)
        self.says_real.on_click(lambda _: self._answer(True))
        self.says_made.on_click(lambda _: self._answer(False))
        rows = [self.time, self.psi, self.start], [self.says_real, self.says_made]
        boxes = [ipywidgets.Box(row, layout={"flex_flow": "row wrap"}) for row in rows]
        heading = ipywidgets.HTML("<b>Real or generated?</b>")
        self.box = ipywidgets.VBox([heading, boxes[0], self.image, boxes[1], self.line])
        self._blank()
        self._say(f"{n} images, half of them real. Choose, then press Start.")

    def _begin(self, _) -> None:
        self.rounds, self.answers_given = self.rounds + 1, []
        self.deck = deal(self.n, psi=float(self.psi.value), seed=self.rounds)
        self.start.description = "Start again"
        self._ask()

    def _answer(self, real: bool) -> None:
        if len(self.answers_given) < self.n and self.rounds:
            self.answers_given.append(real)
            self._ask() if len(self.answers_given) < self.n else self._finish()

    def _ask(self) -> None:
        self.says_real.disabled = self.says_made.disabled = False
        index = len(self.answers_given)
        picture = flash(self.deck.images[index], TIMES[self.time.value], "." * (self.rounds * self.n + index))
        self._picture(picture, f"image {index + 1} of {self.n}")
        self._say(f"Image {index + 1} of {self.n}: real or generated?")

    def _finish(self) -> None:
        self.says_real.disabled = self.says_made.disabled = True
        self._blank()
        self._say(self.result())

    def result(self) -> str:
        """The error rate of the answers given, with its interval, and apart for real and generated images."""
        answers, real = np.array(self.answers_given), self.deck.real[: len(self.answers_given)]
        rate, low, high = error_rate(answers != real)
        return (
            f"You were wrong on {100 * rate:.0f}% (95% bootstrap interval {100 * low:.0f} to {100 * high:.0f}%): "
            f"{(~answers[real]).sum()} of {real.sum()} real images taken for generated, "
            f"{answers[~real].sum()} of {(~real).sum()} generated ones taken for real."
        )

    def _blank(self) -> None:
        self._picture(flash(torch.zeros(1, 28, 28, dtype=torch.uint8), None), "no image")

    def _picture(self, png: bytes, alt: str) -> None:
        self.image.value = (
            f'<img alt="{alt}" width="224" height="224" style="image-rendering: pixelated; background: black"'
            f' src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        )

    def _say(self, text: str) -> None:
        self.line.value = f'<div role="status" aria-live="polite">{html.escape(text)}</div>'

    def show(self) -> None:
        """Display the game, and for where no kernel runs the numbered images of its first deck."""
        from IPython.display import display

        figure, ax = figures.new(size=(7, 2.0))
        figures.draw_images(ax, self.first.images, labels=range(1, self.n + 1), columns=self.n // 2)
        text = f"{self.n} images of garments, numbered; half of them are real. Which?"
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        png = figures.png(figure)
        bundle = {"application/vnd.jupyter.widget-view+json": view, "image/png": png, "text/plain": text}
        display(bundle, metadata={"image/png": {"alt": text, "width": 840}}, raw=True)

    def answers(self) -> None:
        """Display, folded, which images of the still are real."""
        from IPython.display import display

        numbers = ", ".join(str(i + 1) for i in np.flatnonzero(self.first.real))
        text = f"The real ones of the numbered images are {numbers}."
        folded = f"<details><summary>Which of the numbered images are real?</summary>{text}</details>"
        display({"text/html": folded, "text/plain": text}, raw=True)


def hype_game() -> HypeGame:
    """A game of twenty images, timed or not, with truncation or without."""
    return HypeGame()
