"""The verb that adds Curator to the desktop's menu and to "Open with".

On Linux it writes a few files in the person's data folder (freedesktop.org base directory and menu
specifications), on Windows registry keys of its own (`curator.cli.explorer`). It needs no
administrator rights, and ``remove`` removes everything again. On macOS an app itself declares what
it opens.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from curator import atomic
from curator.cli import explorer
from curator.cli.invocation import Invocation
from curator.model import KnownError
from curator.settings import resource

_ENTRY = "applications/curator.desktop"
_KEPT = "X-Curator-Kept="
# What of resources/ goes where in the data folder.
_FILES = {
    "desktop/curator.desktop": _ENTRY,
    "desktop/curator.xml": "mime/packages/curator.xml",
    "icons/curator.svg": "icons/hicolor/scalable/apps/curator.svg",
    **{
        f"desktop/curator-{px}.png": f"icons/hicolor/{px}x{px}/apps/curator.png"
        for px in (48, 128, 256)
    },
}
# They make what desktops read of these files; a desktop that reads it brings them.
_AFTERWARDS = (
    ("update-desktop-database", "applications"),
    ("update-mime-database", "mime"),
)


def desktop(invocation: Invocation) -> None:
    """Add Curator to the desktop's menu and to "Open with" for folders and photos, or remove it.

    Raises:
        KnownError: this is macOS, or the data folder or the registry cannot be written.
    """
    act = invocation.arguments.act
    if sys.platform == "darwin":
        raise KnownError(
            "On macOS there is nothing to set up for Open With.",
            "Put Curator.app, which PyInstaller makes, into Applications: Finder finds it there."
            " Or drop a folder on Curator's window.",
        )
    windows = sys.platform == "win32"
    where = "Explorer's menu" if windows else "the menu and in Open with"
    if act == "add":
        start = program()
        places = explorer.add(start) if windows else _add(start)
        said = f"Curator is in {where} for folders and photos: {' '.join(start)}"
    else:
        places = explorer.remove() if windows else _remove()
        said = f"Curator is no longer in {where}."
    invocation.output.answer({"act": act, "places": places}, [said])


def _add(start: Sequence[str]) -> list[str]:
    base = _base()
    before, kept = _opened_by(), _kept(base)
    command = " ".join(map(quoted, start))
    if "%" in command:  # GLib looks whether there is such a program before it takes %% for %
        command = f"env {command}"
    try:
        for name, place in _FILES.items():
            data = resource(name).read_bytes()
            if place == _ENTRY:
                data = data.replace(b"Exec=curator ", os.fsencode(f"Exec={command} "))
            (base / place).parent.mkdir(parents=True, exist_ok=True)
            atomic.write(
                base / place, data
            )  # a link of that name makes way, what it leads to stays
        _tell(base)
        kept |= _leave_as_it_was(before)
        noted = f"{_KEPT}{';'.join(sorted(kept))}\n".encode()
        atomic.write(base / _ENTRY, (base / _ENTRY).read_bytes() + noted)
    except OSError as error:
        raise _unwritable(base, error) from error
    return [str(base / place) for place in _FILES.values()]


def _remove() -> list[str]:
    base = _base()
    places = [base / place for place in _FILES.values()]
    try:
        _forget(_kept(base))
        for place in places:
            place.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(base, error) from error
    _tell(base)
    for place in places:
        _clear(place.parent, base)
    return [str(place) for place in places]


def _base() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def _tell(base: Path) -> None:
    for tool, folder in _AFTERWARDS:
        if (base / folder).is_dir():
            _run(tool, str(base / folder))


def _opened_by() -> dict[str, str]:
    """Return the default application of each type: its desktop file, empty for none."""
    text = resource("desktop/curator.desktop").read_text("utf-8")
    types = re.search(r"^MimeType=(.*);$", text, re.MULTILINE)
    assert types is not None
    kinds = types[1].split(";")
    with ThreadPoolExecutor(8) as asking:  # a tenth of a second each
        return dict(zip(kinds, asking.map(_default_of, kinds), strict=True))


def _default_of(kind: str) -> str:
    return _run("xdg-mime", "query", "default", kind)


def _leave_as_it_was(before: dict[str, str]) -> set[str]:
    """Let a double click start what it did; what was written down for that, as it stands there.

    Of programs nobody chose among, desktops take first what lies in the person's own folder: a
    double click on any folder would open Curator.
    """
    taken: dict[str, list[str]] = {}
    for kind, now in _opened_by().items():
        if f"applications/{now}" == _ENTRY and before[kind] not in ("", now):
            taken.setdefault(before[kind], []).append(kind)
    for entry, kinds in taken.items():
        _run("xdg-mime", "default", entry, *kinds)
    return {f"{kind}={entry}" for entry, kinds in taken.items() for kind in kinds}


def _kept(base: Path) -> set[str]:
    """Read from our own entry what was written down."""
    with contextlib.suppress(OSError, ValueError):
        for line in (base / _ENTRY).read_text("utf-8").splitlines():
            if line.startswith(_KEPT):
                return set(filter(None, line.removeprefix(_KEPT).split(";")))
    return set()


def _forget(kept: set[str]) -> None:
    """Remove Curator from the person's own list: MIME applications specification 1.0."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    path = config / "mimeapps.list"
    if not kept or not path.is_file():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    left = [line for line in lines if os.fsdecode(line).strip().rstrip(";") not in kept]
    if left != lines:
        atomic.write(path, b"".join(left), owner_only=False)


def _run(tool: str, *words: str) -> str:
    """Run a desktop tool and return its output; empty if the tool is missing."""
    if shutil.which(tool) is None:
        return ""
    done = subprocess.run([tool, *words], check=False, capture_output=True, text=True)
    return done.stdout.strip()


def _clear(folder: Path, base: Path) -> None:
    """Remove folders that are empty now, up to the data folder."""
    with contextlib.suppress(OSError):  # something is in it
        while folder != base:
            folder.rmdir()
            folder = folder.parent


def _unwritable(base: Path, error: OSError) -> KnownError:
    return KnownError(
        f"The desktop's folder {base} cannot be written ({error.strerror}).", "Make it writable."
    )


def program() -> list[str]:
    """Return the command that starts Curator: the frozen program, or pip's script.

    On Windows that script would open a terminal, so it is Python without one. ``-P``: no code is
    loaded from the current folder, which holds somebody's photos.
    """
    here = Path(sys.executable)
    if getattr(sys, "frozen", False):
        return [str(here)]
    if sys.platform == "win32":
        return [str(here.with_name("pythonw.exe")), "-P", "-m", "curator"]
    script = here.with_name("curator")
    return [str(script if script.exists() else shutil.which("curator") or script)]


def quoted(text: str) -> str:
    """Quote an argument for ``Exec`` (Desktop Entry Specification 1.5, "The Exec key").

    The value is a string first, in which a backslash is doubled, and a quoted argument then.
    """
    for sign in '\\"`$':
        text = text.replace(sign, f"\\{sign}")
    return '"{}"'.format(text.replace("\\", "\\\\").replace("%", "%%"))
