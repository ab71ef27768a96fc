"""A loop that can be watched while it runs: a progress bar, and a picture that keeps up with it."""

import base64
import html
import time
from collections.abc import Callable, Iterator

EVERY = 0.4  # seconds between two pictures


def watched(steps: int, picture: Callable[[int], tuple[bytes, str]], *, title: str) -> Iterator[int]:
    """Steps from 0 to steps - 1 under a progress bar, with what `picture` draws beneath it.

    picture: steps done -> (PNG bytes of the state then, the text that describes it). Leaving the loop early, also by an
    interrupt, keeps the last picture.
    """
    import ipywidgets
    from IPython.display import display
    from tqdm.notebook import tqdm

    bar = tqdm(total=steps, desc=title, unit="step", display=False)
    image = ipywidgets.HTML()
    box = ipywidgets.VBox([bar.container, image])
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    text = f"{title}: {steps} steps, shown live where a kernel runs."
    display({"application/vnd.jupyter.widget-view+json": view, "text/plain": text}, raw=True)
    drawn = 0.0
    try:
        for step in range(steps):
            if time.monotonic() - drawn > EVERY:
                image.value, drawn = _img(*picture(bar.n)), time.monotonic()
            yield step
            bar.update()
    finally:
        image.value = _img(*picture(bar.n))
        bar.close()


def _img(png: bytes, alt: str) -> str:
    data = base64.b64encode(png).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'
