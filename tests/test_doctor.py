"""Every problem the doctor knows is made here, and must be found with its remedy."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib import metadata

import pytest
from click.testing import CliRunner

from gancourse import doctor
from gancourse.cli import main
from gancourse.files import data_path


def finding(topic: str, **options) -> doctor.Finding:
    return next(found for found in doctor.diagnose(**options) if found.topic == topic)


def test_a_whole_installation_is_healthy():
    findings = doctor.diagnose()
    assert doctor.healthy(findings)
    topics = {found.topic for found in findings if found.status == "ok"}
    assert {"Python", "torch", "ipywidgets", "data/fashion-mnist", "kernel", "extra instructor"} <= topics
    assert "Everything the course needs is here." in doctor.table(findings)


def test_nothing_is_sent_unless_asked(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the doctor contacted the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    assert "not asked" in finding("network").found


def test_a_missing_package_is_broken_and_named(monkeypatch):
    original = metadata.version

    def version(name):
        if name == "safetensors":
            raise metadata.PackageNotFoundError(name)
        return original(name)

    monkeypatch.setattr(metadata, "version", version)
    found = finding("safetensors")
    assert found.status == "broken" and 'pip install "safetensors>=0.4"' in found.remedy
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 1
    assert "BROKEN   safetensors" in done.output and "1 to repair" in done.output


@pytest.mark.parametrize(
    "version, status", [("7.6.5", "broken"), ("7.7.1", "ok"), ("8.1.9", "ok"), ("9.0", "broken")]
)
def test_a_version_out_of_range_is_broken(monkeypatch, version, status):
    original = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: version if name == "ipywidgets" else original(name))
    found = finding("ipywidgets")
    assert found.status == status and found.found.startswith(version)


def test_a_package_that_cannot_be_imported_is_broken(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    found = finding("torchvision")
    assert found.status == "broken" and "importing it fails" in found.found
    assert "torch torchvision" in found.remedy


def test_a_broken_torch_gets_a_table_not_a_traceback():
    code = "import sys; sys.modules['torch'] = None; sys.argv = ['gancourse', 'doctor']\nfrom gancourse.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and not done.stderr
    assert "BROKEN   torch" in done.stdout and "not checked" in done.stdout


@pytest.fixture
def copied_data(tmp_path, monkeypatch):
    shutil.copytree(data_path("fashion-mnist"), tmp_path / "fashion-mnist")
    sums = data_path("SHA256SUMS").read_text().splitlines()
    (tmp_path / "SHA256SUMS").write_text("\n".join(line for line in sums if "fashion-mnist/" in line) + "\n")
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path))
    return tmp_path


def test_data_damaged_or_missing_is_broken(copied_data):
    assert finding("data/fashion-mnist").status == "ok"
    labels = copied_data / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(labels.read_bytes()[:-1])
    found = finding("data/fashion-mnist")
    assert found.status == "broken" and labels.name in found.found and labels.name in found.remedy
    labels.unlink()
    found = finding("data/fashion-mnist")
    assert found.status == "broken" and "missing" in found.found
    (copied_data / "SHA256SUMS").unlink()
    assert finding("data").status == "broken"


def test_little_memory_is_told(monkeypatch):
    original = os.sysconf
    monkeypatch.setattr(os, "sysconf", lambda name: 500_000 if name == "SC_PHYS_PAGES" else original(name))
    found = finding("memory")
    assert found.status == "missing" and found.remedy
    assert doctor.healthy(doctor.diagnose())


def test_a_sandbox_that_does_not_start_is_missing(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'no permission to create a namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    found = finding("bubblewrap")
    assert found.status == "missing" and "no permission" in found.found


def test_a_foreign_kernel_is_told(monkeypatch):
    kernelspec = pytest.importorskip("jupyter_client.kernelspec")
    spec = kernelspec.KernelSpec(argv=["/opt/other/bin/python", "-m", "ipykernel_launcher"])
    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", lambda self, name: spec)
    found = finding("kernel")
    assert found.status == "missing" and "/opt/other/bin/python" in found.found


class Answer:
    def close(self):
        pass


def slow(*args, **kwargs):
    time.sleep(3)
    return Answer()


def unreachable(*args, **kwargs):
    raise urllib.error.URLError("no route to host")


def forbidden(*args, **kwargs):
    raise urllib.error.HTTPError("https://example.org", 403, "Forbidden", None, None)


@pytest.mark.parametrize(
    "answer, word",
    [
        (lambda *args, **kwargs: Answer(), "online"),
        (forbidden, "online"),
        (unreachable, "offline"),
        (slow, "offline"),
    ],
)
def test_the_network_is_asked_without_hanging(monkeypatch, answer, word):
    monkeypatch.setattr(urllib.request, "urlopen", answer)
    began = time.monotonic()
    found = doctor._network(timeout=0.5)
    assert found.found.startswith(word)
    assert time.monotonic() - began < 2.5
