"""What this machine has of what the course needs, and what to do about the rest.

Nothing here contacts the network unless asked to, and nothing is changed.
"""

import contextlib
import importlib
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

GIB = 2**30
MEMORY_NEEDED = 4 * GIB  # the largest chapter's working set, with the notebook server beside it
WEIGHTS_HOST = "https://download.pytorch.org"
# Weights that some sections can use and none needs, as torch.hub and the peer packages name them.
OPTIONAL_WEIGHTS = {
    "Inception-v3, torchvision's": ("inception_v3_google-*.pth",),
    "Inception-v3 of published FIDs": ("pt_inception-2015-12-05-*.pth", "weights-inception-2015-12-05-*.pth"),
    "LPIPS's backbone": ("alexnet-owt-*.pth", "vgg16-*.pth"),
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `broken` stops the course, `missing` closes one door, `ok` and `note` ask nothing."""

    topic: str
    status: Literal["ok", "note", "missing", "broken"]
    found: str
    remedy: str = ""


def diagnose(*, online: bool = False) -> list[Finding]:
    """Every finding about this machine, in the order in which one would look.

    online: also ask whether optional weights could be downloaded (one request, three seconds at most). Without it
    nothing is sent anywhere: the course itself needs no network.
    """
    return [
        _python(),
        _place(),
        *_requirements(),
        _device(),
        _memory(),
        *_data(),
        _kernel(),
        *_extras(),
        *_weights(),
        _sandbox(),
        _browser(),
        _network() if online else Finding("network", "note", "not asked (`gancourse doctor --online` asks)"),
    ]


def healthy(findings: list[Finding]) -> bool:
    """Whether nothing that the course requires is broken."""
    return not any(finding.status == "broken" for finding in findings)


def table(findings: list[Finding]) -> str:
    """The findings, one in each line, each problem followed by what to do, and a closing sentence."""
    width = max(len(finding.topic) for finding in findings)
    lines = []
    for finding in findings:
        mark = {"ok": "ok", "note": "--", "missing": "missing", "broken": "BROKEN"}[finding.status]
        lines.append(f"{mark:<8} {finding.topic:<{width}}  {finding.found}")
        if finding.remedy:
            lines.append(f"{'':<8} {'':<{width}}  -> {finding.remedy}")
    broken = sum(finding.status == "broken" for finding in findings)
    missing = sum(finding.status == "missing" for finding in findings)
    closing = (
        f"{broken} to repair before the course runs." if broken else "Everything the course needs is here."
    )
    if missing:
        closing += f" {missing} optional {'part is' if missing == 1 else 'parts are'} missing."
    return "\n".join([*lines, "", closing])


def _python() -> Finding:
    version = platform.python_version()
    found = f"{version}, {sys.executable}"
    if sys.version_info >= (3, 14):
        return Finding("Python", "note", f"{found} (the course is tested on 3.11 to 3.13)")
    return Finding("Python", "ok", found)


def _place() -> Finding:
    machine = f"this machine ({platform.system()} {platform.machine()})"
    where = "Colab" if "google.colab" in sys.modules else machine
    return Finding("place", "ok", f"{where}; gancourse lies in {Path(__file__).parent}")


def _requirements() -> list[Finding]:
    """One finding for each runtime requirement in the installed package's metadata."""
    try:
        requirements = [line for line in metadata.requires("gancourse") or [] if "extra ==" not in line]
    except metadata.PackageNotFoundError:
        found = "imported from a folder, not installed: its requirements are unknown"
        return [Finding("gancourse", "broken", found, "In a checkout: `python -m pip install -e .`")]
    return [_requirement(line) for line in sorted(requirements, key=str.lower)]


def _requirement(line: str) -> Finding:
    """Whether one requirement is installed, in range, and importable: a package can be all but the last."""
    name, needed = re.match(r"([\w.-]+)\s*(.*)", line).groups()  # type: ignore[union-attr]
    install = f'`python -m pip install "{name}{needed}"`'
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "broken", f"not installed (needed: {needed})", install)
    try:
        importlib.import_module({"pillow": "PIL"}.get(name, name))
        from packaging.specifiers import SpecifierSet
    except Exception as error:  # a package that cannot be imported may raise anything
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        both = "torch torchvision" if name.startswith("torch") else name
        remedy = f"`python -m pip install --force-reinstall {both}`"
        return Finding(name, "broken", f"{version}, but importing it fails: {reason}", remedy)
    if not SpecifierSet(needed).contains(version, prereleases=True):
        return Finding(name, "broken", f"{version}, outside {needed}", install)
    return Finding(name, "ok", f"{version} (needed: {needed})")


def _device() -> Finding:
    try:
        import torch
    except Exception:
        return Finding("processor", "note", f"{os.cpu_count()} cores")
    found = f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()}"
    if torch.cuda.is_available():
        return Finding("processor", "ok", f"{found}; GPU {torch.cuda.get_device_name()}")
    return Finding("processor", "ok", f"{found}; no GPU in use, and none is needed")


