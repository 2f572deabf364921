"""The files to export of a photo: its halves with their sidecars, or JPEGs to make."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

from curator import volumes
from curator.catalog import FileDetail, PhotoDetail
from curator.export.options import Options
from curator.export.size_estimates import jpeg_bytes
from curator.files import RAW_SUFFIXES
from curator.model import Kind, UnavailableError
from curator.sidecar import SidecarMetadata

SIDECAR = "sidecar"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to copy or to make JPEGs from; ``kind`` is raw, image or sidecar."""

    path: Path
    kind: str
    size: int
    mtime_ns: int
    fingerprint: str | None = None
    missing: bool = False

    @classmethod
    def of(cls, file: FileDetail) -> Source:
        """Return a file of the catalog as a source."""
        return cls(
            file.path, str(file.kind), file.size, file.mtime_ns, file.fingerprint, file.missing
        )


@dataclass(frozen=True, slots=True)
class OutputFile:
    """One file to export of a photo.

    ``ending`` follows the photo's name. ``size`` is in bytes, estimated for a JPEG. ``edge`` is the
    long edge in px of a JPEG to make, None for a copy. ``fallback`` is the file to make the JPEG
    from if the source is unreadable. ``metadata`` holds the marks and keywords to embed in a JPEG
    or to write into a sidecar.
    """

    source: Source
    ending: str
    size: int
    edge: int | None = None
    fallback: str | None = None
    metadata: SidecarMetadata | None = None


class SidecarFinder:
    """Finds the sidecars of originals, named ``base.xmp`` or ``file.ext.xmp``.

    Lists each folder once.
    """

    def __init__(self) -> None:
        self._listed: dict[Path, dict[str, os.DirEntry[str]]] = {}
        self._raws: dict[Path, dict[str, set[Path]]] = {}

    def sidecars_of(self, file: Path, own: Collection[Path]) -> list[tuple[Source, str]]:
        """Return the sidecars of a file with their ending, ``.xmp`` or ``.nef.xmp``.

        A sidecar that names only the stem belongs to the RAW of that stem, even if that is another
        photo. ``own`` are the files of this photo.
        """
        entries = self._list(file.parent)
        raws = self._raws[file.parent].get(file.stem.casefold(), set())
        others = raws and raws.isdisjoint(own) and not _is_raw(file.name)
        found = []
        for ending in (".xmp", f"{file.suffix}.xmp"):
            entry = entries.get(f"{file.stem}{ending}".casefold())
            if entry is not None and not (others and ending == ".xmp"):
                status = entry.stat()
                source = Source(Path(entry.path), SIDECAR, status.st_size, status.st_mtime_ns)
                found.append((source, f"{ending[:-4]}{entry.name[-4:]}"))
        return found

    def _list(self, folder: Path) -> dict[str, os.DirEntry[str]]:
        if folder not in self._listed:
            try:
                entries = volumes.ask(folder, partial(_entries, folder))
                named = [e for e in entries if e.name[-4:].lower() == ".xmp" and e.is_file()]
            except (OSError, UnavailableError):  # not connected; its photos are reported as such
                entries = named = []
            raws = self._raws.setdefault(folder, {})
            for raw in (Path(entry.path) for entry in entries if _is_raw(entry.name)):
                raws.setdefault(raw.stem.casefold(), set()).add(raw)
            self._listed[folder] = {entry.name.casefold(): entry for entry in named}
        return self._listed[folder]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def _is_raw(name: str) -> bool:
    return PurePath(name).suffix.lower() in RAW_SUFFIXES


def metadata_of(photo: PhotoDetail, projects: Iterable[str] | None = None) -> SidecarMetadata:
    """Return what other editors can read: marks, confirmed tags, and projects if given."""
    tags = [tag for tag in photo.tags if tag.state == "confirmed"]
    paths = [f"{tag.category}|{tag.name}" for tag in tags if tag.category]
    return SidecarMetadata.of(photo.marks, dict.fromkeys(tag.name for tag in tags), paths, projects)


def output_files(photo: PhotoDetail, options: Options, sidecars: SidecarFinder) -> list[OutputFile]:
    """Return the files to export of a photo, its main file first."""
    halves = _halves(photo, options)
    if options.jpeg_edges:
        source, *others = [_reachable(file, photo) for file in halves]
        fallback = next((str(other.path) for other in others if not other.missing), None)
        # A public gallery shows no marks and no project names.
        hidden = options.public or options.metadata_kept == "none"
        metadata = None if hidden else metadata_of(photo)
        pixels = (photo.capture.width or 0, photo.capture.height or 0)
        how = (options.jpeg_quality, options.sharpen, options.proxies, photo.proxy)
        return [
            OutputFile(
                source,
                f"-{edge}.jpg" if options.edges else ".jpg",
                jpeg_bytes(pixels, edge, *how),
                edge,
                fallback,
                metadata,
            )
            for edge in options.jpeg_edges
        ]
    sources = [_reachable(file, photo) for file in halves]
    outputs = {
        source.path: OutputFile(source, file.path.suffix, source.size)
        for file, source in zip(halves, sources, strict=True)
    }
    own = [file.path for file in photo.files]
    for source in sources:
        for sidecar, ending in sidecars.sidecars_of(source.path, own):
            outputs.setdefault(sidecar.path, OutputFile(sidecar, ending, sidecar.size))
    return list(outputs.values())


def _halves(photo: PhotoDetail, options: Options) -> list[FileDetail]:
    """Return the wanted files of a photo; for a pair perhaps only one half."""
    main, *others = photo.files
    both = [main, *(file for file in others if file.role == "half")]
    wanted = {"raw": Kind.RAW, "jpeg": Kind.IMAGE}.get(options.pair)
    ordered = sorted(both, key=lambda file: file.kind is not wanted) if wanted else both
    if options.jpeg_edges or wanted is None:
        return ordered  # the file to make a JPEG from, then its fallback
    return [file for file in both if file.kind is wanted] or both


def _reachable(file: FileDetail, photo: PhotoDetail) -> Source:
    """Return a file as a source, or a copy with the same content if the file is missing."""
    if file.missing:
        file = next(
            (
                copy
                for copy in photo.files
                if copy.fingerprint and copy.fingerprint == file.fingerprint and not copy.missing
            ),
            file,
        )
    return Source.of(file)
