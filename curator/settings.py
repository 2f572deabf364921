"""Settings as typed models.

Flags override environment variables, which override ``settings.json``, which overrides the
defaults. Each setting is a pydantic field with a title, a range and, where the title is not enough,
a description of complete sentences. The settings dialog, `curator settings` and docs/settings.md
are generated from these models. ``settings.json`` lies in the home folder and holds only values
that differ from the defaults. An environment variable is ``CURATOR_`` plus the path of the field
with double underscores: ``CURATOR_WORK__WORKERS=4``. Names of sections and fields are stored on
disk: if you rename one, the former name must still be read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError

from curator import atomic, naming
from curator.home import Home
from curator.model import KnownError, SuggestedTag, UsageError

_MOST_BYTES = 1 << 16  # of a settings file; a parser takes seconds for some files of 1 MB


class Section(BaseModel):
    """A group of settings; unknown names are errors."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, validate_default=True)


class WorkSettings(Section):
    """Reading photos in the background."""

    workers: int = Field(
        0,
        ge=0,
        le=64,
        title="Decoding processes",
        description="0 means one per core. Takes effect after restart.",
    )
    timeout_s: float = Field(60, ge=1, le=3600, title="Time limit per photo, s")
    memory_mb: int = Field(
        4096,
        ge=512,
        le=65536,
        title="Memory limit per process, MB",
        description="Takes effect after restart.",
    )
    max_megapixels: int = Field(
        400,
        ge=10,
        le=2000,
        title="Largest photo, megapixels",
        description="Larger photos are listed as unreadable.",
    )
    attempts: int = Field(
        3,
        ge=1,
        le=10,
        title="Attempts before a photo counts as unreadable",
        description="Photos that time out are not retried automatically.",
    )
    backoff_s: float = Field(
        2.0,
        ge=0,
        le=600,
        title="Wait before the second attempt, s",
        description="The wait doubles with each further attempt.",
    )


class ProxySettings(Section):
    """The JPEGs that Curator makes to show photos."""

    long_edge_px: int = Field(
        1440,
        ge=640,
        le=4096,
        title="Proxy long edge, px",
        description="The loupe shows proxies when a photo fits the window.",
    )
    quality: int = Field(88, ge=60, le=98, title="Proxy JPEG quality")


Surround = Literal["dark", "black", "gray", "white"]
SURROUNDS: tuple[Surround, ...] = get_args(Surround)  # in the order the key steps through


def _named_surround(value: object) -> object:
    """Read the number that older settings files have in place of a name."""
    return SURROUNDS[int(str(value))] if str(value) in ("0", "1", "2", "3") else value


class LoupeSettings(Section):
    """Viewing one photo."""

    stars_advance: bool = Field(False, title="Stars and labels go to the next photo")
    surround: Annotated[Surround, BeforeValidator(_named_surround)] = Field(
        "dark", title="Background around the photo"
    )
    clipping: bool = Field(False, title="Show clipped highlights and shadows")
    focus: Literal["off", "tiles", "peaking"] = Field("off", title="Focus overlay")
    histogram: bool = Field(False, title="Show the histogram")
    text: Literal["found", "all", "off"] = Field(
        "found",
        title="Show text in the photo",
        description="By default, only the lines that a search found are shown.",
    )
    faces: bool = Field(False, title="Show close-ups of the faces beside the photo")
    frames_mb: int = Field(256, ge=64, le=8192, title="Memory for decoded photos, MB")
    prefetch: int = Field(4, ge=0, le=20, title="Photos decoded ahead in each direction")
    originals_mb: int = Field(
        640,
        ge=128,
        le=65536,
        title="Memory for photos at 100 %, MB",
        description="A 24-megapixel photo needs 72 MB, with overlays 100 MB.",
    )


class GridSettings(Section):
    """Viewing many photos."""

    thumb_px: int = Field(184, ge=120, le=360, title="Thumbnail size, px")
    captions: bool = Field(False, title="File name and capture time below each thumbnail")