def _memory() -> Finding:
    """Physical memory, or the container's share of it."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return Finding("memory", "note", "unknown here (the course needs 4 GiB)")
    with contextlib.suppress(OSError, ValueError):  # no container, or one without a limit
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    found = f"{total / GIB:.1f} GiB"
    if total < MEMORY_NEEDED:
        remedy = "Close other programs, open one chapter at a time, or use Colab."
        return Finding("memory", "missing", f"{found}, less than the 4 GiB that a chapter may take", remedy)
    return Finding("memory", "ok", found)


def _data() -> list[Finding]:
    """One finding for each folder of shipped files, checked byte for byte against data/SHA256SUMS."""
    try:
        import gancourse.datasets  # noqa: F401  without torch nothing that reads the data works
        from gancourse import files
    except Exception:  # a package that is missing or broken, which has its own finding
        return [Finding("data", "note", "not checked: repair the packages above first")]
    try:
        sums = files.data_path("SHA256SUMS").read_text(encoding="utf-8")
    except OSError:
        path = files.data_path("SHA256SUMS")
        return [Finding("data", "broken", f"{path} is missing", files.remedy(path))]
    names = [line.split(maxsplit=1)[1].lstrip("*").strip() for line in sums.splitlines() if line.strip()]
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(name.rpartition("/")[0] or ".", []).append(name)
    return [_folder(folder, inside) for folder, inside in sorted(folders.items())]


def _folder(folder: str, names: list[str]) -> Finding:
    from gancourse import files

    topic, size = f"data/{folder}", 0
    for name in names:
        path = files.data_path(*name.split("/"))
        try:
            size += files.verified(path).stat().st_size
        except (OSError, ValueError) as error:
            remedy = files.remedy(path)
            return Finding(topic, "broken", str(error).removesuffix(remedy).strip(), remedy)
    return Finding(topic, "ok", f"{len(names)} files whole, {size / 2**20:.1f} MiB")


def _kernel() -> Finding:
    """Whether a notebook started from this environment runs this Python, and not another of the same name."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        return Finding("kernel", "note", "no Jupyter in this environment")
    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return Finding("kernel", "missing", "no kernel called python3", "`python -m pip install ipykernel`")
    # Jupyter replaces a bare `python` by its own interpreter.
    if command.startswith("python") or os.path.abspath(command) == os.path.abspath(sys.executable):
        return Finding("kernel", "ok", "notebooks run on this Python")
    remedy = "`python -m ipykernel install --sys-prefix`, then choose the kernel python3 in the notebook."
    return Finding("kernel", "missing", f"notebooks would run on {command}", remedy)


def _extras() -> list[Finding]:
    """Whether the extras for reading (`lab`) and for teaching (`instructor`) are installed."""
    try:
        lines = metadata.requires("gancourse") or []
    except metadata.PackageNotFoundError:
        return []
    findings = []
    for extra, purpose in {"lab": "open the notebooks", "instructor": "release and grade"}.items():
        names = [
            re.match(r"[\w.-]+", line)[0]  # type: ignore[index]
            for line in lines
            if re.search(rf"extra == ['\"]{extra}['\"]", line)
        ]
        absent = [name for name in names if not _installed(name)]
        if absent:
            remedy = f"`python -m pip install {' '.join(absent)}`"
            found = f"to {purpose}: without {', '.join(absent)}"
            findings.append(Finding(f"extra {extra}", "missing", found, remedy))
        else:
            findings.append(Finding(f"extra {extra}", "ok", f"to {purpose}: {', '.join(names)}"))
    return findings


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _weights() -> list[Finding]:
    """Which optional weights lie in torch.hub's cache."""
    try:
        from torch.hub import get_dir
    except Exception:
        return []
    cache = Path(get_dir(), "checkpoints")
    findings = []
    for topic, patterns in OPTIONAL_WEIGHTS.items():
        names = [path.name for pattern in patterns for path in cache.glob(pattern)]
        found = ", ".join(names) or "not in torch.hub's cache; no chapter needs them"
        findings.append(Finding(topic, "ok" if names else "note", found))
    return findings


def _sandbox() -> Finding:
    """Whether bubblewrap can shut a submission in: in some containers it is there and may not work."""
    topic = "bubblewrap"
    if platform.system() != "Linux":
        return Finding(topic, "note", "Linux only; grading here has limits but no walls")
    if not shutil.which("bwrap"):
        remedy = "To grade strangers' notebooks: `apt-get install bubblewrap`, or your system's like."
        return Finding(topic, "missing", "for grading", remedy)
    try:
        wall = ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"]
        done = subprocess.run(wall, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(topic, "missing", f"for grading: it does not start ({error})")
    if done.returncode:
        remedy = "Allow user namespaces in this container, or grade on a machine that has them."
        return Finding(topic, "missing", f"for grading: it does not start ({done.stderr.strip()})", remedy)
    return Finding(topic, "ok", "grading can shut a submission in")


def _browser() -> Finding:
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return Finding("Chromium", "ok", f"{path}, for the tests of the demos")
    remedy = "`apt-get install chromium`, or your system's like."
    return Finding("Chromium", "note", "only the tests of the demos drive it", remedy)


def _network(timeout: float = 3.0) -> Finding:
    """One request, in a thread of its own: a name server that never answers knows no timeout."""
    answers: list[str] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(WEIGHTS_HOST, method="HEAD")
            urllib.request.urlopen(request, timeout=timeout).close()
        except urllib.error.HTTPError:
            pass  # an answer all the same
        except OSError:
            answers.append("offline")
            return
        answers.append("online")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    if answers == ["online"]:
        return Finding("network", "ok", "online: optional weights can be downloaded")
    return Finding("network", "note", "offline: optional weights cannot be downloaded, all else works")
