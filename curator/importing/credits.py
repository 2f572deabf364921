"""Creator, copyright and job in the sidecars of imported photos, where a person asked for it.

Only copies at destinations get sidecars, after they were verified; a card never does. A copied
sidecar is completed and keeps all it states. It is then no longer equal to the one on the card: its
name is returned, so that no checksum list states the former content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from curator import sidecar
from curator.catalog import VerifiedCopy
from curator.importing.request import ImportRequest
from curator.model import Kind, KnownError
from curator.opened_folder import OpenedFolder
from curator.sidecar import Credits, Profile

_SUFFIX = ".xmp"


@dataclass
class Credited:
    """The sidecars written at a destination, by their names there.

    Attributes:
        changed: sidecars from the card that state more now.
        created: new sidecars.
        without: photos whose editor reads no sidecar, a JPEG in Lightroom for example.
        problems: (name, reason) of sidecars that could not be written.
    """

    changed: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def write_sidecars(
    request: ImportRequest,
    destination: Path,
    items: Iterable[Sequence[VerifiedCopy]],
    profile: Profile,
) -> Credited:
    """State creator, copyright and job of an import beside the photos at a destination.

    Args:
        request: what to state; nothing is written unless it asks for sidecars.
        destination: the folder that contains the copies.
        items: the copies of each item there, main file first.
        profile: the editor for which new sidecars are named.

    Raises:
        OSError: the destination cannot be opened, or its disk failed.
    """
    credited = Credited()
    stated = Credits(request.creator, request.copyright, request.job)
    if not request.sidecars or stated == Credits():
        return credited
    folders: dict[str, list[tuple[str, str]]] = {}
    for copies in items:
        main = next((copy for copy in copies if copy.kind is not None), None)
        if main is None:
            continue
        name = _sidecar(main, copies, profile)
        if name:
            folder, leaf = str(PurePosixPath(name).parent), PurePosixPath(name).name
            folders.setdefault("" if folder == "." else folder, []).append((leaf, name))
        else:
            credited.without.append(main.name)
    with OpenedFolder.at(destination) as top:
        for folder, names in folders.items():
            with top.inside(folder) as inside:
                for leaf, name in names:
                    _write(inside, leaf, name, stated, credited)
                inside.sync()
    return credited


def _sidecar(main: VerifiedCopy, copies: Sequence[VerifiedCopy], profile: Profile) -> str:
    """Return the name of a photo's sidecar: the one it has, else a new one; empty for none."""
    own = [copy.name for copy in copies if copy.name.lower().endswith(_SUFFIX)]
    if own:
        return own[0]
    path = PurePosixPath(main.name)
    leaf = sidecar.name_for(profile, path.name, main.kind or Kind.IMAGE)
    return path.with_name(leaf).as_posix() if leaf else ""


def _write(folder: OpenedFolder, leaf: str, name: str, stated: Credits, done: Credited) -> None:
    try:
        existing = sidecar.load_in(folder, leaf)
        data = sidecar.add_credits(existing, stated)
        if data == (existing or b""):
            return
        sidecar.write_in(folder, leaf, data, sidecar.digest(existing))
    except KnownError as error:
        done.problems.append((name, str(error)))
    else:
        (done.created if existing is None else done.changed).append(name)
