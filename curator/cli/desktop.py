"""The verb that puts Curator among a Linux desktop's programs: its menu and "Open with".

macOS and Windows know programs otherwise; there the verb says what to do instead. Everything goes
into the person's own data folder (freedesktop.org base directory and menu specifications), nothing
needs rights, and ``remove`` takes all of it away again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from curator.cli.invocation import Invocation
from curator.model import KnownError
from curator.settings import resource

# What of resources/ goes where in the data folder.
_FILES = {
    "desktop/curator.desktop": "applications/curator.desktop",
    "desktop/curator.xml": "mime/packages/curator.xml",
    "icons/curator.svg": "icons/hicolor/scalable/apps/curator.svg",
    **{
        f"desktop/curator-{px}.png": f"icons/hicolor/{px}x{px}/apps/curator.png"
        for px in (48, 128, 256)
    },
}
# They make what desktops read from these files; one that is missing is run by the next login.
_AFTERWARDS = (
    ("update-desktop-database", "applications"),
    ("update-mime-database", "mime"),
)
_ELSEWHERE = {
    "darwin": "On macOS drop a folder on Curator's window, or start `curator FOLDER`.",
    "win32": "On Windows drop a folder on curator.exe or its shortcut, or on Curator's window.",
}


def desktop(invocation: Invocation) -> None:
    """Add Curator to the desktop's menu and to "Open with" for folders and photos, or remove it.

    Raises:
        KnownError: this is no Linux desktop, or the data folder cannot be written.
    """
    if sys.platform in _ELSEWHERE:
        raise KnownError("This is for Linux desktops.", _ELSEWHERE[sys.platform])
    base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    places = [base / place for place in _FILES.values()]
    if invocation.arguments.act == "remove":
        for place in places:
            place.unlink(missing_ok=True)
        said = "Curator is no longer in the menu and in Open with."
    else:
        try:
            _write(base)
        except OSError as error:
            raise KnownError(
                f"The desktop's folder {base} cannot be written ({error.strerror}).",
                "Make it writable.",
            ) from error
        said = f"Curator is in the menu, and in Open with for folders and photos: {program()}"
    for tool, folder in _AFTERWARDS:
        if shutil.which(tool) and (base / folder).is_dir():
            subprocess.run([tool, str(base / folder)], check=False, capture_output=True)
    invocation.output.answer({"act": invocation.arguments.act, "files": places}, [said])


def _write(base: Path) -> None:
    for name, place in _FILES.items():
        data = resource(name).read_bytes()
        if place.endswith(".desktop"):
            text = data.decode("utf-8").replace("Exec=curator ", f"Exec={quoted(program())} ")
            data = text.encode("utf-8")
        (base / place).parent.mkdir(parents=True, exist_ok=True)
        (base / place).write_bytes(data)


def program() -> Path:
    """Find what started us: the frozen program, or the script that pip made."""
    if getattr(sys, "frozen", False):
        return Path(sys.executable)
    script = Path(sys.executable).with_name("curator")
    return script if script.exists() else Path(shutil.which("curator") or script)


def quoted(path: Path) -> str:
    """Quote a path for ``Exec`` (Desktop Entry Specification 1.5, "The Exec key").

    The value is a string first, in which a backslash is doubled, and a quoted argument then.
    """
    text = str(path)
    for sign in '\\"`$':
        text = text.replace(sign, f"\\{sign}")
    return '"{}"'.format(text.replace("\\", "\\\\").replace("%", "%%"))
