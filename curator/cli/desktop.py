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
from curator.home import resource
from curator.installing import is_frozen
from curator.model import KnownError

_ENTRY = "applications/curator.desktop"
_DEFAULTS_KEY = "X-Curator-Kept="  # a line of the entry: the defaults that were set on adding it
# File of resources/ → its place in the data folder.
_FILES = {
    "desktop/curator.desktop": _ENTRY,
    "desktop/curator.xml": "mime/packages/curator.xml",
    "icons/curator.svg": "icons/hicolor/scalable/apps/curator.svg",
    **{
        f"desktop/curator-{px}.png": f"icons/hicolor/{px}x{px}/apps/curator.png"
        for px in (48, 128, 256)
    },
}
# Tools that update what desktops read from these files; a desktop that needs them has them.
_DATABASES = (
    ("update-desktop-database", "applications"),
    ("update-mime-database", "mime"),
)


def desktop(invocation: Invocation) -> None:
    """Add Curator to the desktop's Open With menu, or remove it (Linux, Windows).

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
        line = f"Curator is in {where} for folders and photos: {' '.join(start)}"
    else:
        places = explorer.remove() if windows else _remove()
        line = f"Curator is no longer in {where}."
    invocation.output.answer({"act": act, "places": places}, [line])


def _add(start: Sequence[str]) -> list[str]:
    base = _data_folder()
    before, defaults = _default_apps(), _recorded_defaults(base)
    command = " ".join(map(quoted, start))
    if "%" in command:  # GLib looks for the program before it turns %% into %
        command = f"env {command}"
    try:
        for name, target in _FILES.items():
            data = resource(name).read_bytes()
            if target == _ENTRY:
                data = data.replace(b"Exec=curator ", os.fsencode(f"Exec={command} "))
            (base / target).parent.mkdir(parents=True, exist_ok=True)
            atomic.write(base / target, data)  # replaces a link, and leaves its target alone
        _update_databases(base)
        defaults |= _restore_default_apps(before)
        line = f"{_DEFAULTS_KEY}{';'.join(sorted(defaults))}\n".encode()
        atomic.write(base / _ENTRY, (base / _ENTRY).read_bytes() + line)
    except OSError as error:
        raise _unwritable(base, error) from error
    return [str(base / target) for target in _FILES.values()]


def _remove() -> list[str]:
    base = _data_folder()
    paths = [base / target for target in _FILES.values()]
    try:
        _remove_defaults(_recorded_defaults(base))
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(base, error) from error
    _update_databases(base)
    for path in paths:
        _remove_empty_folders(path.parent, base)
    return [str(path) for path in paths]


def _data_folder() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def _update_databases(base: Path) -> None:
    for tool, folder in _DATABASES:
        if (base / folder).is_dir():
            _run(tool, str(base / folder))


def _default_apps() -> dict[str, str]:
    """Return the default application of each type: its desktop file, empty for none."""
    text = resource("desktop/curator.desktop").read_text("utf-8")
    types = re.search(r"^MimeType=(.*);$", text, re.MULTILINE)
    assert types is not None
    kinds = types[1].split(";")
    with ThreadPoolExecutor(8) as pool:  # a tenth of a second each
        apps = pool.map(lambda kind: _run("xdg-mime", "query", "default", kind), kinds)
        return dict(zip(kinds, apps, strict=True))


def _restore_default_apps(before: dict[str, str]) -> set[str]:
    """Set the former default applications again; return the lines this adds to mimeapps.list.

    If the person never chose a default, desktops prefer a program in the person's own folder: a
    double click on any folder would open Curator.
    """
    changed: dict[str, list[str]] = {}
    for kind, now in _default_apps().items():
        if f"applications/{now}" == _ENTRY and before[kind] not in ("", now):
            changed.setdefault(before[kind], []).append(kind)
    for entry, kinds in changed.items():
        _run("xdg-mime", "default", entry, *kinds)
    return {f"{kind}={entry}" for entry, kinds in changed.items() for kind in kinds}


def _recorded_defaults(base: Path) -> set[str]:
    """Return the defaults recorded in our desktop entry, as lines of mimeapps.list."""
    with contextlib.suppress(OSError, ValueError):
        for line in (base / _ENTRY).read_text("utf-8").splitlines():
            if line.startswith(_DEFAULTS_KEY):
                return set(filter(None, line.removeprefix(_DEFAULTS_KEY).split(";")))
    return set()


def _remove_defaults(defaults: set[str]) -> None:
    """Remove the defaults set on adding from mimeapps.list (MIME applications specification)."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    path = config / "mimeapps.list"
    if not defaults or not path.is_file():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    left = [line for line in lines if os.fsdecode(line).strip().rstrip(";") not in defaults]
    if left != lines:
        atomic.write(path, b"".join(left), owner_only=False)


def _run(tool: str, *words: str) -> str:
    """Run a desktop tool and return its output; empty if the tool is missing."""
    if shutil.which(tool) is None:
        return ""
    done = subprocess.run([tool, *words], check=False, capture_output=True, text=True)
    return done.stdout.strip()


def _remove_empty_folders(folder: Path, base: Path) -> None:
    """Remove folders that are empty now, up to the data folder."""
    with contextlib.suppress(OSError):  # it is not empty
        while folder != base:
            folder.rmdir()
            folder = folder.parent


def _unwritable(base: Path, error: OSError) -> KnownError:
    return KnownError(
        f"The desktop's folder {base} cannot be written ({error.strerror}).", "Make it writable."
    )


def program() -> list[str]:
    """Return the command that starts Curator: the frozen program, or pip's script.

    On Windows that script would open a terminal, so it is pythonw instead. With ``-P`` it loads no
    code from the current folder, which may be a folder of photos.
    """
    here = Path(sys.executable)
    if is_frozen():
        return [str(here)]
    if sys.platform == "win32":
        return [str(here.with_name("pythonw.exe")), "-P", "-m", "curator"]
    script = here.with_name("curator")
    return [str(script if script.exists() else shutil.which("curator") or script)]


def quoted(text: str) -> str:
    """Quote an argument for ``Exec`` (Desktop Entry Specification 1.5, "The Exec key").

    A desktop reads the value as a string first, with doubled backslashes, then as an argument.
    """
    for special in '\\"`$':
        text = text.replace(special, f"\\{special}")
    return '"{}"'.format(text.replace("\\", "\\\\").replace("%", "%%"))