class TasteSettings(Section):
    """Learning from your ratings, and the score that counts as a match."""

    match_threshold: int = Field(
        70,
        ge=0,
        le=100,
        title="Lowest score that counts as a match",
        description="By default, photos with 3 stars that match are approved for export.",
    )
    lowest_first: bool = Field(
        True,
        title="Start a new cull with the lowest match",
        description="Curator does so once its predictions are reliable.",
    )
    show_match: bool = Field(
        False,
        title="Show match scores everywhere",
        description="They may influence you before you decide.",
    )
    from_files: bool = Field(
        False,
        title="Also learn from ratings from other apps",
        description="Ratings are read from sidecars and from metadata in originals.",
    )
    repeats: float = Field(
        2,
        ge=0,
        le=2,
        title="Photos that come back to be rated again, %",
        description="While you rate, a photo from an earlier session comes back without its stars,"
        " to learn how far you agree with yourself. 2 is one in 50; 0 turns this off.",
    )
    half_life_days: float = Field(
        365, ge=7, le=36500, title="Days after which a rating counts half"
    )


DEFAULT_RULE = "rating:>=4; is:picked -rating:1 -rating:2; rating:3 is:match"


class ApprovalSettings(Section):
    """The photos approved for export; `curator.library.filters` checks the searches."""

    rule: str = Field(
        DEFAULT_RULE,
        min_length=1,
        max_length=1000,
        title="Approved for export",
        description="Enter searches separated by semicolons; a photo must match one of them."
        " Rejected and unreviewed photos are never exported.",
    )


class EncoderSettings(Section):
    """The encoder that analyzes photos, in its own process."""

    which: Literal["auto", "open_clip", "starter", "none"] = Field(
        "auto",
        title="Encoder",
        description="auto uses CLIP if its weights are installed, else the built-in encoder.",
    )
    model: str = Field(
        "ViT-L-14", title="CLIP model", description="This is the name of the model in open_clip."
    )
    pretrained: str = Field(
        "laion2b_s32b_b82k",
        title="CLIP weights",
        description="This is the name of the weights in open_clip.",
    )
    checkpoint: str = Field(
        "",
        title="Weights file for CLIP",
        description="It is used instead of downloaded weights.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", title="Device of the encoder")
    memory_mb: int = Field(
        8192,
        ge=1024,
        le=262144,
        title="Memory limit of the encoder, MB",
        description="Takes effect after restart.",
    )
    hub: bool = Field(
        True,
        title="Allow downloading weights",
        description="Curator downloads them only when you ask, and nothing else from the hub.",
    )


class TagSettings(Section):
    """Tags suggested by the encoder and the vision model."""

    threshold: int = Field(
        20,
        ge=0,
        le=100,
        title="Lowest confidence of a suggested tag, %",
        description="It applies to photos analyzed from now on.",
    )
    most: int = Field(7, ge=0, le=30, title="Maximum suggested tags per photo")

    def select(self, tags: Sequence[SuggestedTag]) -> list[SuggestedTag]:
        """Return the most confident tags; those without a confidence come last, in their order."""
        enough = [tag for tag in tags if tag.confidence is None or tag.confidence >= self.threshold]
        return sorted(enough, key=lambda tag: -(tag.confidence or 0))[: self.most]


class FacesSettings(Section):
    """Measuring faces: whether eyes are open, and how sharp they are."""

    on: bool = Field(
        True,
        title="Measure faces and eyes",
        description="If off, Curator removes everything it measured of faces."
        " It never finds out who a person is.",
    )


class TextSettings(Section):
    """Reading text in photos: signs, bibs, number plates, slides."""

    automatic: bool = Field(
        False,
        title="Read text in all photos",
        description="If off, use Read text on single photos. Needs the extra “text”. Runs after all"
        " other background work.",
    )


