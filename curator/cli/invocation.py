"""What every verb gets: the home, the settings, the catalog and where to answer.

The catalog must not be on a network drive. SQLite's write-ahead log keeps its index in memory
shared by all processes of one computer (sqlite.org/wal.html: "WAL does not work over a network
filesystem"), and locks on network drives cannot be relied on: marks could be lost without anybody
noticing. Drives served by a program of this computer (ntfs-3g, exfat-fuse) are local.

In virtual machines, 9p is refused: the host shares neither its mapped memory nor its locks, so
Windows and a Linux inside it (WSL) could both write; the same holds for WSL's older drvfs. If 9p is
the only file system, as in a sandbox, it is accepted: no other side can write. Virtiofs is
accepted: within one machine it maps and locks like a disk.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from curator.cli.output import Output
from curator.home import Home, absolute
from curator.model import KnownError, NotFoundError, UsageError
from curator.volumes import Mount, mount_of, mounted

if TYPE_CHECKING:
    from curator.catalog import Catalog, PhotoDetail
    from curator.learning.learner import TasteLearner
    from curator.settings import Settings

_MOST_LINKS = 40  # followed in a path, as the system does
_SHARED_KINDS = frozenset({"drvfs"})  # of drives that another system can write, too


@dataclass
class Invocation:
    """One run of one verb. Settings and catalog are opened when first used.

    As a context manager it closes the catalog, and re-raises errors caused by a damaged catalog as
    DamagedError.

    Attributes:
        home: the folders of catalog and cache.
        arguments: the parsed command line.
        output: where the answer goes.
        open_window: opens the window; called with home, settings and folders.
        run_bench: runs the benchmarks; called with home, arguments and output.
    """

    home: Home
    arguments: Namespace
    output: Output
    open_window: Callable[..., int]
    run_bench: Callable[..., int]

    @cached_property
    def settings(self) -> Settings:
        """The settings, with ``--set`` over environment over file over defaults."""
        from curator.settings import Settings

        settings = Settings.load(self.home, nested(self.arguments.set))
        check_searches(settings)
        return settings

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog, opened, or created if there is none."""
        from curator.catalog import Catalog

        self.home.make()
        return Catalog.open(self.home.catalog)

    @cached_property
    def learner(self) -> TasteLearner:
        """The taste learned from all ratings; a second at 100,000 photos."""
        from curator.learning.learner import learn_once

        return learn_once(self.catalog, self.settings.taste, self.home.cache)

    def index_words(self) -> None:
        """Index the newest words of all photos; if that fails, a search finds the older ones."""
        try:
            self.catalog.text.update_all()
        except KnownError as error:
            self.output.note(f"The newest words could not be searched. {error}")

    def photo_or_file(self, name: str) -> tuple[PhotoDetail | None, Path]:
        """Return a photo of the catalog and its path, or the path of a file that is not in it.

        Raises:
            NotFoundError: there is no such photo or file.
        """
        path = absolute(name)
        if self.home.catalog.exists():  # do not create a catalog just to look a file up
            try:
                detail = self.catalog.photos.get(name)
            except NotFoundError:
                if not path.exists():
                    raise
            else:
                return detail, detail.path
        return None, path

    def update_folders(self) -> None:
        """Update which folders are connected, before their files are read or written.

        A folder whose drive is now mounted under another path is found there.
        """
        from curator.library.folder_lookup import all_in_place

        if all_in_place(self.catalog.folders.all()):
            return
        from curator.pipeline.folder_availability import update_folders

        update_folders(self.catalog)

    def confirm(self, sentence: str, otherwise: str) -> bool:
        """Announce what will happen; return whether the person agrees, by --yes or when asked.

        Args:
            sentence: what will happen.
            otherwise: the answer if the person declines.

        Raises:
            UsageError: it cannot ask, without a terminal or with JSON output; add --yes.
        """
        if not self.arguments.yes and (self.output.as_json or not sys.stdin.isatty()):
            raise UsageError(sentence, "Add --yes to continue.")
        self.output.note(sentence)
        if self.arguments.yes or _is_yes("Continue? [y/N] "):
            return True
        self.output.answer({}, [otherwise])
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if "catalog" not in self.__dict__:
            return
        try:
            damage = None if error is None else self.catalog.store.damage_error(error)
        finally:
            self.catalog.close()
        if damage is not None:
            raise damage from error


def _is_yes(question: str) -> bool:
    """Whether the person answers yes; the end of the input (Ctrl+D) is a no."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def check_searches(settings: Settings) -> None:
    """Check the settings written in the search language, which `settings` does not know.

    Raises:
        UsageError: the approval rule is not valid.
    """
    from curator.settings import DEFAULT_RULE

    if settings.approval.rule != DEFAULT_RULE:
        from curator.library.filters import check_rule

        check_rule(settings.approval.rule)


def nested(changes: list[str]) -> dict[str, Any]:
    """Turn ``["work.workers=2"]`` into ``{"work": {"workers": "2"}}``.

    Raises:
        UsageError: an item is not NAME=VALUE, or no setting has that name.
    """
    from curator.settings import Settings

    flags: dict[str, Any] = {}
    for change in changes:
        name, sign, value = change.partition("=")
        section, _, field = name.strip().partition(".")
        known = Settings.model_fields.get(section)
        fields = getattr(known.annotation, "model_fields", {}) if known else {}
        if not sign or field not in fields:
            raise UsageError(
                f"{change!r} is not a setting as NAME=VALUE.",
                "`curator settings` lists the names.",
            )
        flags.setdefault(section, {})[field] = value.strip()
    return flags


def refuse_network_home(home: Home, among: Sequence[Mount] | None = None) -> None:
    """Refuse a home with its catalog on a network drive; the cache may be on one.

    Never waits for a drive that does not answer: nothing on it is touched.

    Args:
        home: the home.
        among: the mounted volumes; all by default.

    Raises:
        KnownError: the catalog would be on a network drive; nothing was created.
    """
    mount = _network_drive(home.data, mounted() if among is None else among)
    if mount is not None:
        kind = f" ({mount.kind})" if mount.kind else ""
        raise KnownError(
            f"The home folder {home.data} lies on a network drive{kind}, where the catalog is not"
            " safe: two programs could write to it at once.",
            "Choose a folder on this computer with --home or CURATOR_HOME; photos may stay there.",
        )


def _network_drive(path: Path, mounts: Sequence[Mount]) -> Mount | None:
    """Return the network drive of a path, following links without touching that drive."""
    if sys.platform == "win32":
        mount = mount_of(path, mounts)
        return mount if mount is not None and mount.network else None
    done, rest, links = Path(path.anchor), list(path.parts[1:]), 0
    while rest:
        part = rest.pop(0)
        here = done.parent if part == ".." else done / part
        mount = mount_of(here, mounts, follow=False)
        is_local = mount is None or not (_is_unsafe(mount) or here == Path(mount.path))
        if is_local and links < _MOST_LINKS and here.is_symlink():
            links += 1
            target = here.readlink()
            rest = [*target.parts[1 if target.is_absolute() else 0 :], *rest]
            done = Path(path.anchor) if target.is_absolute() else done
        else:
            done = here
    mount = mount_of(done, mounts, follow=False)
    return mount if mount is not None and _is_unsafe(mount) else None


def _is_unsafe(mount: Mount) -> bool:
    sandbox = mount.kind == "9p" and mount.path == "/"
    return (mount.network or mount.kind in _SHARED_KINDS) and not sandbox
