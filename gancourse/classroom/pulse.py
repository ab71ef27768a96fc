"""The sign of life of a notebook that is graded: a kernel that died would else be waited for."""

import os
import threading
import time
from pathlib import Path


def begin() -> None:
    """Touch the file GANCOURSE_PULSE twice a second for as long as this process lives."""
    path = Path(os.environ["GANCOURSE_PULSE"])

    def beat():
        while True:
            path.touch()
            time.sleep(0.5)

    threading.Thread(target=beat, daemon=True).start()