class VisionSettings(Section):
    """The vision model that describes photos, on this machine or at another address."""

    provider: Literal["ollama", "openai_compatible"] = Field(
        "ollama", title="Provider of the vision model"
    )
    url: str = Field(
        "http://localhost:11434",
        title="Address of the provider",
        description="Photos are sent to this address only.",
    )
    model: str = Field(
        "llava", title="Model", description="This is the name of the model at the provider."
    )
    timeout_s: float = Field(120, ge=1, le=3600, title="Time limit per description, s")
    automatic: bool = Field(
        False,
        title="Describe all photos",
        description="If off, use Describe on single photos.",
    )
    on_battery: bool = Field(False, title="Describe all photos on battery power, too")
    concurrency: int = Field(1, ge=1, le=16, title="Photos described at the same time")
    per_minute: int = Field(
        0,
        ge=0,
        le=6000,
        title="Maximum descriptions per minute",
        description="0 means no limit.",
    )
    attempts: int = Field(3, ge=1, le=10, title="Attempts before a description counts as failed")
    backoff_s: float = Field(
        5.0,
        ge=0,
        le=3600,
        title="Wait before the second attempt, s",
        description="The wait doubles with each further attempt.",
    )
    long_edge_px: int = Field(
        1440,
        ge=224,
        le=4096,
        title="Long edge of the picture sent, px",
        description="It is never larger than the proxy.",
    )


def in_settings(name: str) -> str:
    """Return where to change a setting: ``“Model” in the settings (vision.model)``."""
    section, _, field = name.partition(".")
    fields = getattr(Settings.model_fields[section].annotation, "model_fields", {})
    return f"“{fields[field].title}” in the settings ({name})"


KeptMetadata = Literal["all", "no_location", "none"]


def kept_metadata(metadata: str, target: str, form: str) -> KeptMetadata:
    """Return the metadata an export keeps. Only this function decides about the location.

    By default galleries and JPEGs, which are made to be shown to others, have no location. Copies
    of originals can lose their location, but not all metadata.
    """
    picture = form == "jpeg" or target == "gallery"
    if metadata == "auto":
        return "no_location" if picture else "all"
    if metadata == "none" and picture:
        return "none"
    return "all" if metadata == "all" else "no_location"


class ImportSettings(Section):
    """Importing from memory cards; the dialog and the command line start with these."""

    offer: bool = Field(
        True,
        title="Offer to import when a card is inserted",
        description="A notification asks; nothing is imported by itself.",
    )
    to: str = Field(
        "",
        max_length=1000,
        title="Import into",
        description="Enter a folder. If empty, choose one for each import.",
    )
    also: str = Field(
        "",
        max_length=1000,
        title="Second copy",
        description="Enter a folder on another drive. If empty, one copy is made.",
    )
    folders: str = Field(
        naming.BY_DATE,
        max_length=200,
        title="Folders for imported photos",
        description="Use {date} {date:%Y-%m-%d} {camera} {job}, with / between folders. If empty,"
        " no folders are made.",
    )
    names: str = Field(
        naming.PLAIN,
        min_length=1,
        max_length=200,
        title="Names of imported files",
        description="Use {name} {date} {time} {seq} {seq:4} {camera} {job}.",
    )
    creator: str = Field("", max_length=200, title="Photographer")
    copyright: str = Field("", max_length=500, title="Copyright notice")
    sidecars: bool = Field(
        False,
        title="Write photographer, copyright and job into sidecars",
        description="The sidecars are written beside the copies, never on the card.",
    )


class ExportSettings(Section):
    """Exporting the approved photos; a preset holds the same values."""

    target: Literal["folder", "gallery", "sidecar"] = Field(
        "folder", title="Export to a folder, to a web gallery, or sidecars only"
    )
    form: Literal["original", "jpeg"] = Field("original", title="Export originals or JPEGs")
    long_edge_px: int = Field(2560, ge=320, le=20000, title="Long edge of exported JPEGs, px")
    jpeg_quality: int = Field(92, ge=60, le=100, title="JPEG quality")
    sharpen: Literal["off", "screen", "print"] = Field("off", title="Sharpen exported JPEGs")
    metadata: Literal["auto", "all", "no_location", "none"] = Field(
        "auto",
        title="Metadata of exported files",
        description="Auto removes the location from JPEGs and galleries, not from copies of"
        " originals. Removing it from copies needs exiftool.",
    )
    pair: Literal["both", "raw", "jpeg"] = Field("both", title="Files of RAW+JPEG pairs")
    names: str = Field(
        "{name}",
        min_length=1,
        max_length=200,
        title="Names of exported files",
        description=f"Use {' '.join(naming.words(naming.Purpose.EXPORT))}.",
    )

    @property
    def kept(self) -> KeptMetadata:
        """The metadata that exported files keep."""
        return kept_metadata(self.metadata, self.target, self.form)


