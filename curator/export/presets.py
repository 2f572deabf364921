"""Export presets: named export settings, one small JSON file each, to edit and to share.

A preset contains the fields of `curator.settings.ExportSettings` and nothing about this computer:
no folder, no scope. The files are in ``export-presets`` of the home folder; to use a preset from
somebody else, copy it there.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from curator import atomic, naming, private
from curator.home import Home
from curator.model import KnownError, NotFoundError, UsageError
from curator.settings import ExportSettings, write_text_file

log = logging.getLogger(__name__)

_MAX_BYTES = 64_000  # a preset has a few hundred


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of choices; ``path`` is its file, None for presets that come with Curator."""

    name: str
    choices: ExportSettings
    path: Path | None = None


BUILT_IN: tuple[Preset, ...] = (
    Preset("Originals", ExportSettings()),
    Preset(
        "JPEGs for the web",
        ExportSettings(form="jpeg", long_edge_px=2560, jpeg_quality=88, sharpen="screen"),
    ),
    Preset(
        "JPEGs for print",
        ExportSettings(form="jpeg", long_edge_px=20000, jpeg_quality=96, sharpen="print"),
    ),
    Preset(
        "Web gallery",
        ExportSettings(
            target="gallery",
            form="jpeg",
            long_edge_px=2560,
            jpeg_quality=85,
            sharpen="screen",
        ),
    ),
)


def folder(home: Home) -> Path:
    """Return the folder of presets."""
    return home.data / "export-presets"


def presets(home: Home) -> list[Preset]:
    """Return all presets, built-in ones first; a file that cannot be read is logged and skipped."""
    found = []
    for path in sorted(folder(home).glob("*.json")):
        try:
            found.append(read(path))
        except KnownError as error:
            log.warning("a preset was skipped: %s", error)
    names = {preset.name for preset in found}
    return [preset for preset in BUILT_IN if preset.name not in names] + found


def find(home: Home, name: str) -> Preset:
    """Find a preset by its name, ignoring case, or by the path of its file.

    Raises:
        NotFoundError: there is no such preset.
        KnownError: the file cannot be read or is not a preset.
    """
    known = presets(home)
    for preset in known:
        if preset.name.casefold() == name.casefold():
            return preset
    if name.endswith(".json"):
        return read(Path(name))
    names = ", ".join(preset.name for preset in known)
    raise NotFoundError(f"Unknown export preset {name!r}.", f"Presets: {names}.")


def read(path: Path) -> Preset:
    """Read a preset's file.

    Raises:
        KnownError: it does not exist or is not a preset, with the reason.
    """
    remedy = "Save the preset again, or remove the file."
    try:
        content = json.loads(atomic.read(path, _MAX_BYTES))
    except OSError as error:
        raise KnownError(f"{path} cannot be read ({error.strerror or error}).", remedy) from error
    except (ValueError, RecursionError) as error:
        raise KnownError(f"{path} is not an export preset.", remedy) from error
    if not isinstance(content, dict):
        raise KnownError(f"{path} is not an export preset.", remedy)
    name = str(content.pop("name", "") or path.stem)
    try:
        choices = ExportSettings.model_validate(content)
    except ValueError as error:
        reason = str(error).partition("\n")[2].partition("[")[0]
        raise KnownError(
            f"{path} is not an export preset: {' '.join(reason.split())}.", remedy
        ) from error
    return Preset(" ".join(name.split())[:80], choices, path)


def save(home: Home, name: str, choices: ExportSettings) -> Preset:
    """Save choices under a name; a preset of that name is replaced.

    Raises:
        UsageError: the name is empty, or belongs to a built-in preset.
        KnownError: it cannot be written; the old one stays.
    """
    name = " ".join(name.split())[:80]
    if not name:
        raise UsageError("A preset needs a name.")
    if any(preset.name.casefold() == name.casefold() for preset in BUILT_IN):
        raise UsageError(f"{name} comes with Curator.", "Choose another name.")
    naming.check(choices.names)
    old = next((p for p in presets(home) if p.name.casefold() == name.casefold()), None)
    path = old.path if old and old.path else _free(folder(home), naming.safe(name))
    failed = f"The preset {name} could not be saved"
    try:
        private.make_folder(path.parent)
    except OSError as error:
        raise KnownError(f"{failed} ({error.strerror or error}).") from error
    content = {"name": name, **choices.model_dump(mode="json")}
    write_text_file(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n", failed)
    return Preset(name, choices, path)


def _free(where: Path, stem: str) -> Path:
    """Return an unused file name; two preset names may produce the same file name."""
    number = 1
    while True:
        path = where / naming.joined(stem, number, ".json", room=8)
        if not path.exists():
            return path
        number += 1


def remove(preset: Preset) -> None:
    """Remove a saved preset.

    Raises:
        KnownError: its file cannot be removed.
        UsageError: it is a built-in preset.
    """
    if preset.path is None:
        raise UsageError(f"{preset.name} comes with Curator and cannot be removed.")
    try:
        preset.path.unlink(missing_ok=True)
    except OSError as error:
        raise KnownError(f"{preset.path} cannot be removed ({error.strerror or error}).") from error
