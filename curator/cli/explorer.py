r"""Windows Explorer: "Open with Curator" in the menus of folders, drives and photos.

Verbs under ``HKEY_CURRENT_USER\Software\Classes``, the person's own part of the registry
(learn.microsoft.com, "Creating Shortcut Menu Handlers"). File associations for double clicks do not
change.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import PureWindowsPath

from curator.files import IMAGE_SUFFIXES, RAW_SUFFIXES
from curator.home import resource
from curator.model import KnownError

_CLASSES = r"Software\Classes"
_VERB = r"shell\Curator"
_TITLE = "Open with Curator"


def add(program: Sequence[str]) -> list[str]:
    """Add the menu entries; return their registry keys.

    Args:
        program: the program to start: a path, then options.

    Raises:
        KnownError: the registry cannot be written.
    """
    if sys.platform != "win32":
        raise NotImplementedError
    import winreg

    start = subprocess.list2cmdline(program)
    values = {
        "": _TITLE,
        "Icon": str(resource("desktop/curator.ico")),
        "MultiSelectModel": "Single",  # else each of many selected photos would start Curator
    }
    try:
        for kind, what in _kinds().items():
            key = rf"{_CLASSES}\{kind}\{_VERB}"
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, key) as made:
                for name, value in values.items():
                    winreg.SetValueEx(made, name, 0, winreg.REG_SZ, value)
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, rf"{key}\command") as made:
                winreg.SetValueEx(made, "", 0, winreg.REG_SZ, f"{start} {what}")
    except OSError as error:
        raise _refused(error) from error
    return _keys()


def remove() -> list[str]:
    """Remove the menu entries, and keys left empty by that; return the keys of the entries.

    Raises:
        KnownError: the registry cannot be written.
    """
    try:
        for key in _keys():
            _delete(rf"{key}\command")
            _delete(key)
            above = PureWindowsPath(key).parent
            while str(above) != _CLASSES and _is_empty(str(above)):
                _delete(str(above))
                above = above.parent
    except OSError as error:
        raise _refused(error) from error
    return _keys()


def _delete(key: str) -> None:
    if sys.platform != "win32":
        raise NotImplementedError
    import winreg

    with contextlib.suppress(FileNotFoundError):
        winreg.DeleteKey(winreg.HKEY_CURRENT_USER, key)


def _is_empty(key: str) -> bool:
    if sys.platform != "win32":
        raise NotImplementedError
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
            keys, values, _ = winreg.QueryInfoKey(opened)
    except FileNotFoundError:
        return True
    return not keys and not values


def _kinds() -> dict[str, str]:
    r"""Map each kind of item with a menu to the argument its menu entry passes.

    A drive is ``E:\``, whose backslash would escape the quote after it; ``E:\.`` is the same.
    """
    folders = dict.fromkeys(("Directory", r"Directory\Background", "Drive"), r'"%V\."')
    suffixes = sorted(IMAGE_SUFFIXES | RAW_SUFFIXES)
    return folders | {rf"SystemFileAssociations\{suffix}": '"%1"' for suffix in suffixes}


def _keys() -> list[str]:
    return [rf"{_CLASSES}\{kind}\{_VERB}" for kind in _kinds()]


def _refused(error: OSError) -> KnownError:
    return KnownError(
        f"Windows's registry cannot be written ({error.strerror}).",
        "Ask the administrator of this computer, or drop a folder on Curator's window.",
    )
