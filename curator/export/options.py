"""The options of an export, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from curator import naming
from curator.export.size_estimates import Proxies
from curator.model import Clause, Verdict
from curator.settings import KeptMetadata, kept_metadata

if TYPE_CHECKING:
    from curator.catalog import PhotoDetail


@dataclass(frozen=True, slots=True)
class Options:
    """What to export and how.

    Attributes:
        folder: the target folder.
        clauses: the approved photos by id, each with the name of the clause that approves it.
        rule: the names of all clauses of the approval rule, in order.
        approve: the names of the clauses to export; None: all except ratings read from files,
            because nobody has reviewed those photos in Curator.
        target: a name of TARGETS.
        form: copies of the originals, JPEGs, or (set by the target) sidecars.
        long_edge_px: the maximal long edge of JPEGs; pictures are never enlarged.
        jpeg_quality: 60-100.
        sharpen: sharpen JPEGs for a screen, for print, or not.
        metadata: the camera metadata in files and manifest: all, all but the location, or none;
            auto as `curator.settings.kept_metadata` decides.
        exiftool: path of exiftool, which removes the location from originals; empty without it.
        pair: the halves of a RAW+JPEG pair to copy; JPEGs are made from the RAW unless "jpeg".
        names: a template (`curator.naming`).
        sources: folders that are read with subfolders; no export may be written inside them.
        flat_sources: folders that are read without subfolders; no export may be written into them.
        scores: match scores by photo id.
        match_model: the name of the model that made the scores.
        project: the name of the exported project, if it is one.
        projects: names of the projects of each photo, by photo id.
        partial: whether single photos were chosen. Other photos of the project are not withdrawn
            then, and chosen photos that are not approved are listed as skipped.
        order: photo ids in manual order; otherwise photos are sorted by capture time.
        title: the title of the page.
        notes: the text under the title.
        edges: long edges of the JPEGs of each photo, the largest first; set by the target.
        subfolder: the subfolder for files; set by the target.
        public: whether the export is for everybody: then the manifest has no paths of originals,
            and JPEGs contain no marks; set by the target.
        proxies: folder of the proxies that JPEG sizes are estimated from, if known.
        profile: the editor to write sidecars for (`curator.sidecar.PROFILES`).
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
    subfolder: str = ""
    public: bool = False
    proxies: Proxies | None = None
    profile: str = "lightroom"

    def clause_of(self, photo: PhotoDetail) -> str | None:
        """Return the clause that approves a photo; None for a reject or an unreviewed photo."""
        return self.clauses.get(photo.id) if photo.marks.verdict is Verdict.KEPT else None

    def exports(self, clause: str) -> bool:
        """Whether photos of a clause are exported."""
        return clause != Clause.FILE if self.approve is None else clause in self.approve

    @property
    def jpeg_edges(self) -> tuple[int, ...]:
        """The long edges of the JPEGs of each photo; empty if originals are copied."""
        if self.form != "jpeg":
            return ()
        return self.edges or (self.long_edge_px,)

    @property
    def location(self) -> bool:
        """Whether files and manifest include the location."""
        return self.metadata_kept == "all"

    @property
    def metadata_kept(self) -> KeptMetadata:
        """The camera metadata in files and manifest: all, all but the location, or none."""
        return kept_metadata(self.metadata, self.target, self.form)

    @property
    def removes_location(self) -> bool:
        """Whether copies of originals are made without location."""
        return self.form == "original" and not self.location

    @property
    def rendering(self) -> str:
        """The form as named in the manifest; JPEGs of another rendering are made again."""
        if self.form == "sidecar":
            return f"sidecar {self.profile}"
        if self.form == "original":
            return "original without place" if self.removes_location else "original"
        text = f"jpeg {'+'.join(map(str, self.jpeg_edges))} px q{self.jpeg_quality}"
        if self.sharpen != "off":
            text += f", sharpened for {self.sharpen}"
        names = {"all": "", "no_location": ", without place", "none": ", without metadata"}
        return text + names[self.metadata_kept]