class EditingSettings(Section):
    """Opening photos in another app."""

    program: str = Field(
        "",
        max_length=1000,
        title="Editor",
        description="Enter a program and its options; the files are added at the end.",
    )


class SidecarSettings(Section):
    """Sidecars written for other programs."""

    profile: Literal["lightroom", "darktable", "digikam"] = Field(
        "lightroom",
        title="App that reads the sidecars",
        description="Lightroom reads DSC_0411.xmp next to RAW files, but not DNG; darktable and"
        " digiKam read DSC_0411.NEF.xmp next to any file.",
    )
    background: bool = Field(
        False,
        title="Write sidecars in the background",
        description="Curator writes them two seconds after the last mark. If off, use Write"
        " sidecars.",
    )
    exiftool: str = Field(
        "",
        max_length=1000,
        title="Path of exiftool",
        description="It embeds marks and removes locations. If empty, Curator looks for one.",
    )


class ScanSettings(Section):
    """Finding photos in folders."""

    recursive: bool = Field(True, title="Include subfolders of a newly opened folder")
    watch: bool = Field(
        True,
        title="Show new and changed files automatically",
        description="This works while the window is open. If off, use Rescan folders in the menu.",
    )


class Settings(BaseModel):
    """All settings, read with :meth:`load` and written with :func:`save`."""

    model_config = ConfigDict(extra="ignore", validate_assignment=True)

    # In the order of the settings dialog: the settings changed most come first.
    loupe: LoupeSettings = Field(default_factory=LoupeSettings, title="Loupe")
    grid: GridSettings = Field(default_factory=GridSettings, title="Grid")
    scan: ScanSettings = Field(default_factory=ScanSettings, title="Folders")
    importing: ImportSettings = Field(default_factory=ImportSettings, title="From memory cards")
    approval: ApprovalSettings = Field(default_factory=ApprovalSettings, title="Approved photos")
    export: ExportSettings = Field(default_factory=ExportSettings, title="Export")
    sidecars: SidecarSettings = Field(default_factory=SidecarSettings, title="Sidecars")
    editing: EditingSettings = Field(default_factory=EditingSettings, title="Editing")
    taste: TasteSettings = Field(default_factory=TasteSettings, title="Taste")
    tags: TagSettings = Field(default_factory=TagSettings, title="Tags")
    faces: FacesSettings = Field(default_factory=FacesSettings, title="Faces")
    text: TextSettings = Field(default_factory=TextSettings, title="Text in photos")
    vision: VisionSettings = Field(default_factory=VisionSettings, title="Describing photos")
    encoder: EncoderSettings = Field(default_factory=EncoderSettings, title="Analyzing photos")
    proxy: ProxySettings = Field(default_factory=ProxySettings, title="Proxies")
    work: WorkSettings = Field(default_factory=WorkSettings, title="Background work")

    _flags: frozenset[tuple[str, str]] = PrivateAttr(default=frozenset())

    def overridden(self) -> list[tuple[str, str]]:
        """Return section and name of the settings that flags or the environment override."""
        variables = _environment()
        return [
            (section, name)
            for section in type(self).model_fields
            for name in type(getattr(self, section)).model_fields
            if (section, name) in self._flags or name in variables.get(section, {})
        ]

    @classmethod
    def load(cls, home: Home, flags: dict[str, Any] | None = None) -> Settings:
        """Read the settings of a home.

        Args:
            home: whose ``settings.json`` is read, if it exists.
            flags: nested values from the command line, which override everything else.

        Raises:
            UsageError: a value is out of range or of the wrong type.
        """
        values = read_file(home)
        for stronger in (_environment(), flags or {}):
            for section, named in stronger.items():
                weaker = values.get(section)
                values[section] = {**(weaker if isinstance(weaker, dict) else {}), **named}
        try:
            settings = cls.model_validate(values)
            settings._flags = frozenset(
                (section, name) for section, values in (flags or {}).items() for name in values
            )
            return settings
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise UsageError(
                f"Setting {name}: {first['msg']} (got {_short(first.get('input'))}).",
                f"Correct it in {home.settings_file}, the environment or the flag.",
            ) from error


