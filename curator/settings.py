"""Settings as typed models: defaults < file < environment < flags; and where things live.

Every setting is one pydantic field with a title and a range; the settings dialog, the README
table and `curator settings` are made from these models. The file is ``settings.json`` in the
home folder and holds only what differs from the defaults. An environment variable is
``CURATOR_`` plus the path of the field with double underscores: ``CURATOR_WORK__WORKERS=4``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal, TypeVar

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from curator import atomic, private
from curator.model import KnownError, SuggestedTag, UsageError

P = TypeVar("P", bound=PurePath)

CACHE_TAG = "CACHEDIR.TAG"  # bford.info/cachedir: what marks a folder as a cache, and how
_CACHE_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
# What is ours in a home that may hold other things, too.
_TEMPORARY = r"\.curator-.*\.tmp"
_DATA = re.compile(
    rf"{_TEMPORARY}|catalog[-\w]*\.(db|lock|reserve)(-\w+)?|conductor\.lock|curator\.log(\.\d+)?"
    r"|(settings|keys)\.(json|toml)(\.refused)?|bench\.jsonl|vocabulary\.txt"
    r"|backups|cache|export-presets|restoring"
)
_CACHE = re.compile(
    rf"{_TEMPORARY}|CACHEDIR\.TAG|table\.npz|[0-9a-f]{{24}}\.npz|proxies|thumbs|models"
)
_BACKUPS = re.compile(rf"{_TEMPORARY}(-journal)?|catalog-[-\w]+\.db(-\w+)?")
_PRESETS = re.compile(rf"{_TEMPORARY}|.+\.json")
_PROXIES = re.compile(rf"{_TEMPORARY}|[0-9a-f]{{2}}")
_SMALL = 1 << 16  # bytes of a file of settings or keys: parsers need seconds for some of 1 MB


def absolute(path: str | os.PathLike[str]) -> Path:
    """Make what was typed absolute, the one way the catalog knows it by.

    ``~`` is one's home, links stay as they are, and ``..`` goes back by name, as a shell's cd.
    """
    typed = Path(path)
    # ~somebody, whom this machine does not know, is a name like any other.
    with contextlib.suppress(RuntimeError):
        typed = typed.expanduser()
    return with_capital_drive(Path(os.path.normpath(typed.absolute())))


def with_capital_drive(path: P) -> P:
    """Name a drive of Windows by its capital letter, as the system does: c: and C: are one."""
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
        """Find the home: ``folder``, else ``CURATOR_HOME``, else the platform's folders."""
        chosen = folder or os.environ.get("CURATOR_HOME")
        if chosen:
            base = absolute(chosen)
            return cls(base, base / "cache")
        return cls(
            Path(platformdirs.user_data_dir("curator", False)),
            Path(platformdirs.user_cache_dir("curator", False)),
        )

    def make(self) -> Home:
        """Create the folders.

        Raises:
            KnownError: the place cannot be written; nothing was created below it.
        """
        try:
            private.make_folder(self.data)
            private.make_folder(self.cache)
            self._restrict()
            # Back-up programs leave a folder out that has this file, and so does a scan: a home
            # inside an opened folder must not have its own proxies read in as photos.
            tag = self.cache / CACHE_TAG
            if not tag.exists():
                with contextlib.suppress(OSError):  # a full disk: reading needs no room
                    text = f"{_CACHE_SIGNATURE}\n# Made by Curator; can be made again.\n"
                    atomic.write(tag, text.encode("utf-8"))
            probe = atomic.temporary_path(self.data / "probe")
            try:
                probe.touch(private.FILE)
                probe.unlink()
            except OSError as error:
                if not atomic.is_full(error):  # there one can look, at least
                    raise
        except (FileExistsError, NotADirectoryError) as error:
            raise KnownError(
                f"The home folder {self.data} cannot be made: a file is in its way.",
                "Choose another with --home or CURATOR_HOME.",
            ) from error
        except OSError as error:
            first = "Make room there, or choose" if atomic.is_full(error) else "Choose"
            raise KnownError(
                f"The home folder {self.data} cannot be written ({error.strerror or error}).",
                f"{first} another with --home or CURATOR_HOME.",
            ) from error
        return self

    def _restrict(self) -> None:
        """Keep others out of what is here, as earlier versions did not; see `private`.

        The folders keep them out, so that no proxy is looked at: there are 100,000 of them.
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
        """Copies of the catalog made before migrations."""
        return self.data / "backups"

    @property
    def table_file(self) -> Path:
        """What was last known of all photos, for the next window; may be thrown away."""
        return self.cache / "table.npz"

    @property
    def log(self) -> Path:
        """The rotating log file."""
        return self.data / "curator.log"

    @property
    def settings_file(self) -> Path:
        """What differs from the defaults, as JSON."""
        return self.data / "settings.json"


class Section(BaseModel):
    """A group of settings; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, validate_default=True)


