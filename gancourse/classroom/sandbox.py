"""Run a command that may be hostile: its own namespace where bubblewrap is there, limits on everything, no survivors."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

import gancourse
from gancourse.files import data_path

try:
    import resource
except ImportError:  # Windows has neither these limits nor process groups
    resource = None  # type: ignore[assignment]

_MARK = "GANCOURSE_SANDBOX"


@dataclass(frozen=True)
class Limits:
    """What one submission may use, all its processes together for time, each process for the rest."""

    wall_seconds: float = 300
    cpu_seconds: int = 300
    memory_bytes: int = 12 * 2**30  # of address space; torch alone maps 4 GiB
    file_bytes: int = 100 * 2**20
    processes: int = 1024


@dataclass(frozen=True)
class Ended:
    """How the command ended: exit status (None when it was stopped) and the last 20,000 characters it printed."""

    status: int | None
    output: str
    timed_out: bool = False


def confined() -> bool:
    """Whether bubblewrap is here and may make namespaces."""
    bwrap = shutil.which("bwrap")
    probe = [bwrap or "", "--ro-bind", "/", "/", "--unshare-all", "true"]
    return bool(bwrap) and subprocess.run(probe, capture_output=True, check=False).returncode == 0


def run(
    command: Sequence[str],
    scratch: Path,
    *,
    hidden: Sequence[Path] = (),
    limits: Limits,
    env: dict[str, str],
    confine: bool,
    hopeless: Callable[[], bool] = lambda: False,
) -> Ended:
    """Run `command` in `scratch`, the only folder it may write to; folders in `hidden` look empty to it.

    With `confine` (bubblewrap) it has no network but its own loopback, no view of other processes and a read-only file
    system; without, limits and the final hunt for its processes remain, and it can read and write what its user can.
    It is stopped early once `hopeless()` holds.
    """
    scratch = Path(scratch).resolve()
    mark = uuid.uuid4().hex
    argv = [*_bubblewrap(scratch, hidden), *command] if confine else list(command)
    environment = {**_clean(os.environ), **env, _MARK: mark, "HOME": str(scratch), "TMPDIR": str(scratch)}
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            argv,
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=resource is not None,
            preexec_fn=(lambda: _limit(limits)) if resource else None,
        )
        end = time.monotonic() + limits.wall_seconds
        try:
            while process.poll() is None and time.monotonic() < end and not hopeless():
                time.sleep(0.05)
            status = process.poll()
        finally:
            _stop(process, mark)
        printed.seek(max(0, printed.seek(0, os.SEEK_END) - 20_000))
        return Ended(status, printed.read().decode(errors="replace"), time.monotonic() >= end)


def _bubblewrap(scratch: Path, hidden: Sequence[Path]) -> list[str]:
    """The file system read-only, with empty folders over what is private, and over those what the course needs to run."""
    flags = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    mounts = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for folder in dict.fromkeys(f.resolve() for f in (Path("/tmp"), Path.home(), *hidden)):
        if folder.is_dir():
            mounts += ["--tmpfs", str(folder)]
    package = Path(gancourse.__file__).parent
    for needed in dict.fromkeys(
        Path(p).resolve() for p in (sys.base_prefix, sys.prefix, package, data_path())
    ):
        mounts += ["--ro-bind", str(needed), str(needed)]
    return ["bwrap", *flags, *mounts, "--bind", str(scratch), str(scratch), "--chdir", str(scratch)]


def _clean(environ) -> dict[str, str]:
    kept = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", "PYTHONPATH", "GANCOURSE_DATA", "OMP_NUM_THREADS")
    return {name: value for name, value in environ.items() if name in kept or name.startswith("OPENBLAS_")}


def _limit(limits: Limits) -> None:
    for kind, most in (
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _stop(process: subprocess.Popen, mark: str) -> None:
    """End the whole process group, then whatever else carries the mark: kernels start sessions of their own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL) if resource else process.kill()
    process.wait()
    for _ in range(50):
        left = [other for other in psutil.process_iter() if _marked(other, mark)]
        for other in left:
            with contextlib.suppress(psutil.Error):
                other.kill()
        if not left:
            return
        time.sleep(0.02)


def _marked(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(_MARK) == mark
    except (psutil.Error, OSError):
        return False
