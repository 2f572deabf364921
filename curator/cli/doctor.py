"""The doctor: what is installed, what is missing, and the catalog's back-ups.

curator doctor                  look at everything, name each ill with its remedy
curator doctor backups          list the back-ups, each read from end to end
curator doctor restore          put the newest sound one in the place of a damaged catalog
curator doctor new-catalog      start an empty catalog if it is gone; its backups stay
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator import __version__
from curator.cli.invocation import Invocation
from curator.cli.output import columns, size
from curator.model import KnownError, NotFoundError, UsageError, counted
from curator.settings import Home, absolute, resource

if TYPE_CHECKING:
    from curator.catalog import Backup

LIBRARIES = (
    "PySide6-Essentials",
    "numpy",
    "opencv-python-headless",
    "Pillow",
    "pillow-heif",
    "rawpy",
    "simplejpeg",
    "peewee",
    "pydantic",
    "psutil",
    "instructor",
    "ollama",
    "keyring",
)
# Title → a file of resources/formats, really decoded; each shows the same small picture.
FORMATS: dict[str, str] = {
    "JPEG": "tiny.jpg",
    "PNG": "tiny.png",
    "TIFF": "tiny.tif",
    "WebP": "tiny.webp",
    "HEIC": "tiny.heic",
    "AVIF": "tiny.avif",
    "BMP": "tiny.bmp",
    "GIF": "tiny.gif",
    "RAW (DNG)": "tiny.dng",
}
_LATE_S = 7 * 86_400.0  # between the newest back-up and the last change of the catalog
_LOW_SPACE = 2_000_000_000  # a proxy and a thumbnail take some 300 kB: 6,000 photos


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and the remedy if it is not well."""

    what: str
    well: bool
    found: str
    remedy: str = ""


def doctor(invocation: Invocation) -> None:
    """Look everything over, list the back-ups, put one in the catalog's place, or start anew.

    Raises:
        UsageError: a back-up was named where none is to be put back.
        KnownError: nothing could be put back; the catalog is as it was.
    """
    act, named = invocation.arguments.act, invocation.arguments.backup
    if named is not None and act != "restore":
        raise UsageError("A back-up is named to restore it.", "`curator doctor restore BACKUP`.")
    if act == "backups":
        _list(invocation)
    elif act == "restore":
        _restore(invocation, named)
    elif act == "new-catalog":
        _new_catalog(invocation)
    else:
        _check(invocation)


def _check(invocation: Invocation) -> None:
    findings = [*_versions(), *_places(invocation), *_formats(), *_extras(invocation)]
    findings += _vision(invocation)
    ills = [finding for finding in findings if not finding.well]
    document = {
        "well": not ills,
        "version": __version__,
        "home": invocation.home.data,
        "findings": [asdict(finding) for finding in findings],
    }
    lines = columns([("ok" if f.well else "--", f.what, f.found) for f in findings])
    lines += [f"{finding.what}: {finding.remedy}" for finding in ills]
    invocation.output.answer(document, lines)


