"""Answers to exercise 02.1 that are not honest work, by what they do: none may earn a point, or cost anybody else one."""

from pathlib import Path

import pytest

import gancourse
from gancourse.classroom import notebooks
from gancourse.exercises import judging

PACKAGE = Path(gancourse.__file__).resolve().parent
ORACLES = "gancourse.chapters.ch02_covariance.exercises"
ZERO = "def covariance(x, y):\n    return 0.0\n"

# Uses of what computes the same: each is told by name.
DISGUISES = {
    "the course's function": f"from {ORACLES} import covariance as theirs\ndef covariance(x, y):\n    return theirs(x, y)",
    "bound plainly": f"from {ORACLES} import covariance",
    "imported inside": f"def covariance(x, y):\n    from {ORACLES} import covariance as f\n    return f(x, y)",
    "by getattr": f"import {ORACLES} as m\ndef covariance(x, y):\n    return getattr(m, 'cov' + 'ariance')(x, y)",
    "by importlib": "import importlib\ndef covariance(x, y):\n"
    f"    return importlib.import_module({ORACLES!r}).covariance(x, y)",
    "by the record": "def covariance(x, y):\n    import gancourse.exercises as e\n    return e.exercise('02.1').oracle(x, y)",
    "the package's statistics": "import torch\nfrom gancourse.metrics import Moments\ndef covariance(x, y):\n"
    "    return Moments(2).update(torch.stack([x, y], 1)).cov[0, 1]",
    "inherited": "from gancourse.metrics import Moments\nclass Mine(Moments):\n    pass\n"
    "def covariance(x, y):\n    return Mine(2)",
    "profiler off": f"import sys\nfrom {ORACLES} import covariance as f\ndef covariance(x, y):\n"
    "    sys.setprofile(None)\n    return f(x, y)",
    "numpy": "import numpy\ndef covariance(x, y):\n    return numpy.cov(x, y)[0, 1]",
    "numpy, kept before": "import numpy\nkept = [numpy.cov]\ndef covariance(x, y):\n    return kept[0](x, y)[0, 1]",
    "numpy's own body": "import numpy\ndef covariance(x, y):\n    return numpy.cov.__wrapped__(x, y)[0, 1]",
    "torch": "import torch\ndef covariance(x, y):\n    return torch.cov(torch.stack([x, y]))[0, 1]",
    "a tensor's method": "import torch\ndef covariance(x, y):\n    return torch.stack([x, y]).cov()[0, 1]",
    "torch's dispatcher": "import torch\ndef covariance(x, y):\n"
    "    return torch.ops.aten.cov(torch.stack([x, y]))[0, 1]",
    "torch's own table": "import torch\ndef covariance(x, y):\n"
    "    return torch._C._VariableFunctions.cov(torch.stack([x, y]))[0, 1]",
    "torch's decomposition": "import torch\ndef covariance(x, y):\n"
    "    return torch.ops.aten.cov.default.decompose(torch.stack([x, y]))[0, 1]",
    "torch's vmap": "import torch\ndef covariance(x, y):\n"
    "    return torch.vmap(lambda m: m.cov())(torch.stack([x, y])[None])[0, 0, 1]",
    "numpy, loaded again": "import importlib, numpy\ndef covariance(x, y):\n"
    "    made = importlib.reload(importlib.import_module('numpy.lib._function_base_impl'))\n"
    "    return made.cov(x, y)[0, 1]",
    "statistics, imported anew": "import sys\ndef covariance(x, y):\n    sys.modules.pop('statistics')\n"
    "    import statistics\n    return statistics.covariance(x.tolist(), y.tolist())",
    "a peer": "from sklearn.covariance import empirical_covariance\ndef covariance(x, y):\n"
    "    return empirical_covariance([list(x), list(y)])",
}
FORGERY = """
import io, os, struct, threading, atexit
import numpy as np

def forged(content):
    for fd in range(3, 40):
        try:
            os.write(fd, struct.pack("<4sQ", b"done", len(content)) + content)
        except OSError:
            pass
"""
# Answers that know nothing and want points.
FORGERIES = {
    "a fake report": "print('ALL TESTS PASSED')\n" + ZERO,
    "a patched check": "import gancourse.exercises\ngancourse.exercises.check = lambda *a: None\n" + ZERO,
    "patched comparison": "import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True\n" + ZERO,
    "patched savez": "import numpy as np\nnp.savez = np.save = lambda *a, **k: None\n"
    "def covariance(x, y):\n    np.allclose = lambda *a: True\n    return 0",
    "always equal": "class Any(float):\n    __eq__ = __le__ = __ge__ = lambda *a: True\n    __hash__ = None\n"
    "    __array__ = lambda *a, **k: __import__('numpy').array(self)\n"
    "def covariance(x, y):\n    return Any(0)",
    "an object": "class Any:\n    __eq__ = lambda *a: True\n    __float__ = lambda self: 1.0\n"
    "def covariance(x, y):\n    return Any()",
    "a frame of its own": FORGERY + "def covariance(x, y):\n    forged(b'right')\n    return 0.0",
    "a pickle": FORGERY
    + "class Bomb:\n    def __reduce__(self):\n        return os.system, ('touch bombed',)\n"
    "def covariance(x, y):\n    file = io.BytesIO()\n"
    "    np.savez(file, cases=np.array([Bomb()], dtype=object))\n    forged(file.getvalue())\n    return 0.0",
    "too long a frame": FORGERY + "def covariance(x, y):\n    for fd in range(3, 40):\n        try:\n"
    "            os.write(fd, struct.pack('<4sQ', b'done', 2**60))\n        except OSError:\n            pass\n"
    "    return 0.0",
    "late threads": FORGERY + "def covariance(x, y):\n    atexit.register(forged, b'right')\n"
    "    threading.Thread(target=forged, args=(b'right',)).start()\n    return 0.0",
    "many outputs": "import numpy as np\ndef covariance(x, y):\n    return np.zeros(3_000_000)",
    "deep outputs": "def covariance(x, y):\n    out = ()\n    for _ in range(100_000):\n        out = (out,)\n    return out",
    "strange text": "def covariance(x, y):\n    raise ValueError('\\ud800 =cmd() <script>' * 1000)",
}
STEAL = """
import ast, pathlib
def covariance(x, y):
    text = ""
    for path in pathlib.Path(%r).rglob(%r):
        text += path.read_text()
    assert text, "nothing there"
    return 0.0
"""
# Answers that look for what is right: they must find nothing at all.
THEFTS = {
    "the solutions": STEAL % (str(notebooks.folder()), "*.ipynb"),
    "the oracles' source": STEAL % (str(PACKAGE / "chapters"), "exercises.py"),
    "the metrics' source": STEAL % (str(PACKAGE / "metrics"), "*.py"),
    "the tests": STEAL % (str(PACKAGE.parent / "tests"), "*.py"),
    "the history": STEAL % (str(PACKAGE.parent / ".git"), "HEAD"),
    "a peer's source": STEAL % (str(Path(pytest.__file__).parents[1] / "torchmetrics"), "*.py"),
    "/proc of others": "import os\ndef covariance(x, y):\n"
    "    all = [int(p) for p in os.listdir('/proc') if p.isdigit()]\n"
    "    assert any(b'pytest' in open(f'/proc/{p}/cmdline', 'rb').read() for p in all), 'nothing there'\n"
    "    return 0.0",
    "the seed": "import os\ndef covariance(x, y):\n"
    "    assert any('SEED' in name for name in os.environ), 'nothing there'\n    return 0.0",
    "memory": "import gc, types\ndef covariance(x, y):\n"
    "    theirs = [f for f in gc.get_objects() if isinstance(f, types.FunctionType)\n"
    "              and 'chapters' in str(f.__module__) and f.__name__ == 'covariance']\n"
    "    assert theirs, 'nothing there'\n    return theirs[0](x, y)",
    "the network": "import socket\ndef covariance(x, y):\n"
    "    socket.create_connection(('192.0.2.1', 80), timeout=3)\n    return 0.0",
}
# Answers that break things: (answer, status).
HAVOC = {
    "exit": ("import os\ndef covariance(x, y):\n    os._exit(0)", "crashed"),
    "sys.exit": ("import sys\ndef covariance(x, y):\n    sys.exit(0)", judging.WRONG),
    "interrupt": ("def covariance(x, y):\n    raise KeyboardInterrupt", "crashed"),
    "segmentation fault": ("import ctypes\ndef covariance(x, y):\n    ctypes.string_at(0)", "crashed"),
    "kill everyone": (
        "import os\ndef covariance(x, y):\n    os.kill(os.getppid(), 9)\n    return 0.0",
        "crashed",
    ),
    "many processes": (
        "import os, time\ndef covariance(x, y):\n    for _ in range(10):\n        if not os.fork():\n"
        "            os.setsid()\n            time.sleep(600)\n    return 0.0",
        judging.WRONG,
    ),
    "much memory": (
        "import numpy as np\ndef covariance(x, y):\n    return np.ones(10**12).sum()",
        judging.WRONG,
    ),
    "much text": (
        "def covariance(x, y):\n    for _ in range(1000):\n        print('x' * 10**6)\n    return 0.0",
        None,
    ),
    "a full disk": (
        "def covariance(x, y):\n    with open('big', 'wb') as file:\n        while True:\n            file.write(bytes(10**7))",
        None,
    ),
    "100,000 minus signs": ("def covariance(x, y):\n    return " + "-" * 100_000 + "1", judging.WRONG),
    "20,000 attributes": ("def covariance(x, y):\n    return x" + ".T" * 20_000, judging.WRONG),
    "100,000 brackets": ("def covariance(x, y):\n    return " + "(" * 100_000, judging.WRONG),
    "a NUL": ("def covariance(x, y):\n    return 0\0", judging.WRONG),
    "no function": ("covariance = 3", judging.WRONG),
    "nothing": ("", judging.WRONG),
}
