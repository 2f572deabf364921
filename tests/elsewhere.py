"""A Python that says it is on another system, and imports all of Curator there.

    python -m tests.elsewhere

The libraries are loaded first, as they are here. Then Curator is imported anew as on macOS and as
on Windows: without what Python lacks there, with a stand-in for what is there alone. Prints a line
for each module that could not be imported, and last how many were asked each time.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import curator

PACKAGE = Path(curator.__file__).resolve().parent

# What Python has on Linux and not there (docs.python.org, "Availability").
NOT_ON_MACOS = (
    *("os.copy_file_range", "os.fdatasync", "os.getxattr", "os.listxattr", "os.memfd_create"),
    *("os.pipe2", "os.posix_fadvise", "os.posix_fallocate", "os.sched_getaffinity"),
    *("os.sched_setaffinity", "os.setxattr", "os.splice", "time.pthread_getcpuclockid"),
)
NOT_ON_WINDOWS = (
    *NOT_ON_MACOS,
    *("os.chown", "os.fchmod", "os.fchown", "os.fork", "os.fstatvfs", "os.getegid", "os.geteuid"),
    *("os.getgid", "os.getloadavg", "os.getpgid", "os.getpgrp", "os.getpriority", "os.getsid"),
    *("os.getuid", "os.killpg", "os.lchown", "os.mkfifo", "os.nice", "os.openpty", "os.pread"),
    *("os.pwrite", "os.sendfile", "os.setpgid", "os.setpriority", "os.setsid", "os.statvfs"),
    *("os.sync", "os.sysconf", "os.uname", "os.wait", "os.wait3", "os.wait4", "os.O_CLOEXEC"),
    *("os.O_DIRECTORY", "os.O_NOFOLLOW", "os.O_NONBLOCK", "os.WNOHANG", "signal.SIGALRM"),
    *("signal.SIGCHLD", "signal.SIGCONT", "signal.SIGHUP", "signal.SIGKILL", "signal.SIGPIPE"),
    *("signal.SIGQUIT", "signal.SIGSTOP", "signal.SIGUSR1", "signal.SIGUSR2", "signal.alarm"),
    *("signal.pthread_kill", "signal.pthread_sigmask", "signal.setitimer", "time.tzset"),
)
POSIX_MODULES = ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")
WINDOWS_MODULES = ("msvcrt", "winreg", "winsound", "_winapi")
_HOLDERS = {"os": os, "signal": signal, "time": time}


def modules() -> list[str]:
    """List every module of the package by its dotted name."""
    paths = [path.relative_to(PACKAGE.parent).with_suffix("") for path in PACKAGE.rglob("*.py")]
    return sorted(".".join(part for part in path.parts if part != "__init__") for path in paths)


@contextlib.contextmanager
def system(name: str, lacks: tuple[str, ...], blocked: tuple[str, ...]) -> Iterator[None]:
    """Be another system for as long as the context lasts."""
    with contextlib.ExitStack() as changes:
        enter = changes.enter_context
        enter(mock.patch.dict(sys.modules, dict.fromkeys(blocked)))
        for dotted in lacks:
            holder, attribute = _HOLDERS[dotted.partition(".")[0]], dotted.partition(".")[2]
            if hasattr(holder, attribute):
                enter(mock.patch.object(holder, attribute))
                delattr(holder, attribute)
        enter(mock.patch.object(sys, "platform", name))
        for each in [each for each in sys.modules if each.split(".")[0] == "curator"]:
            del sys.modules[each]
        yield


def import_all(where: str) -> None:
    """Import all there is; say what cannot be."""
    for name in modules():
        try:
            importlib.import_module(name)
        except Exception as error:
            print(f"{where}: {name}: {type(error).__name__}: {error}")


def begin() -> None:
    """Do what comes before the first photo and asks which system this is."""
    from curator import workers
    from curator.catalog import ConductorLock
    from curator.settings import Home

    with tempfile.TemporaryDirectory() as folder, ConductorLock(Home.at(folder).make()):
        workers._check_room(1)


def main() -> None:
    """Be each system in turn."""
    gc.disable()
    import_all("here")
    with system("darwin", NOT_ON_MACOS, WINDOWS_MODULES):
        import_all("macOS")
        begin()
    locking = mock.Mock()
    with system("win32", NOT_ON_WINDOWS, POSIX_MODULES):
        sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=locking)  # type: ignore[assignment]
        import_all("Windows")
        begin()
    assert locking.call_count == 1
    print("asked", len(modules()))


if __name__ == "__main__":
    main()