class WorkSettings(Section):
    """Reading photos in the background."""

    workers: int = Field(
        0,
        ge=0,
        le=64,
        title="Decoding processes",
        description="0: one a core; takes effect after restart",
    )
    timeout_s: float = Field(60, ge=1, le=3600, title="Time limit for one photo, s")
    memory_mb: int = Field(
        4096,
        ge=512,
        le=65536,
        title="Memory limit of one process, MB",
        description="takes effect after restart",
    )
    max_megapixels: int = Field(400, ge=10, le=2000, title="Largest picture, megapixels")
    attempts: int = Field(
        3,
        ge=1,
        le=10,
        title="Attempts before a photo counts as failed",
        description="photos that time out are not retried automatically",
    )
    backoff_s: float = Field(2.0, ge=0, le=600, title="Wait before the second attempt, s")


class ProxySettings(Section):
    """The JPEGs Curator makes for looking."""

    long_edge_px: int = Field(1440, ge=640, le=4096, title="Proxy long edge, px")
    quality: int = Field(88, ge=60, le=98, title="Proxy JPEG quality")


class LoupeSettings(Section):
    """Looking at one photo."""

    stars_advance: bool = Field(False, title="Stars and labels go to the next photo (M)")
    surround: int = Field(0, ge=0, le=3, title="Surround of the picture (L)")
    clipping: bool = Field(False, title="Show clipped highlights and shadows (J)")
    focus: Literal["off", "tiles", "peaking"] = Field("off", title="Show what is sharp (A)")
    histogram: bool = Field(False, title="Show the histogram (H)")
    frames_mb: int = Field(256, ge=64, le=8192, title="Memory for decoded frames, MB")
    prefetch: int = Field(4, ge=0, le=20, title="Neighbors decoded ahead")
    originals_mb: int = Field(
        640,
        ge=128,
        le=65536,
        title="Memory for pixels at 100 %, MB",
        description="a 24-megapixel photo takes 72, with overlays 100",
    )


class GridSettings(Section):
    """Looking at many photos."""

    thumb_px: int = Field(184, ge=120, le=360, title="Thumbnail size, px")
    captions: bool = Field(False, title="File name and date below each photo")


class TasteSettings(Section):
    """What is learned from stars, and what counts as a match."""

    match_threshold: int = Field(70, ge=0, le=100, title="Match from this score on")
    lowest_first: bool = Field(
        True, title="A new cull begins with the lowest match, once that order can be trusted"
    )
    show_match: bool = Field(
        False, title="Show match everywhere", description="also before you have decided"
    )
    from_files: bool = Field(
        False,
        title="Learn from marks read from files too",
        description="from sidecars, and from what is embedded in originals",
    )
    half_life_days: float = Field(
        365, ge=7, le=36500, title="Days after which a rating weighs half as much"
    )


DEFAULT_RULE = "rating:>=4; is:picked -rating:1 -rating:2; rating:3 is:match"


