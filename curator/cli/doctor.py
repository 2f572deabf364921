"""The doctor: what is installed, what is missing, and the catalog's backups.

curator doctor                  check everything, name each problem with its remedy
curator doctor backups          list the backups, each read completely
curator doctor restore          replace a damaged catalog with its newest intact backup
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

from curator import __version__
from curator.cli.invocation import Invocation
from curator.cli.output import columns, size
from curator.home import Home, absolute, resource
from curator.installing import is_frozen
from curator.model import KnownError, NotFoundError, UsageError, counted

LIBRARIES = (
    "PySide6-Essentials",
    "numpy",
    "scikit-learn",
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
_LATE_S = 7 * 86_400.0  # between the newest backup and the last change of the catalog
_LOW_SPACE = 2_000_000_000  # a proxy and a thumbnail take some 300 kB: 6,000 photos
_REINSTALL = (
    "unpack Curator again"
    if is_frozen()
    else "install Curator again with the first line of its README"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was checked, whether it is well, the result, and the remedy."""

    what: str
    well: bool
    found: str
    remedy: str = ""


def doctor(invocation: Invocation) -> None:
    """Check this installation, list or restore backups, or start an empty catalog if yours is lost.

    Raises:
        UsageError: a backup was named, but not to restore it.
        KnownError: nothing could be restored; the catalog is unchanged.
    """
    act, named = invocation.arguments.act, invocation.arguments.backup
    if named is not None and act != "restore":
        raise UsageError("Only `restore` takes a backup.", "Use `curator doctor restore BACKUP`.")
    if act == "backups":
        _list(invocation)
    elif act == "restore":
        _restore(invocation, named)
    elif act == "new-catalog":
        _new_catalog(invocation)
    else:
        _check(invocation)


def _check(invocation: Invocation) -> None:
    findings = [*_versions(), *_home(invocation), *_formats(), *_encoders(invocation)]
    findings += [*_faces(), *_text(invocation), *_vision(invocation)]
    problems = [finding for finding in findings if not finding.well]
    document = {
        "well": not problems,
        "version": __version__,
        "home": invocation.home.data,
        "findings": [asdict(finding) for finding in findings],
    }
    lines = columns([("ok" if f.well else "--", f.what, f.found) for f in findings])
    lines += [f"{finding.what}: {finding.remedy}" for finding in problems]
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
            # A frozen app contains the code without the package's metadata.
            frozen = is_frozen()
            findings.append(Finding(name, frozen, "inside" if frozen else "missing", _REINSTALL))
    return findings


def _home(invocation: Invocation) -> list[Finding]:
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
    """Check the catalog, and whether its folders are connected."""
    findings = []
    try:
        faults = invocation.catalog.check()
        found = "intact" if not faults else f"damaged: {faults[0].splitlines()[-1]}"
        remedy = "close Curator, then `curator doctor restore`"
        findings.append(Finding("catalog", not faults, found, remedy))
        for row in invocation.catalog.folders.all():
            there = Path(row.path).is_dir()
            remedy = f"connect its drive, or `curator folders remove {row.path}`"
            found = "available" if there else "not available"
            findings.append(Finding(f"folder {row.path}", there, found, remedy))
    except KnownError as error:
        findings.append(Finding("catalog", False, str(error.args[0]), error.remedy))
    return findings


def _backups(home: Home) -> Finding:
    """Read the newest backup completely and check its age."""
    from curator.catalog import backups
    from curator.session import recovery

    files = backups.files(home.catalog)
    if not files:
        found = "none yet; the first is made within a day of adding photos"
        return Finding("backups", True, found)
    newest = backups.inspect(files[0])
    if newest.fault:
        found = f"the newest, {newest.path.name}, cannot be used ({newest.fault})"
        remedy = "`curator doctor backups` lists the others; check the disk too"
        return Finding("backups", False, found, remedy)
    room = sum(path.stat().st_size for path in files)
    found = f"{len(files)} ({size(room)}), newest: {recovery.backup_title(newest)}"
    changed = home.catalog.stat().st_mtime if home.catalog.exists() else 0.0
    late = min(changed, time.time()) - newest.made_at > _LATE_S
    remedy = "open Curator's window for some minutes; `curator logs` shows errors"
    return Finding("backups", not late, found, remedy)


# --- backups


def _list(invocation: Invocation) -> None:
    """List the backups, newest first."""
    from curator.catalog import backups
    from curator.library.captions import format_time

    found = backups.listed(invocation.home.catalog)
    rows = [
        (
            backup.path.name,
            format_time(backup.made_at),
            counted(backup.photos, "photo"),
            counted(backup.decisions, "decision"),
            size(backup.size),
            backup.fault or "intact",
        )
        for backup in found
    ]
    none = f"No backups in {invocation.home.backups} yet."
    invocation.output.answer(found, columns(rows) or [none])