def _environment() -> dict[str, dict[str, str]]:
    """Return the values of environment variables by section and name, all of them text.

    Raises:
        UsageError: a variable has the name of a section, without a setting.
    """
    found: dict[str, dict[str, str]] = {}
    for variable, value in os.environ.items():
        section, between, name = variable.lower().removeprefix("curator_").partition("__")
        if section not in Settings.model_fields or not variable.lower().startswith("curator_"):
            continue
        if not between:
            raise UsageError(
                f"The environment variable {variable} is not a setting.",
                "A variable has the name of a setting: CURATOR_WORK__WORKERS=4.",
            )
        found.setdefault(section, {})[name] = value
    return found


def read_file(home: Home) -> dict[str, Any]:
    """Return the content of a home's ``settings.json``, empty if it does not exist.

    Raises:
        KnownError: the file cannot be read as JSON.
    """
    try:
        found = json.loads(read_small_file(home.settings_file, "utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError, RecursionError) as error:
        raise KnownError(
            f"{home.settings_file} cannot be read ({parse_problem(error)}).",
            "Correct or remove it.",
        ) from error
    if not isinstance(found, dict):
        raise KnownError(f"{home.settings_file} holds no settings.", "Correct or remove it.")
    return found


def _short(value: object) -> str:
    """Return the repr of a value, shortened to 80 characters."""
    try:
        text = repr(value)
    except ValueError:  # an int of more digits than Python prints
        return "a very long number"
    return text if len(text) <= 80 else f"{text[:77]}..."


def read_small_file(path: Path, encoding: str) -> str:
    """Read a text file that people may edit, such as settings or keys, of at most 64 KB.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is too large, or not text in this encoding.
    """
    data = atomic.read(path, _MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError("it is larger than 64 KB")
    return data.decode(encoding)


def parse_problem(error: Exception) -> str:
    """Return why a settings or keys file cannot be read, to follow "cannot be read"."""
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON: see line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "a number in it is too long" if "integer string" in str(error) else str(error)


def save(settings: Settings, home: Home) -> None:
    """Write the settings that differ from the defaults, atomically.

    Settings that the environment or a flag overrides for this run keep their value in the file.

    Raises:
        KnownError: the home cannot be written; the old file stays.
    """
    differing = settings.model_dump(mode="json", exclude_defaults=True)
    overridden = settings.overridden()
    saved = read_file(home) if overridden else {}
    for section, name in overridden:
        old = saved.get(section, {})
        differing.setdefault(section, {}).pop(name, None)
        if name in old:
            differing[section][name] = old[name]
    differing = {section: values for section, values in differing.items() if values}
    text = json.dumps(differing, indent=2) + "\n"
    write_text_file(home.settings_file, text, f"Settings could not be saved in {home.data}")


def write_text_file(path: Path, text: str, failed: str, aside: Path | None = None) -> None:
    """Write a settings, keys or preset file atomically.

    Args:
        path: the file.
        text: its new content.
        failed: the beginning of the error message if it cannot be written.
        aside: where to put a copy of the old file.

    Raises:
        KnownError: the file cannot be written; the old one stays.
    """
    try:
        if aside is not None:  # copied, not moved, so that the file exists at any moment
            atomic.write(aside, atomic.read(path))
        atomic.write(path, text.encode("utf-8"))
    except OSError as error:
        raise KnownError(
            f"{failed} ({error.strerror or error}).",
            "Free disk space, or make the folder writable. The old file is unchanged.",
        ) from error