class ApprovalSettings(Section):
    """Which photos are approved for export; searches are checked where they are understood."""

    rule: str = Field(
        DEFAULT_RULE,
        min_length=1,
        max_length=1000,
        title="Approved for export",
        description="searches separated by semicolons, one has to hold; "
        "never rejected or unreviewed photos",
    )


class EncoderSettings(Section):
    """What compares photos; it runs in a process of its own."""

    which: Literal["auto", "open_clip", "starter", "none"] = Field(
        "auto", title="Encoder", description="auto: CLIP where its weights are, else the starter"
    )
    model: str = Field("ViT-L-14", title="CLIP model, by open_clip's name")
    pretrained: str = Field("laion2b_s32b_b82k", title="CLIP weights, by open_clip's name")
    checkpoint: str = Field("", title="Weights file of your own for CLIP")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", title="Where the encoder runs")
    memory_mb: int = Field(
        8192,
        ge=1024,
        le=262144,
        title="Memory limit of the encoder, MB",
        description="takes effect after restart",
    )
    hub: bool = Field(
        True,
        title="Weights may be downloaded when asked for",
        description="Curator asks the model hub for nothing else, and never by itself",
    )


class TagSettings(Section):
    """What machines suggest as tags: the encoder, and the vision model."""

    threshold: int = Field(
        20,
        ge=0,
        le=100,
        title="Suggest a tag from this confidence on",
        description="for photos looked at from now on",
    )
    most: int = Field(7, ge=0, le=30, title="Tags a machine suggests for one photo, at most")

    def kept(self, tags: Sequence[SuggestedTag]) -> list[SuggestedTag]:
        """Return the surest; tags without a confidence keep their order behind the others."""
        sure = [tag for tag in tags if tag.confidence is None or tag.confidence >= self.threshold]
        return sorted(sure, key=lambda tag: -(tag.confidence or 0))[: self.most]


class VisionSettings(Section):
    """Who describes photos: a model on this machine, or one at an address of your own."""

    provider: Literal["ollama", "openai_compatible"] = Field(
        "ollama", title="What describes photos"
    )
    url: str = Field(
        "http://localhost:11434",
        title="Its address",
        description="the only one Curator connects to; photos are sent there",
    )
    model: str = Field("llava", title="Model, by the provider's name")
    timeout_s: float = Field(120, ge=1, le=3600, title="Time limit for one description, s")
    automatic: bool = Field(
        False, title="Describe all photos", description="otherwise only the one D is pressed on"
    )
    on_battery: bool = Field(False, title="Describe all photos also on battery")
    concurrency: int = Field(1, ge=1, le=16, title="Photos described at a time")
    per_minute: int = Field(
        0, ge=0, le=6000, title="Descriptions a minute, at most", description="0: no limit"
    )
    attempts: int = Field(3, ge=1, le=10, title="Attempts before a description counts as failed")
    backoff_s: float = Field(
        5.0,
        ge=0,
        le=3600,
        title="Wait before the second attempt, s",
        description="doubles from attempt to attempt",
    )
    long_edge_px: int = Field(
        1440,
        ge=224,
        le=4096,
        title="Long edge of the picture sent, px",
        description="never more than the proxy's",
    )


Kept = Literal["all", "no_location", "none"]


def kept_metadata(metadata: str, target: str, form: str) -> Kept:
    """Return what metadata an export keeps; the one place that decides about location.

    Unless asked otherwise, galleries and JPEGs, which are made for others to see, say nothing of
    the place. Copies of originals cannot be without metadata, but without location.
    """
    picture = form == "jpeg" or target == "gallery"
    if metadata == "auto":
        return "no_location" if picture else "all"
    if metadata == "none" and picture:
        return "none"
    return "all" if metadata == "all" else "no_location"