def _restore(invocation: Invocation, named: str | None) -> None:
    """Replace the catalog with a backup, after asking.

    Raises:
        NotFoundError: there is no such backup, or none is intact.
        KnownError: the backup cannot be used, or the catalog is open elsewhere.
    """
    from curator import catalog as catalogs
    from curator.catalog import backups
    from curator.session import recovery

    home = invocation.home
    with catalogs.UseLock(home.catalog) as lock:  # refuse before asking anything
        lock.exclude_others()
    chosen = backups.inspect(_named(home, named)) if named else backups.newest_intact(home.catalog)
    if chosen is None:
        raise NotFoundError(
            f"There is no intact backup in {home.backups}.",
            "Move the damaged catalog away and open your folders again.",
        )
    if chosen.fault:
        raise KnownError(
            f"The backup {chosen.path} cannot be used ({chosen.fault}).",
            "`curator doctor backups` lists the others.",
        )
    gone = not home.catalog.exists()
    damaged = gone or catalogs.is_damaged(home.catalog)
    if gone:
        since = "Decisions made since then are lost with the catalog."
    elif damaged:
        since = "Decisions made since then are applied again as far as they can be read."
    else:
        since = "The current catalog is intact; decisions made since then are not in the backup."
    since += "" if gone else " The current catalog is set aside, not deleted."
    sentence = f"The backup from {recovery.backup_title(chosen)} will be restored. {since}"
    if not invocation.confirm(sentence, "Nothing was changed."):
        return
    restored = catalogs.restore(home.catalog, chosen.path, redo=damaged)
    lines = recovery.restore_lines(restored)
    lines.append("`curator folders rescan FOLDER` finds photos that were added since then.")
    invocation.output.answer(restored, lines)


def _new_catalog(invocation: Invocation) -> None:
    """Start an empty catalog if it is gone."""
    from curator import catalog as catalogs

    invocation.home.make()
    catalogs.create_new_catalog(invocation.home.catalog)
    lines = ["The catalog is empty. The backups of the former catalog stay where they are."]
    invocation.output.answer({"catalog": invocation.home.catalog}, lines)


def _named(home: Home, named: str) -> Path:
    """Return a backup by its name in ``backups``, or by path.

    Raises:
        NotFoundError: there is no such backup.
    """
    for path in (home.backups / named, absolute(named)):
        if path.is_file():
            return path
    raise NotFoundError(f"Backup {named} not found.", "`curator doctor backups` lists all backups.")


# --- formats, encoder, vision model


def _formats() -> list[Finding]:
    """Decode one tiny picture of each format in a worker process, as photos are."""
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


def _encoders(invocation: Invocation) -> list[Finding]:
    """Show which encoder is used, and load the built-in one. Without CLIP all is well."""
    from curator.encoders import EncoderOptions, load, select_encoder
    from curator.encoders.options import missing_package

    missing = missing_package("torch", "open_clip")
    found = [
        Finding("extra clip", True, missing or "installed"),
        Finding("encoder", True, select_encoder(invocation.home, invocation.settings).sentence),
    ]
    try:
        load("starter", EncoderOptions(threads=1))
    except KnownError as error:
        found.append(Finding("built-in encoder", False, str(error.args[0]), error.remedy))
    return found


def _faces() -> list[Finding]:
    """Load the networks that measure faces."""
    from curator.faces import models
    from curator.networks import ModelError

    try:
        for name in (models.FINDER, models.MESH, models.EXPRESSIONS):
            models.load(name)
    except ModelError as error:
        return [Finding("faces", False, str(error.args[0]), error.remedy)]
    return [Finding("faces", True, "the networks that find and measure faces work")]


def _text(invocation: Invocation) -> list[Finding]:
    """Load the networks that read text.

    That they are not installed is a problem only if the settings ask for the text in all photos.
    """
    from curator.ocr import models

    try:
        models.check()
    except models.TextModelError as error:
        optional = models.folder() is None and not invocation.settings.text.automatic
        found = str(error.args[0])
        return [
            Finding(
                "text", optional, f"{found} {error.remedy}" if optional else found, error.remedy
            )
        ]
    return [Finding("text", True, "the networks that read text in photos work")]


def _vision(invocation: Invocation) -> list[Finding]:
    """Check the vision model, and let it describe one small picture.

    A missing model is a problem only if the settings say that all photos are described.
    """
    from curator import vision

    options = vision.options(invocation.settings)
    health = vision.check(options)
    if health.ok:
        invocation.output.note(f"{options.model} describes a small picture…")
        health = vision.check(options, vision.sample_picture())
    if health.ok or invocation.settings.vision.automatic:
        return [Finding("vision model", health.ok, health.sentence, health.remedy)]
    found = f"{health.sentence} Needed only to describe photos: {health.remedy}"
    return [Finding("vision model", True, found)]
