"""Export choices with a name: one small file each, to keep, to change by hand and to pass on.

A preset holds what `curator.settings.ExportSettings` holds and nothing of this machine: no folder,
no scope. Files lie in ``export-presets`` of the home; to use a preset somebody sent, put it there.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from curator import atomic, private
from curator.export import naming
from curator.model import KnownError, NotFoundError, UsageError
from curator.settings import ExportSettings, Home, write_text_file

log = logging.getLogger(__name__)

_MAX_BYTES = 64_000  # a preset has a few hundred


@dataclass(frozen=True, slots=True)
class Preset:
    """A name and what is chosen; ``path`` is its file, None for those that come with Curator."""

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
    """Say where presets are kept."""
    return home.data / "export-presets"


def presets(home: Home) -> list[Preset]:
    """List the presets, Curator's first; a file that cannot be read is left out, and logged."""
    found = []
    for path in sorted(folder(home).glob("*.json")):
        try:
            found.append(read(path))
        except KnownError as error:
            log.warning("a preset is left out: %s", error)
    names = {preset.name for preset in found}
    return [preset for preset in BUILT_IN if preset.name not in names] + found


def find(home: Home, name: str) -> Preset:
    """Find a preset by its name in any case, or by the path of its file.

    Raises:
        NotFoundError: there is none.
        KnownError: the file cannot be read as one.
    """
    for preset in presets(home):
        if preset.name.casefold() == name.casefold():
            return preset
    if name.endswith(".json"):
        return read(Path(name))
    known = ", ".join(preset.name for preset in presets(home))
    raise NotFoundError(f"There is no export preset {name!r}.", f"There are: {known}.")


def read(path: Path) -> Preset:
    """Read a preset's file.

    Raises:
        KnownError: it is not there, or is no preset; says what is wrong.
    """
    remedy = "Save the preset again, or remove the file."
    try:
        content = json.loads(atomic.read(path, _MAX_BYTES))
    except OSError as error:
        raise KnownError(f"{path} cannot be read ({error.strerror or error}).", remedy) from error
    except (ValueError, RecursionError) as error:
        raise KnownError(f"{path} is no export preset.", remedy) from error
    if not isinstance(content, dict):
        raise KnownError(f"{path} is no export preset.", remedy)
    name = str(content.pop("name", "") or path.stem)
    try:
        choices = ExportSettings.model_validate(content)
    except ValueError as error:
        reason = str(error).partition("\n")[2].partition("[")[0]
        raise KnownError(
            f"{path} is no export preset: {' '.join(reason.split())}.", remedy
        ) from error
    return Preset(" ".join(name.split())[:80], choices, path)


def save(home: Home, name: str, choices: ExportSettings) -> Preset:
    """Keep choices under a name; a preset of that name is written over.

    Raises:
        UsageError: the name is empty, or one of Curator's.
        KnownError: it cannot be written; an older one stays.
    """
    name = " ".join(name.split())[:80]
    if not name:
        raise UsageError("A preset needs a name.")
    if any(preset.name.casefold() == name.casefold() for preset in BUILT_IN):
        raise UsageError(f"{name} comes with Curator and stays as it is.", "Choose another name.")
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
    """Find a file name that no other preset has: two names may make one file name."""
    number = 1
    while True:
        path = where / naming.joined(stem, number, ".json", room=8)
        if not path.exists():
            return path
        number += 1


def remove(preset: Preset) -> None:
    """Remove a preset that was saved; one that comes with Curator stays.

    Raises:
        KnownError: its file cannot be removed.
    """
    if preset.path is None:
        raise UsageError(f"{preset.name} comes with Curator and stays.")
    try:
        preset.path.unlink(missing_ok=True)
    except OSError as error:
        raise KnownError(f"{preset.path} cannot be removed ({error.strerror or error}).") from error
