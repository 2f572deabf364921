"""A Python that says it is on another system, and imports all of Curator there.

    python -m tests.elsewhere

The libraries are loaded first, as they are here. Then Curator is imported anew as on macOS and as
on Windows: without what Python lacks there, with a stand-in for what is there alone; and its locks,
signals, paths and drives are used there. Prints a line for each module that could not be imported,
and last how many were asked each time. It runs on Linux.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import io
import os
import select
import signal
import socket
import struct
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

import curator

with contextlib.suppress(ImportError):  # Windows, where only the lists are read
    import fcntl

PACKAGE = Path(curator.__file__).resolve().parent


def _all(module: str, names: str) -> tuple[str, ...]:
    return tuple(f"{module}.{name}" for name in names.split())


# What Python has on Linux and not there: docs.python.org, "Availability", and typeshed; of numbers
# for such calls, those one may come upon.
NOT_ON_MACOS = (
    *_all("os", "copy_file_range eventfd fdatasync getrandom getresgid getresuid getxattr"),
    *_all("os", "listxattr memfd_create pidfd_open pipe2 posix_fadvise posix_fallocate"),
    *_all("os", "removexattr sched_getaffinity sched_getparam sched_getscheduler"),
    *_all("os", "sched_rr_get_interval sched_setaffinity sched_setparam sched_setscheduler"),
    *_all("os", "setresgid setresuid setxattr splice"),
    *_all("os", "O_DIRECT O_LARGEFILE O_NOATIME O_PATH O_RSYNC O_TMPFILE"),
    *_all("os", "POSIX_FADV_DONTNEED POSIX_FADV_SEQUENTIAL POSIX_FADV_WILLNEED"),
    *_all("signal", "SIGCLD SIGPOLL SIGPWR SIGRTMAX SIGRTMIN SIGSTKFLT pidfd_send_signal"),
    *_all("signal", "sigtimedwait sigwaitinfo"),
    *_all("time", "CLOCK_BOOTTIME CLOCK_TAI pthread_getcpuclockid"),
    *_all("select", "epoll"),
)
NOT_ON_WINDOWS = (
    *NOT_ON_MACOS,
    *_all("os", "chown chroot confstr ctermid environb fchdir fchmod fchown fork forkpty"),
    *_all("os", "fpathconf fstatvfs fwalk getegid getenvb geteuid getgid getgrouplist getgroups"),
    *_all("os", "getloadavg getpgid getpgrp getpriority getsid getuid initgroups killpg lchown"),
    *_all("os", "lockf login_tty major makedev minor mkfifo mknod nice openpty pathconf"),
    *_all("os", "posix_spawn posix_spawnp pread preadv pwrite pwritev readv register_at_fork"),
    *_all("os", "sched_get_priority_max sched_get_priority_min sched_yield sendfile setegid"),
    *_all("os", "seteuid setgid setgroups setpgid setpgrp setpriority setregid setreuid setsid"),
    *_all("os", "setuid spawnlp spawnlpe spawnvp spawnvpe statvfs sync sysconf tcgetpgrp"),
    *_all("os", "tcsetpgrp ttyname uname wait wait3 wait4 waitid writev"),
    *_all("os", "O_ASYNC O_CLOEXEC O_DIRECTORY O_DSYNC O_NDELAY O_NOCTTY O_NOFOLLOW O_NONBLOCK"),
    *_all("os", "O_SYNC SEEK_DATA SEEK_HOLE EX_USAGE WNOHANG WEXITSTATUS WIFEXITED WIFSIGNALED"),
    *_all("os", "WTERMSIG F_LOCK F_TLOCK F_ULOCK"),
    *_all("signal", "ITIMER_REAL SIGALRM SIGBUS SIGCHLD SIGCONT SIGHUP SIGIO SIGKILL SIGPIPE"),
    *_all("signal", "SIGPROF SIGQUIT SIGSTOP SIGSYS SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG"),
    *_all("signal", "SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ alarm getitimer pause"),
    *_all("signal", "pthread_kill pthread_sigmask setitimer siginterrupt sigpending sigwait"),
    *_all("time", "CLOCK_MONOTONIC CLOCK_REALTIME clock_getres clock_gettime clock_gettime_ns"),
    *_all("time", "clock_settime tzset"),
    *_all("socket", "AF_UNIX SO_REUSEPORT MSG_DONTWAIT recv_fds send_fds"),
    *_all("select", "poll"),
)
POSIX_MODULES = (
    *("curses", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog"),
    *("termios", "tty"),
)
WINDOWS_MODULES = ("msvcrt", "winreg", "winsound", "_winapi")
_HOLDERS = {"os": os, "signal": signal, "time": time, "socket": socket, "select": select}


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


def locking(handle: int, mode: int, count: int) -> None:
    """Lock bytes from where one is in a file for this handle alone, as Windows does (msvcrt).

    Linux has the same as locks of an open file description: fcntl(2), F_OFD_SETLK.
    """
    assert mode == 2 and count > 0, "LK_NBLCK of some bytes"
    here = os.lseek(handle, 0, os.SEEK_CUR)
    lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, here, count, 0)
    fcntl.fcntl(handle, fcntl.F_OFD_SETLK, lock)


def refused(act: Callable[[], object]) -> None:
    """See that a lock is taken by others."""
    from curator.model import BusyError

    try:
        act()
    except BusyError:
        return
    raise AssertionError("two have one lock")


def begin() -> None:
    """Do what comes before the first photo and asks which system this is."""
    from curator import cli, workers
    from curator.catalog import ConductorLock, UseLock
    from curator.export.target_folder import exclusive
    from curator.home import Home
    from curator.opened_folder import OpenedFolder
    from curator.ui import single_instance

    with tempfile.TemporaryDirectory() as folder:
        home = Home.at(folder).make()
        with ConductorLock(home):
            refused(ConductorLock(home).acquire)
        with ConductorLock(home):
            pass  # it ended with who had it
        with UseLock(home.catalog) as one, UseLock(home.catalog) as other:
            one.share()
            other.share()
            refused(UseLock(home.catalog).exclude_others)
        with UseLock(home.catalog) as one:
            one.exclude_others()
            refused(UseLock(home.catalog).share)
        with OpenedFolder.at(Path(folder)) as one, OpenedFolder.at(Path(folder)) as other:
            with exclusive(one):
                refused(exclusive(other).__enter__)
            with exclusive(other):
                pass  # it ended with who had it
        with contextlib.redirect_stdout(io.StringIO()):
            assert cli.main(["--home", folder, "photos"], mock.Mock(), mock.Mock()) == 0
        assert single_instance.socket_name(home)
    workers._check_room(1)
    workers._lower_priority(1)


def drives() -> None:
    r"""Ask Windows what is mounted: a disk, a card, a reader without one, a share with a letter."""
    from curator import volumes

    kinds = {"C:\\": 3, "E:\\": 2, "F:\\": 2, "P:\\": 4}

    def volume(root: Any, label: Any, room: int, serial: Any, *_: object) -> int:
        if root.value == "F:\\":
            return 0
        label.value, serial._obj.value = "EOS", 0x12AB34CD
        return 1

    def share(letter: str, name: Any, _: object) -> int:
        name.value = {"P:": r"\\nas\photos"}[letter]
        return 0

    kernel = types.SimpleNamespace(
        GetDriveTypeW=lambda root: kinds[root.value], GetVolumeInformationW=volume
    )
    mpr = types.SimpleNamespace(WNetGetConnectionW=share)
    windows = types.SimpleNamespace(kernel32=kernel, mpr=mpr)
    parts = [types.SimpleNamespace(mountpoint=root, fstype="NTFS") for root in kinds]
    with (
        mock.patch.object(ctypes, "windll", windows, create=True),
        mock.patch.object(psutil, "disk_partitions", lambda all: parts),
    ):
        disk, card, nas = volumes.mounted()
    assert (disk.path, disk.key, disk.label) == ("C:\\", "12AB-34CD", "EOS"), disk
    assert not disk.removable and card.removable and nas.network, (disk, card, nas)


def main() -> None:
    """Be each system in turn."""
    gc.disable()
    import_all("here")
    with system("darwin", NOT_ON_MACOS, WINDOWS_MODULES):
        import_all("macOS")
        begin()
    windows = types.SimpleNamespace(LK_NBLCK=2, locking=mock.Mock(side_effect=locking))
    with (
        system("win32", NOT_ON_WINDOWS, POSIX_MODULES),
        mock.patch.object(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 10, create=True),
    ):
        sys.modules["msvcrt"] = windows  # type: ignore[assignment]
        import_all("Windows")
        begin()
        drives()
    assert windows.locking.called, "Windows locks otherwise"
    print("asked", len(modules()))


if __name__ == "__main__":
    main()