class ExportSettings(Section):
    """Getting the approved photos out; what a preset holds, too."""

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
        description="auto: no location in JPEGs and galleries, originals as they are;"
        " exiftool removes the location from originals",
    )
    pair: Literal["both", "raw", "jpeg"] = Field("both", title="Of a RAW+JPEG pair, export")
    names: str = Field(
        "{name}",
        min_length=1,
        max_length=200,
        title="Names of exported files",
        description="of {name} {date} {time} {seq} {rating} {project} {camera}",
    )

    @property
    def kept(self) -> Kept:
        """What metadata goes out."""
        return kept_metadata(self.metadata, self.target, self.form)


class EditingSettings(Section):
    """Opening photos elsewhere."""

    program: str = Field(
        "",
        max_length=1000,
        title="Editor (Ctrl+E)",
        description="a program, with its options if it needs any; the files come after them",
    )


class SidecarSettings(Section):
    """What is written beside originals, for other editors."""

    profile: Literal["lightroom", "darktable", "digikam"] = Field(
        "lightroom",
        title="Sidecars are for",
        description="Lightroom: base.xmp beside RAW files; the others: file.ext.xmp beside any",
    )
    background: bool = Field(
        False,
        title="Write sidecars in the background",
        description="two seconds after the last mark; off: only when asked (Ctrl+S)",
    )
    exiftool: str = Field(
        "",
        max_length=1000,
        title="exiftool",
        description="embeds marks where asked; empty: the one that is installed",
    )


class ScanSettings(Section):
    """Finding photos in folders."""

    recursive: bool = Field(True, title="Include subfolders of a newly opened folder")
    watch: bool = Field(
        True,
        title="New and changed files show up by themselves",
        description="while the window is open; off: only when asked (F5)",
    )