def _versions() -> list[Finding]:
    findings = [
        Finding("curator", True, __version__),
        Finding("Python", sys.version_info >= (3, 11), platform.python_version()),
        Finding("system", True, f"{platform.system()} {platform.release()} {platform.machine()}"),
    ]
    for name in LIBRARIES:
        try:
            findings.append(Finding(name, True, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            # A frozen app carries the code without the package's papers.
            frozen = getattr(sys, "frozen", False)
            findings.append(Finding(name, frozen, "inside" if frozen else "missing", _REINSTALL))
    return findings


_REINSTALL = (
    "unpack Curator again"
    if getattr(sys, "frozen", False)
    else "install Curator again with the first line of its README"
)


def _places(invocation: Invocation) -> list[Finding]:
    home = invocation.home
    findings = []
    try:
        home.make()
        findings.append(Finding("home", True, str(home.data)))
    except KnownError as error:
        return [Finding("home", False, str(error.args[0]), error.remedy)]
    for what, folder in (("space for the catalog", home.data), ("space for proxies", home.cache)):
        free = shutil.disk_usage(folder).free
        remedy = "free some space, or move the home with CURATOR_HOME"
        findings.append(Finding(what, free > _LOW_SPACE, f"{size(free)} free", remedy))
    return [*findings, *_catalog(invocation), _backups(home)]


def _catalog(invocation: Invocation) -> list[Finding]:
    """Look the catalog over, and whether the folders in it are there."""
    findings = []
    try:
        faults = invocation.catalog.check()
        found = "sound" if not faults else f"damaged: {faults[0].splitlines()[-1]}"
        remedy = "close Curator, then `curator doctor restore`"
        findings.append(Finding("catalog", not faults, found, remedy))
        for row in invocation.catalog.folders.all():
            there = Path(row.path).is_dir()
            remedy = f"connect its drive, or `curator folders remove {row.path}`"
            found = "there" if there else "not there now"
            findings.append(Finding(f"folder {row.path}", there, found, remedy))
    except KnownError as error:
        findings.append(Finding("catalog", False, str(error.args[0]), error.remedy))
    return findings


def _backups(home: Home) -> Finding:
    """Read the newest back-up from end to end, and say how old it is."""
    from curator.catalog import backups
    from curator.session import recovery

    files = backups.files(home.catalog)
    if not files:
        found = "none yet; the first is made within a day of reading photos"
        return Finding("back-ups", True, found)
    newest = backups.inspect(files[0])
    if newest.fault:
        found = f"the newest, {newest.path.name}, is of no use ({newest.fault})"
        remedy = "`curator doctor backups` lists the others; look at the disk too"
        return Finding("back-ups", False, found, remedy)
    room = sum(path.stat().st_size for path in files)
    found = f"{len(files)} ({size(room)}), the newest of {recovery.titled(newest)}"
    changed = home.catalog.stat().st_mtime if home.catalog.exists() else 0.0
    late = min(changed, time.time()) - newest.made_at > _LATE_S
    remedy = "open Curator's window for some minutes; `curator logs` says if one fails"
    return Finding("back-ups", not late, found, remedy)


# --- back-ups


def _list(invocation: Invocation) -> None:
    """List the back-ups, newest first."""
    from curator.catalog import backups
    from curator.library.captions import when

    found = backups.listed(invocation.home.catalog)
    rows = [
        (
            backup.path.name,
            when(backup.made_at),
            counted(backup.photos, "photo"),
            counted(backup.decisions, "decision"),
            size(backup.size),
            backup.fault or "sound",
        )
        for backup in found
    ]
    none = f"No back-ups in {invocation.home.backups} yet."
    invocation.output.answer(found, columns(rows) or [none])


def _restore(invocation: Invocation, named: str | None) -> None:
    """Put a back-up in the catalog's place, once the person agreed to it."""
    from curator import catalog as catalogs
    from curator.catalog import backups
    from curator.session import recovery

    home = invocation.home
    with catalogs.UseLock(home.catalog) as lock:  # said before anything is asked
        lock.alone()
    chosen = backups.inspect(_named(home, named)) if named else _newest_sound(home)
    if chosen.fault:
        raise KnownError(
            f"The back-up {chosen.path} cannot be used ({chosen.fault}).",
            "`curator doctor backups` lists the others.",
        )
    gone = not home.catalog.exists()
    hurt = gone or catalogs.is_damaged(home.catalog)
    if gone:
        since = "What was decided since went with the catalog that is gone."
    elif hurt:
        since = "What was decided since is made again as far as it can be read." + _ASIDE
    else:
        since = "The catalog there is now is sound; what was decided since is not in the back-up."
        since += _ASIDE
    sentence = f"The back-up of {recovery.titled(chosen)} becomes the catalog. {since}"
    if not invocation.agreed(sentence, "Nothing was changed."):
        return
    restored = catalogs.restore(home.catalog, chosen.path, redo=hurt)
    lines = recovery.told(restored)
    lines.append("`curator folders rescan` brings back photos that were added since.")
    invocation.output.answer(restored, lines)


_ASIDE = " The catalog there is now is set aside, not deleted."


def _new_catalog(invocation: Invocation) -> None:
    """Start an empty catalog where one is gone."""
    from curator import catalog as catalogs

    invocation.home.make()
    catalogs.create_new_catalog(invocation.home.catalog)
    lines = ["The catalog is empty. The back-ups of the one that is gone stay where they are."]
    invocation.output.answer({"catalog": invocation.home.catalog}, lines)


def _named(home: Home, named: str) -> Path:
    """Find a back-up by its name in ``backups``, or by any path.

    Raises:
        NotFoundError: there is none.
    """
    for path in (home.backups / named, absolute(named)):
        if path.is_file():
            return path
    raise NotFoundError(
        f"There is no back-up {named}.", "`curator doctor backups` lists those there are."
    )


def _newest_sound(home: Home) -> Backup:
    """Choose the newest back-up that can be read from end to end.

    Raises:
        NotFoundError: there is none.
    """
    from curator.catalog import backups

    found = backups.newest_sound(home.catalog)
    if found is not None:
        return found
    raise NotFoundError(
        f"There is no sound back-up in {home.backups}.",
        "Move the damaged catalog away and open your folders again.",
    )


# --- the rest


def _formats() -> list[Finding]:
    """Decode one tiny picture of each format, in a worker process as in life."""
    from curator.workers import WorkerPool

    findings = []
    pool = WorkerPool(1, memory_mb=2048, name="doctor")
    try:
        for title, name in FORMATS.items():
            try:
                pool.run(decodes, str(resource(f"formats/{name}")), timeout_s=60)
                findings.append(Finding(title, True, "decodes"))
            except KnownError as error:
                findings.append(Finding(title, False, str(error.args[0]), _REINSTALL))
    finally:
        pool.close()
    return findings


def decodes(path: str) -> tuple[int, int]:
    """Decode a picture and return its width and height; runs in a worker process.

    Raises:
        UnreadableError: it cannot be decoded here.
    """
    from curator.imaging.decode import decode

    height, width = decode(path).rgb.shape[:2]
    return width, height


def _extras(invocation: Invocation) -> list[Finding]:
    """Name what is not installed and not needed for culling; never a fault."""
    from curator.encoders.options import missing_package
    from curator.encoders.selection import select_encoder

    lack = missing_package("torch", "open_clip")
    found = f"{lack} Culling, rating and export do without." if lack else "installed"
    return [
        Finding("extra taste", True, found),
        Finding("encoder", True, select_encoder(invocation.home, invocation.settings).sentence),
    ]


def _vision(invocation: Invocation) -> list[Finding]:
    """Ask the provider that describes photos, and have it describe one small picture.

    What is missing is a fault only where all photos are to be described.
    """
    from curator import vision

    told = vision.options(invocation.settings)
    health = vision.check(told)
    if health.ok:
        invocation.output.note(f"Having {told.model} describe a small picture…")
        health = vision.check(told, vision.sample_picture())
    if health.ok or invocation.settings.vision.automatic:
        return [Finding("vision model", health.ok, health.sentence, health.remedy)]
    found = f"{health.sentence} Needed only to have photos described: {health.remedy}"
    return [Finding("vision model", True, found)]
