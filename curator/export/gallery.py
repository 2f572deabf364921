"""The gallery target: a self-contained web page with its photos.

``index.html`` opens from a disk or from any server, loads nothing from elsewhere, and works without
JavaScript. Photos are in ``images``, each in up to three sizes; ``photos.json`` contains no paths
of originals. A photo that is no longer approved is removed from the page; its files stay and are
listed in the report.
"""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import replace
from datetime import datetime

from curator.export.manifest import NAME, Entry, save
from curator.export.options import Options
from curator.export.page import page
from curator.export.plan import Plan
from curator.export.writing import Run, target_error
from curator.model import KnownError
from curator.opened_folder import OpenedFolder, OutsideError

PAGE = "index.html"
_IMAGES = "images"
# The digests of the old page and of the page an unfinished run was writing; removed when it is
# done. Without it, a run killed between page and manifest would make the page look edited forever.
_INTENT = ".curator-page"
# Smaller sizes for tiles and small windows, one of which a browser chooses.
_SMALLER = (1280, 640)


def adapt_options(options: Options) -> Options:
    """Return options for JPEGs in the sizes a page needs, and for a public manifest.

    Raises:
        KnownError: the folder contains a page that Curator did not write.
    """
    folder = options.folder
    if os.path.lexists(folder / PAGE) and not (folder / NAME).exists():
        raise KnownError(
            f"{folder} already contains an index.html that Curator did not write.",
            "Choose another folder.",
        )
    largest = options.long_edge_px
    edges = (largest, *(edge for edge in _SMALLER if edge <= 0.8 * largest))
    return replace(options, form="jpeg", edges=edges, subfolder=_IMAGES, public=True)


def write_page(run: Run) -> None:
    """Write the page with all photos of the manifest, unless somebody edited it.

    An edited page stays and is reported as edited.

    Raises:
        KnownError: the page cannot be written, or its manifest was edited; the old page stays.
    """
    try:
        _update_page(run)
    except OSError as error:
        done = f"{run.report.photos} of {len(run.plan.chosen)} photos were exported, their page"
        raise target_error(run.folder.path, error, f"{done} was not") from error


def _update_page(run: Run) -> None:
    options, current, folder = run.plan.options, run.plan.manifest, run.folder
    if not folder.is_file(NAME):
        return
    _order(run.plan)
    title = options.title or options.project or options.folder.name
    try:
        content = page(title, options.notes, current.listed())
    except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:
        raise KnownError(
            f"The page cannot be made, because {folder.path / NAME} was edited.",
            "Export into another folder.",
        ) from error
    try:
        existing = folder.read(PAGE)
        ours = existing in (None, content) or _sha(existing or b"") in (
            current.page,
            *_read_intent(folder),
        )
    except OutsideError:  # a link, a folder
        ours = False
    if not ours:
        run.report.edited.append(PAGE)
    else:
        if existing != content:
            folder.write(_INTENT, f"{_sha(existing or b'')} {_sha(content)}".encode("ascii"))
        folder.write(PAGE, content)
        current.page = _sha(content)
    save(current, folder)
    folder.remove(_INTENT)


def _read_intent(folder: OpenedFolder) -> list[str]:
    try:
        return (folder.read(_INTENT) or b"").decode("ascii").split()
    except (OSError, OutsideError, ValueError):
        return []


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _order(plan: Plan) -> None:
    """Sort the entries in display order: manual order, or capture time."""
    by_hand: dict[str, int] = {}
    if plan.options.order:
        for at, chosen in enumerate(plan.chosen):
            for file in chosen.photo.files:
                by_hand.setdefault(file.fingerprint or "", at)

    def position(entry: Entry) -> tuple[float, str, str]:
        taken = entry["capture"].get("taken_at") or datetime.max.isoformat()
        first = entry["files"][0].get("fingerprint") or "-"
        return by_hand.get(first, math.inf), taken, entry["filename"]

    plan.manifest.photos.sort(key=position)