class Settings(BaseSettings):
    """All settings; read with :meth:`load`, changed with :func:`save`."""

    model_config = SettingsConfigDict(
        env_prefix="CURATOR_", env_nested_delimiter="__", extra="ignore", validate_assignment=True
    )

    # In the order of the settings dialog: what people change most first, machinery last.
    loupe: LoupeSettings = Field(default_factory=LoupeSettings, title="Loupe")
    grid: GridSettings = Field(default_factory=GridSettings, title="Grid")
    scan: ScanSettings = Field(default_factory=ScanSettings, title="Folders")
    approval: ApprovalSettings = Field(default_factory=ApprovalSettings, title="Approved photos")
    export: ExportSettings = Field(default_factory=ExportSettings, title="Export")
    sidecars: SidecarSettings = Field(default_factory=SidecarSettings, title="Sidecars")
    editing: EditingSettings = Field(default_factory=EditingSettings, title="Editing")
    taste: TasteSettings = Field(default_factory=TasteSettings, title="Taste")
    tags: TagSettings = Field(default_factory=TagSettings, title="Tags")
    vision: VisionSettings = Field(default_factory=VisionSettings, title="Describing photos")
    encoder: EncoderSettings = Field(default_factory=EncoderSettings, title="Analyzing photos")
    proxy: ProxySettings = Field(default_factory=ProxySettings, title="Proxies")
    work: WorkSettings = Field(default_factory=WorkSettings, title="Background work")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read flags over environment over file; :meth:`load` passes file and flags in."""
        assert isinstance(init_settings, InitSettingsSource)
        given = dict(init_settings.init_kwargs)
        flags, file = given.pop("flags_", {}), given.pop("file_", {})
        return (
            InitSettingsSource(settings_cls, given | flags),
            EnvSettingsSource(settings_cls),
            InitSettingsSource(settings_cls, file),
        )

    _flags: frozenset[tuple[str, str]] = PrivateAttr(default=frozenset())

    def borrowed(self) -> list[tuple[str, str]]:
        """List section and name of the settings that flags or the environment hold now."""
        return [
            (section, name)
            for section in type(self).model_fields
            for name in type(getattr(self, section)).model_fields
            if (section, name) in self._flags
            or f"CURATOR_{section}__{name}".upper() in map(str.upper, os.environ)
        ]

    @classmethod
    def load(cls, home: Home, flags: dict[str, Any] | None = None) -> Settings:
        """Read the settings of a home.

        Args:
            home: whose ``settings.json`` is read, if it is there.
            flags: nested values from the command line, which win over everything.

        Raises:
            UsageError: a value is out of range or of the wrong type; says which and where.
        """
        file = read_file(home)
        try:
            settings = cls(flags_=flags or {}, file_=file)
            settings._flags = frozenset(
                (section, name) for section, values in (flags or {}).items() for name in values
            )
            return settings
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise UsageError(
                f"Setting {name}: {first['msg']} (got {_short(first.get('input'))}).",
                f"Mend it in {home.settings_file}, the environment or the flag.",
            ) from error
        except SettingsError as error:
            raise UsageError(
                f"The environment holds what is no setting ({error}).",
                "A variable has the name of one setting: CURATOR_WORK__WORKERS=4.",
            ) from error


def read_file(home: Home) -> dict[str, Any]:
    """Read a home's ``settings.json``, empty if there is none.

    Raises:
        KnownError: it is there and cannot be read as JSON.
    """
    try:
        found = json.loads(read_small_file(home.settings_file, "utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError, RecursionError) as error:
        raise KnownError(
            f"{home.settings_file} cannot be read ({parse_problem(error)}).", "Mend or remove it."
        ) from error
    if not isinstance(found, dict):
        raise KnownError(f"{home.settings_file} holds no settings.", "Mend or remove it.")
    return found


def _short(value: object) -> str:
    """Return a value as Python writes it, cut where it is long."""
    try:
        said = repr(value)
    except ValueError:  # a number of more digits than Python writes
        return "a very long number"
    return said if len(said) <= 80 else f"{said[:77]}..."


def read_small_file(path: Path, encoding: str) -> str:
    """Read a file a person may have written; nobody writes more than 64 KB of settings.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large, or no text in this encoding.
    """
    data = atomic.read(path, _SMALL + 1)
    if len(data) > _SMALL:
        raise ValueError("it is larger than 64 KB")
    return data.decode(encoding)


def parse_problem(error: Exception) -> str:
    """Return in plain words why a file a person may have written cannot be read."""
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
    """Write what differs from the defaults, through a temporary file.

    What the environment or a flag holds for this run stays out of the file.

    Raises:
        KnownError: the home cannot be written; the old file stays.
    """
    differing = settings.model_dump(mode="json", exclude_defaults=True)
    for section, name in settings.borrowed():
        old = read_file(home).get(section, {})
        differing.setdefault(section, {}).pop(name, None)
        if name in old:
            differing[section][name] = old[name]
    differing = {section: values for section, values in differing.items() if values}
    text = json.dumps(differing, indent=2) + "\n"
    write_text_file(home.settings_file, text, f"Settings could not be saved in {home.data}")


def write_text_file(path: Path, text: str, failed: str, aside: Path | None = None) -> None:
    """Write a text file of a person's choices through a temporary one.

    Args:
        path: the file.
        text: what it is to hold.
        failed: how the error begins if it cannot be written.
        aside: where the old file is kept, too.

    Raises:
        KnownError: the place cannot be written; the old file stays.
    """
    try:
        if aside is not None:  # a copy: there is a file of that name at any moment
            atomic.write(aside, atomic.read(path))
        atomic.write(path, text.encode("utf-8"))
    except OSError as error:
        raise KnownError(
            f"{failed} ({error.strerror or error}).",
            "Make room there, or make it writable; the old ones stay.",
        ) from error


def resource(name: str) -> Path:
    """Find a file of ``resources/``: inside an installed or frozen package, else the checkout."""
    here = Path(__file__).resolve().parent
    inside = here / "resources" / name
    return inside if inside.exists() else here.parent / "resources" / name
