"""Verbs about this machine: the log, the settings, and a check of the installation."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from curator import __version__
from curator.cli.invocation import Invocation, nested
from curator.cli.output import columns, size, tail
from curator.model import KnownError, UsageError
from curator.settings import Settings, resource, save

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
_LOW_SPACE = 2_000_000_000  # a proxy and a thumbnail take some 300 kB: 6,000 photos


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and the remedy if it is not well."""

    what: str
    well: bool
    found: str
    remedy: str = ""


def logs(invocation: Invocation) -> None:
    """Show the end of the log file."""
    lines = tail(invocation.home.log, invocation.arguments.lines)
    document = {"path": invocation.home.log, "lines": lines}
    invocation.output.answer(document, lines or [f"Nothing in {invocation.home.log} yet."])


def settings(invocation: Invocation) -> None:
    """Show every setting with its value, or change some and keep that in the settings file.

    Raises:
        UsageError: no such name, or the value is out of range; nothing was saved.
    """
    if invocation.arguments.changes:
        _change(invocation)
    rows: list[dict[str, Any]] = []
    for section, field, title, default in every_setting():
        value = getattr(getattr(invocation.settings, section), field)
        name = f"{section}.{field}"
        rows.append(
            {"name": name, "value": value, "default": default, "title": title, "env": env(name)}
        )
    lines = columns([(row["name"], str(row["value"]), row["title"]) for row in rows])
    invocation.output.answer({row["name"]: row for row in rows}, lines)


def _change(invocation: Invocation) -> None:
    invocation.home.make()
    kept = Settings.load(invocation.home)
    for section, fields in nested(invocation.arguments.changes).items():
        for field, value in fields.items():
            try:
                setattr(getattr(kept, section), field, value)
            except ValidationError as error:
                first = error.errors()[0]
                raise UsageError(f"{section}.{field}: {first['msg']} (got {value!r}).") from error
    save(kept, invocation.home)
    invocation.__dict__.pop("settings", None)


def keys(invocation: Invocation) -> None:
    """List every command with its keys; a file of keys that cannot be used is said on stderr.

    Raises:
        UsageError: there is no such preset.
    """
    from curator.commands import COMMANDS
    from curator.keyboard import PRESETS, Keyboard, in_force, keys_file

    chosen = invocation.arguments.preset
    if chosen is not None and chosen not in PRESETS:
        raise UsageError(f"There is no preset {chosen}.", f"There are {', '.join(PRESETS)}.")
    keyboard, refused = (Keyboard(chosen), "") if chosen else in_force(invocation.home)
    if refused:
        invocation.output.note(refused)
    document = {
        "preset": keyboard.preset,
        "file": keys_file(invocation.home),
        "refused": refused or None,
        "keys": {name: list(keyboard.keys_of(name)) for name in COMMANDS},
    }
    rows = [
        (name, "  ".join(keyboard.keys_of(name)), command.help.splitlines()[0])
        for name, command in COMMANDS.items()
    ]
    invocation.output.answer(document, columns(rows))


def every_setting() -> list[tuple[str, str, str, object]]:
    """List (section, field, title, default) of every setting, in the order of the models."""
    found = []
    for section, group in Settings.model_fields.items():
        for field, info in getattr(group.annotation, "model_fields", {}).items():
            title = f"{info.title} ({info.description})" if info.description else info.title
            found.append((section, field, str(title), info.default))
    return found


def env(name: str) -> str:
    """Say which environment variable sets a setting."""
    return f"CURATOR_{name.replace('.', '__').upper()}"


def doctor(invocation: Invocation) -> None:
    """Look at versions, folders, formats and space; name what is missing and the remedy."""
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


_REINSTALL = "install Curator again with the first line of its README"


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
    try:
        faults = invocation.catalog.check()
        found = "sound" if not faults else faults[0]
        remedy = f"put back a copy from {home.backups}"
        findings.append(Finding("catalog", not faults, found, remedy))
        for row in invocation.catalog.folders():
            there = Path(row.path).is_dir()
            remedy = f"connect its drive, or `curator folders remove {row.path}`"
            found = "there" if there else "not there now"
            findings.append(Finding(f"folder {row.path}", there, found, remedy))
    except KnownError as error:
        findings.append(Finding("catalog", False, str(error.args[0]), error.remedy))
    return findings


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
    from curator.pipeline import settled

    there = all(importlib.util.find_spec(name) for name in ("torch", "open_clip"))
    found = "installed" if there else "not installed; culling, rating and export do without"
    return [
        Finding("extra taste", True, found),
        Finding("encoder", True, settled(invocation.home, invocation.settings).sentence),
    ]


def _vision(invocation: Invocation) -> list[Finding]:
    """Ask the provider that describes photos, and have it describe one small picture.

    What is missing is a fault only where all photos are to be described.
    """
    from curator import vision

    told = vision.options(invocation.settings)
    health = vision.check(told)
    if health.well:
        invocation.output.note(f"Having {told.model} describe a small picture…")
        health = vision.check(told, vision.sample_picture())
    if health.well or invocation.settings.vision.automatic:
        return [Finding("vision model", health.well, health.sentence, health.remedy)]
    found = f"{health.sentence} Needed only to have photos described: {health.remedy}"
    return [Finding("vision model", True, found)]
