"""`gancourse evaluate`: images that a person names, embedded once, measured, and reported.

sources (what can be named) -> embedding (features, kept for the next time) -> run (the report and what to know of it)
-> page (the same as HTML). Started by `torchrun --nproc_per_node=K -m gancourse evaluate ...` it shares the images out
between processes, batch by batch, so that every batch is computed as in one process and the numbers are the same.
"""

from gancourse.evaluate.embedding import Side
from gancourse.evaluate.run import Evaluation, evaluate

__all__ = ["Evaluation", "Side", "evaluate"]
