"""Where things live: the folders of Curator's own files, its resources, and typed paths.

    home = Home.at("~/iceland").make()      # checked, and for its owner only
    home.catalog, home.log                  # /home/ada/iceland/catalog.db, .../curator.log

Everything imports this, worker processes and the shortest verbs too, so it loads nothing large;
what a home's ``settings.json`` means is in `settings`.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeVar

import platformdirs

from curator import atomic, private
from curator.model import CACHE_TAG, KnownError

P = TypeVar("P", bound=PurePath)

_CACHE_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
# Names of Curator's own files in a home folder, which may hold other files, too.
_TEMPORARY = r"\.curator-.*\.tmp"
_DATA = re.compile(
    rf"{_TEMPORARY}|catalog[-\w]*\.(db|lock|reserve)(-\w+)?|conductor\.lock|curator\.log(\.\d+)?"
    r"|(settings|keys)\.(json|toml)(\.refused)?|bench\.jsonl|vocabulary\.txt"
    r"|backups|cache|export-presets|restoring"
)
_CACHE = re.compile(
    rf"{_TEMPORARY}|CACHEDIR\.TAG|(table|stacks|scores)\.(columns|npz)|[0-9a-f]{{24}}\.npz"
    r"|proxies|thumbs|models"
)
_BACKUPS = re.compile(rf"{_TEMPORARY}(-journal)?|catalog-[-\w]+\.db(-\w+)?")
_PRESETS = re.compile(rf"{_TEMPORARY}|.+\.json")
_PROXIES = re.compile(rf"{_TEMPORARY}|[0-9a-f]{{2}}")


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return a typed path as an absolute path, in the form the catalog stores.

    ``~`` becomes the user's home folder and ``..`` removes a folder by name, as a shell's cd does.
    Links are not resolved.
    """
    typed = Path(path)
    # ~name of an unknown user stays a file name.
    with contextlib.suppress(RuntimeError):
        typed = typed.expanduser()
    return with_capital_drive(Path(os.path.normpath(typed.absolute())))


def with_capital_drive(path: P) -> P:
    """Return a Windows path with its drive letter capitalized; other paths unchanged."""
    if path.drive[1:] != ":":
        return path
    return type(path)(path.anchor.upper(), *path.parts[1:])


@dataclass(frozen=True, slots=True)
class Home:
    """The folders that hold everything Curator derives; originals are never here.

    With ``--home`` or ``CURATOR_HOME`` data and cache share that one folder; otherwise they
    are the platform's data and cache folders.
    """

    data: Path
    cache: Path

    @classmethod
    def at(cls, folder: str | Path | None = None) -> Home:
        """Return the home: ``folder``, else ``CURATOR_HOME``, else the platform's folders."""
        chosen = folder or os.environ.get("CURATOR_HOME")
        if chosen:
            base = absolute(chosen)
            return cls(base, base / "cache")
        return cls(
            Path(platformdirs.user_data_dir("curator", False)),
            Path(platformdirs.user_cache_dir("curator", False)),
        )

    def make(self) -> Home:
        """Create the folders, and check that they can be written.

        Raises:
            KnownError: a folder cannot be created or written.
        """
        try:
            private.make_folder(self.data)
            private.make_folder(self.cache)
            self._restrict()
            # Backup programs skip a folder with this file. So does a scan: proxies must not be read
            # as photos if the home lies inside an opened folder.
            tag = self.cache / CACHE_TAG
            if not tag.exists():
                with contextlib.suppress(OSError):  # on a full disk photos can still be viewed
                    text = f"{_CACHE_SIGNATURE}\n# Made by Curator, which can make it again.\n"
                    atomic.write(tag, text.encode("utf-8"))
            probe = atomic.temporary_path(self.data / "probe")
            try:
                probe.touch(private.FILE)
                probe.unlink()
            except OSError as error:
                if not atomic.is_full(error):  # on a full disk photos can still be viewed
                    raise
        except (FileExistsError, NotADirectoryError) as error:
            raise KnownError(
                f"The home folder {self.data} cannot be created: a file is in the way.",
                "Choose another folder with --home or CURATOR_HOME.",
            ) from error
        except OSError as error:
            first = "Free disk space, or choose" if atomic.is_full(error) else "Choose"
            raise KnownError(
                f"The home folder {self.data} cannot be written ({error.strerror or error}).",
                f"{first} another folder with --home or CURATOR_HOME.",
            ) from error
        return self

    def _restrict(self) -> None:
        """Deny other users access to the files of earlier versions; see `private`.

        For proxies, restricting the folders is enough; checking 100,000 files would take too long.
        """
        ours = self.data == Path(platformdirs.user_data_dir("curator", False))
        private.restrict_known(self.data, _DATA, is_ours=ours)
        private.restrict_known(self.cache, _CACHE, is_ours=ours)
        private.restrict_known(self.backups, _BACKUPS)
        private.restrict_known(self.data / "export-presets", _PRESETS)
        for name in ("proxies", "thumbs"):
            private.restrict_known(self.cache / name, _PROXIES)

    @property
    def catalog(self) -> Path:
        """The SQLite file."""
        return self.data / "catalog.db"

    @property
    def backups(self) -> Path:
        """The folder for copies of the catalog."""
        return self.data / "backups"

    @property
    def table_file(self) -> Path:
        """The cached photo table for the next window; may be deleted."""
        return self.cache / "table.columns"

    @property
    def scores_file(self) -> Path:
        """The cached scores for the next verb; may be deleted."""
        return self.cache / "scores.npz"

    @property
    def log(self) -> Path:
        """The rotating log file."""
        return self.data / "curator.log"

    @property
    def settings_file(self) -> Path:
        """The JSON file of the settings that differ from the defaults."""
        return self.data / "settings.json"


def resource(name: str) -> Path:
    """Return the path of a file of ``resources/``, in the package or in the checkout."""
    here = Path(__file__).resolve().parent
    inside = here / "resources" / name
    return inside if inside.exists() else here.parent / "resources" / name
