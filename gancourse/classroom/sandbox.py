"""Run a command that may be hostile: its own namespace where bubblewrap is there, limits on everything, no survivors."""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

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
    """What one submission may use: all its processes together for time and resident memory, each for the rest."""

    wall_seconds: float = 300
    cpu_seconds: int = 300
    memory_bytes: int = 12 * 2**30  # of address space; torch alone maps 4 GiB
    resident_bytes: int = 5 * 2**30
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
    It is stopped early once `hopeless()` holds, or when it takes too much memory.
    """
    with tempfile.TemporaryFile() as printed:
        end = time.monotonic() + limits.wall_seconds
        with started(
            command,
            scratch,
            hidden=hidden,
            limits=limits,
            env=env,
            confine=confine,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        ) as process:
            looks = itertools.count(1)
            while process.poll() is None and time.monotonic() < end and not hopeless():
                if next(looks) % 20 == 0 and resident(process) > limits.resident_bytes:
                    break
                time.sleep(0.05)
            status = process.poll()
        printed.seek(max(0, printed.seek(0, os.SEEK_END) - 20_000))
        return Ended(status, printed.read().decode(errors="replace"), time.monotonic() >= end)


@contextlib.contextmanager
def started(
    command: Sequence[str],
    scratch: Path,
    *,
    hidden: Sequence[Path] = (),
    visible: Sequence[Path] | None = None,
    limits: Limits,
    env: dict[str, str],
    confine: bool,
    stdin: int,
    stdout: int | IO,
    stderr: int,
) -> Iterator[subprocess.Popen]:
    """A command that runs while the block does, under the same rules as `run`; afterwards nothing of it is left.

    visible: what it sees of the course and its data; by default all that is not hidden.
    """
    scratch, mark = Path(scratch).resolve(), uuid.uuid4().hex
    package = Path(gancourse.__file__).resolve().parent
    visible = [package, data_path()] if visible is None else visible
    process = subprocess.Popen(
        [*_bubblewrap(scratch, hidden, visible), *command] if confine else list(command),
        cwd=scratch,
        env={**_clean(os.environ), **env, _MARK: mark, "HOME": str(scratch), "TMPDIR": str(scratch)},
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=resource is not None,
        preexec_fn=(lambda: limit(limits)) if resource else None,
    )
    try:
        yield process
    finally:
        _stop(process, mark)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder that is gone after the block, as far as whoever still writes into it allows."""
    folder = Path(tempfile.mkdtemp(prefix="gancourse-"))
    try:
        yield folder
    finally:
        for _ in range(20):
            _flatten(folder)
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(0.05)


def _flatten(folder: Path) -> None:
    """Open the folders in a folder and move them up into it: deeper than Python can go, they could not be removed."""
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        with contextlib.suppress(OSError):
            with os.scandir(place) as entries:
                inner = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
            for path in inner:
                path.chmod(0o700)
                waiting.append(path if place == folder else path.rename(folder / uuid.uuid4().hex))


def _bubblewrap(scratch: Path, hidden: Sequence[Path], visible: Sequence[Path]) -> list[str]:
    """The file system read-only, with empty folders over what is private, and over those what the command needs.

    What is hidden stays so inside Python's own folders; only what is named in `visible` shows through.
    """
    flags = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    mounts = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    # Those that hold others come first, or they would hide them.
    private = sorted({f.resolve() for f in (Path("/tmp"), Path.home(), *hidden) if f.is_dir()})
    needed = [Path(p).resolve() for p in (sys.base_prefix, sys.prefix)]
    inside = [f for f in private if any(f != n and f.is_relative_to(n) for n in needed)]
    for kind, places in (
        ("--tmpfs", private),
        ("--ro-bind", needed),
        ("--tmpfs", inside),
        ("--ro-bind", [Path(p).resolve() for p in visible]),
    ):
        for place in dict.fromkeys(places):
            mounts += [kind, *[str(place)] * (1 if kind == "--tmpfs" else 2)]
    # An empty folder is memory that no limit counts: it is closed again, and shared memory lies in the scratch folder.
    mounts += ["--bind", str(scratch), str(scratch), "--bind", str(scratch), "/dev/shm"]
    for place in dict.fromkeys([Path("/dev"), *private, *inside]):
        mounts += ["--remount-ro", str(place)]
    return ["bwrap", *flags, *mounts, "--chdir", str(scratch)]


def resident(process: subprocess.Popen) -> int:
    """Bytes of memory that a process and its descendants hold now; what several share counts once where Linux tells it."""
    total = 0
    with contextlib.suppress(psutil.Error):
        for below in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                held = below.memory_info().rss
                if held > 2**28:  # a closer look is slower
                    held = getattr(below.memory_full_info(), "pss", held)
                total += held
    return total


def _clean(environ) -> dict[str, str]:
    kept = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", "PYTHONPATH", "GANCOURSE_DATA", "OMP_NUM_THREADS")
    return {name: value for name, value in environ.items() if name in kept or name.startswith("OPENBLAS_")}


def limit(limits: Limits) -> None:
    """Put these limits on the calling process."""
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
    """End the process group and its descendants, then whatever else carries the mark: kernels start sessions of their own."""
    below: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        below = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL) if resource else process.kill()
    process.wait()
    for other in below:
        with contextlib.suppress(psutil.Error):
            other.kill()
    end = time.monotonic() + 10
    while any(map(_alive, below)) and time.monotonic() < end:
        time.sleep(0.01)
    for _ in range(50):
        left = [other for other in psutil.process_iter() if _marked(other, mark)]
        for other in left:
            with contextlib.suppress(psutil.Error):
                other.kill()
        if not left:
            return
        time.sleep(0.02)


def _alive(process: psutil.Process) -> bool:
    """Whether a process can still do anything; one that only waits to be collected by its parent can't."""
    try:
        return process.is_running() and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def _marked(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(_MARK) == mark
    except (psutil.Error, OSError):
        return False
