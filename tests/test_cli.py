"""The command line: thin, documented, and kind about mistakes."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from gancourse.cli import main


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_explains_itself(name):
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0
    assert main.commands[name].help, f"{name} has no docstring"


def test_module_and_script_agree_on_the_version():
    done = subprocess.run([sys.executable, "-m", "gancourse", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and "0.1.0" in done.stdout


def test_help_loads_nothing_heavy():
    code = "import sys, gancourse.cli; print([m for m in ('torch', 'numpy', 'nbformat') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_command_is_an_error():
    done = CliRunner().invoke(main, ["diagnose"])
    assert done.exit_code == 2 and "No such command" in done.output
