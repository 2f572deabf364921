"""What is to be exported and how, as one value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from curator.export import naming
from curator.export.render import Keep
from curator.export.size_estimates import Proxies
from curator.model import Clause, Verdict
from curator.settings import kept_metadata

if TYPE_CHECKING:
    from curator.catalog import FolderRow, PhotoDetail
    from curator.settings import ExportSettings


@dataclass(frozen=True, slots=True)
class Options:
    """What to export and how.

    Attributes:
        folder: where to.
        clauses: the approved photos by id, each with the name of the clause that approves it.
        rule: names of all clauses of the approval rule, in its order.
        approve: names of the clauses whose photos go out; None: all but ratings read from files,
            because nobody has reviewed those photos here.
        target: a name of TARGETS.
        form: copies of the originals, JPEGs made of them, or (a target's business) sidecars.
        long_edge_px: of JPEGs, at most; nothing is enlarged.
        jpeg_quality: 60-100.
        sharpen: JPEGs for a screen, for print, or not.
        metadata: what files and manifest keep of the camera's notes: all, all but the location,
            none; auto: as `curator.settings.kept_metadata` decides.
        exiftool: path of exiftool, which removes the location from originals; empty without it.
        pair: which halves of a RAW+JPEG pair are copied; JPEGs are made of the RAW unless "jpeg".
        names: a template (`curator.export.naming`).
        sources: the folders read with their subfolders: no export may land inside one.
        flat_sources: the folders read without their subfolders: no export may land in one.
        scores: match scores by photo id.
        match_model: whose scores they are.
        project: what is exported is this project.
        projects: names of the projects photos are in, by photo id.
        partial: photos of the scope were chosen one by one; nothing is said of the others.
        order: photo ids as ordered by hand; otherwise capture time orders them.
        title: what a page is headed with.
        notes: what stands under the title.
        edges: long edges of the JPEGs made of each photo, the largest first; a target's business.
        inside: the subfolder files go to, for targets that have more than files.
        private: the manifest is for everyone's eyes: it has no original paths.
        proxies: where the proxies are that tell how large JPEGs will be, if they are known.
        profile: the editor sidecars are named and written for (`curator.sidecar.PROFILES`).
    """

    folder: Path
    clauses: Mapping[int, str] = field(default_factory=dict)
    rule: tuple[str, ...] = tuple(Clause)
    approve: frozenset[str] | None = None
    target: str = "folder"
    form: Literal["original", "jpeg", "sidecar"] = "original"
    long_edge_px: int = 2560
    jpeg_quality: int = 92
    sharpen: Literal["off", "screen", "print"] = "off"
    metadata: Literal["auto", "all", "no_location", "none"] = "auto"
    exiftool: str = ""
    pair: Literal["both", "raw", "jpeg"] = "both"
    names: str = naming.PLAIN
    sources: tuple[Path, ...] = ()
    flat_sources: tuple[Path, ...] = ()
    scores: Mapping[int, int] = field(default_factory=dict)
    match_model: str | None = None
    project: str | None = None
    projects: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    partial: bool = False
    order: tuple[int, ...] = ()
    title: str = ""
    notes: str = ""
    edges: tuple[int, ...] = ()
    inside: str = ""
    private: bool = False
    proxies: Proxies | None = None
    profile: str = "lightroom"

    def outside(self, folders: Iterable[FolderRow]) -> Options:
        """Return these options with the folders photos are read from: no export lands there."""
        rows = list(folders)
        return replace(
            self,
            sources=tuple(Path(row.path) for row in rows if row.recursive),
            flat_sources=tuple(Path(row.path) for row in rows if not row.recursive),
        )

    def chosen_as(self, preset: ExportSettings) -> Options:
        """Give these options with what a preset, or the settings, choose."""
        return replace(
            self,
            target=preset.target,
            form=preset.form,
            long_edge_px=preset.long_edge_px,
            jpeg_quality=preset.jpeg_quality,
            sharpen=preset.sharpen,
            metadata=preset.metadata,
            pair=preset.pair,
            names=preset.names,
        )

    def clause_of(self, photo: PhotoDetail) -> str | None:
        """Return the clause that approves a photo; None for a reject or an unreviewed photo."""
        return self.clauses.get(photo.id) if photo.marks.verdict is Verdict.KEPT else None

    def takes(self, clause: str) -> bool:
        """Whether photos of a clause go out."""
        return clause != Clause.FILE if self.approve is None else clause in self.approve

    @property
    def rendered(self) -> tuple[int, ...]:
        """Long edges of the JPEGs made of each photo; none where originals are copied."""
        if self.form != "jpeg":
            return ()
        return self.edges or (self.long_edge_px,)

    @property
    def location(self) -> bool:
        """Whether files and manifest may say where photos were taken."""
        return self.kept == "all"

    @property
    def kept(self) -> Keep:
        """What files and manifest keep of the camera's notes."""
        return kept_metadata(self.metadata, self.target, self.form)

    @property
    def removes_location(self) -> bool:
        """Whether copies of originals are made without location."""
        return self.form == "original" and not self.location

    @property
    def rendering(self) -> str:
        """The form as the manifest names it; a JPEG of another rendering is made anew."""
        if self.form == "sidecar":
            return f"sidecar {self.profile}"
        if self.form == "original":
            return "original without place" if self.removes_location else "original"
        said = f"jpeg {'+'.join(map(str, self.rendered))} px q{self.jpeg_quality}"
        if self.sharpen != "off":
            said += f", sharpened for {self.sharpen}"
        kept = {"all": "", "no_location": ", without place", "none": ", without metadata"}
        return said + kept[self.kept]
