"""What tests of several rooms need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# What Colab has on board that differs most from a new environment, with what that needs.
COLAB = ["ipywidgets==7.7.1", "widgetsnbextension==3.6.10", "ipython==7.34.0", "ipykernel==6.17.1"]
COLAB += ["ipython-genutils", "backcall", "pickleshare", "decorator"]


@pytest.fixture(scope="module")
def colab_python(tmp_path_factory) -> Path:
    """An environment with Colab's widgets and kernel, its `google.colab`, torch and the rest, but no gancourse."""
    import torch

    folder = tmp_path_factory.mktemp("colab")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", *COLAB]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"Colab's versions cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "google" / "colab").mkdir(parents=True)
    (site / "google" / "colab" / "__init__.py").touch()
    (site / "shared.pth").write_text(f"{Path(torch.__file__).parents[1]}\nimport google.colab\n")
    return python
