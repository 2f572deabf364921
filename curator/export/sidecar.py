"""The sidecar target: ratings for somebody who already has the originals.

It writes one sidecar per photo, in the same folders as the photos relative to the opened folder,
named for the editors of the profile. An existing sidecar is merged, never replaced: everything that
is not ours stays, and if it contradicts, it is left alone and reported. The manifest records the
last written metadata, so that the next run writes only what changed in Curator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from curator import atomic, sidecar
from curator.catalog import FileDetail, PhotoDetail
from curator.export import naming
from curator.export.manifest import NAME, Entry, FileEntry
from curator.export.name_allocator import INTENT, FileAction
from curator.export.options import Options
from curator.export.plan import Candidate, ExportReport, Plan, PlannedFile, PlannedPhoto, Skipped
from curator.export.sources import OutputFile, Source, main_file, metadata_of
from curator.export.writing import Progress, Run, write_files
from curator.model import Kind, KnownError
from curator.opened_folder import OpenedFolder
from curator.sidecar import NO_VALUE, PROFILES, SidecarError, SidecarMetadata
from curator.workers import WorkerPool


@dataclass(frozen=True, slots=True)
class _SidecarFile(OutputFile):
    """A sidecar to export: its metadata, the metadata written last, and its size in bytes."""

    metadata: SidecarMetadata = field(default_factory=SidecarMetadata)
    base: SidecarMetadata | None = None
    size: int = 0

    @property
    def size_bytes(self) -> int:
        """The size of the sidecar, not of its photo."""
        return self.size


def adapt_options(options: Options) -> Options:
    """Return options for sidecars; choices about pictures have no effect."""
    return replace(options, form="sidecar", names=naming.PLAIN)


def choose(plan: Plan, going: Sequence[Candidate], folder: OpenedFolder | None) -> None:
    """Plan the sidecar of each photo to export, or list the photo as skipped with the reason."""
    planner = _SidecarPlanner(plan, folder)
    several = len({planner.root(main_file(photo).path) for photo, *_ in going}) > 1
    for photo, clause, entry in going:
        try:
            item = planner.item(photo, entry, several)
        except KnownError as error:
            plan.skipped.append(Skipped(str(main_file(photo).path), str(error)))
            continue
        seq = entry.get("seq") if entry else None
        plan.chosen.append(PlannedPhoto(photo, clause, (item,), entry, seq))


def write(
    plan: Plan,
    *,
    pool: WorkerPool | None = None,
    progress: Progress = lambda done, total, name: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportReport:
    """Carry out the plan; see :func:`curator.export.writing.write_files`."""
    report = write_files(
        plan, pool=pool, progress=progress, cancelled=cancelled, write_file=_write_file
    )
    sidecar.sync_folders([report.folder / name for name in report.written])
    return report


class _SidecarPlanner:
    """Names each sidecar and compares it with an existing one."""

    def __init__(self, plan: Plan, folder: OpenedFolder | None) -> None:
        self._options, self._folder = plan.options, folder
        self._profile = PROFILES[plan.options.profile]
        self._taken = {naming.folded(NAME), naming.folded(INTENT)}
        self._known: dict[str, FileEntry] = {
            naming.folded(record["filename"]): record
            for entry in (*plan.manifest.withdrawn, *plan.manifest.photos)
            for record in entry["files"]
        }
        self._listed: dict[str, dict[str, str]] = {}

    def root(self, path: Path) -> Path:
        """Return the opened folder that contains a photo, else the photo's own folder."""
        above = [source for source in self._options.sources if path.is_relative_to(source)]
        return max(above, key=lambda source: len(source.parts), default=path.parent)

    def item(self, photo: PhotoDetail, entry: Entry | None, several: bool) -> PlannedFile:
        """Plan the sidecar of one photo; with ``several`` opened folders, below the folder's name.

        Raises:
            KnownError: this editor reads no sidecar for it, another photo's sidecar has that name,
                or the existing file is not a sidecar or contradicts.
        """
        file = main_file(photo)
        name = self._name(file, entry, several)
        folded = naming.folded(name)
        known = self._known.get(folded)
        if folded in self._taken or (known is not None and not _is_of(known, file)):
            raise KnownError(f"Another photo's sidecar there is already named {name}.")
        self._taken.add(folded)
        name = self._name_on_disk(name)
        base = SidecarMetadata.from_json(known["said"]) if known and "said" in known else None
        wanted = _SidecarFile(
            Source(file.path, str(file.kind), file.size, file.mtime_ns, file.fingerprint),
            PurePath(name).suffix,
            metadata=self._metadata(photo),
            base=base,
        )
        existing = None if self._folder is None else _load(self._folder, name)
        new = _merged(existing, wanted, self._options)
        if known is not None and new == existing and base == wanted.metadata:
            return PlannedFile(wanted, name, FileAction.KEEP, known)
        act = FileAction.WRITE if existing is None else FileAction.REPLACE
        return PlannedFile(replace(wanted, size=len(new)), name, act, known)

    def _name(self, file: FileDetail, entry: Entry | None, several: bool) -> str:
        name = sidecar.name_for(self._profile, file.path.name, Kind(file.kind))
        if name is None:
            raise KnownError(
                f"{self._profile.title} read no sidecars for JPEG, TIFF, DNG and HEIC.",
                "Choose darktable or digiKam (Settings, Sidecars); they read all sidecars.",
            )
        for record in entry["files"] if entry else ():
            # Keep its earlier place, even after another folder was opened.
            if PurePath(record["filename"]).name == name and _is_of(record, file):
                return str(record["filename"])
        root = self.root(file.path)
        inside = file.path.parent.relative_to(root)
        return (Path(root.name) / inside / name if several else inside / name).as_posix()

    def _name_on_disk(self, name: str) -> str:
        """Return the name in the case it has on disk: to editors DSC_1.XMP and .xmp are equal."""
        below, _, leaf = name.rpartition("/")
        if below not in self._listed:
            try:
                found = self._folder.names(below) if self._folder is not None else []
            except OSError as error:
                raise KnownError(f"{below} cannot be read ({error.strerror or error}).") from error
            self._listed[below] = {naming.folded(each): each for each in found}
            self._listed[below] |= {each: each for each in found}
        names = self._listed[below]
        same = names.get(leaf) or names.get(naming.folded(leaf), leaf)
        return f"{below}/{same}" if below else same

    def _metadata(self, photo: PhotoDetail) -> SidecarMetadata:
        own = [self._options.project] if self._options.project else []
        return metadata_of(photo, self._options.projects.get(photo.id, own))


def _is_of(record: FileEntry, file: FileDetail) -> bool:
    """Whether a record belongs to this photo: the same content or the same path."""
    same = record.get("fingerprint")
    return bool(same and same == file.fingerprint) or record.get("original_path") == str(file.path)


def _write_file(run: Run, chosen: PlannedPhoto, item: PlannedFile) -> FileEntry:
    """Write or keep one sidecar, and return its record.

    Raises:
        KnownError: it cannot be written, or contradicts now; the existing file stays.
        OSError: the disk is full.
    """
    wanted, folder, name = item.output, run.folder, item.name
    assert isinstance(wanted, _SidecarFile)
    _leave_withdrawn(run, chosen, name)
    if item.action is FileAction.KEEP and item.known is not None:
        run.report.unchanged += 1
        return {**item.known, "original_path": str(wanted.source.path)}
    existing = _load(folder, name)
    new = _merged(existing, wanted, run.plan.options)
    if new == existing:
        run.report.unchanged += 1
    else:
        _put(folder, name, new, sidecar.digest(existing))
        run.report.written.append(name)
        run.report.bytes += len(new)
    source = wanted.source
    return {
        "filename": name,
        "sha256": sidecar.digest(new),
        "size": len(new),
        "kind": source.kind,
        "original_path": str(source.path),
        "original_sha256": None,  # originals are not read for this
        "original_size": source.size,
        "original_mtime_ns": source.mtime_ns,
        "fingerprint": source.fingerprint,
        "said": wanted.metadata.as_json(),
    }


def _leave_withdrawn(run: Run, chosen: PlannedPhoto, name: str) -> None:
    """Remove a file that is written again from the withdrawn entries."""
    current = run.plan.manifest
    for entry in current.withdrawn:
        if entry is not chosen.entry and [record["filename"] for record in entry["files"]] == [
            name
        ]:
            current.drop(entry)


def _load(folder: OpenedFolder, name: str) -> bytes | None:
    """Read the existing sidecar, if any.

    Raises:
        KnownError: it cannot be read, or a link is in the way.
    """
    below, _, leaf = name.rpartition("/")
    try:
        with folder.inside(below) as inside:
            return sidecar.load_in(inside, leaf)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KnownError(f"{below} cannot be read ({error.strerror or error}).") from error


def _put(folder: OpenedFolder, name: str, content: bytes, expected: str) -> None:
    below, _, leaf = name.rpartition("/")
    try:
        if below:
            folder.make_folder(below)
        inside = folder.inside(below)
    except OSError as error:
        if atomic.is_full(error):
            raise
        raise KnownError(
            f"The folder of {name} cannot be created ({error.strerror or error})."
        ) from error
    try:
        with inside:
            sidecar.write_in(inside, leaf, content, expected)
    except SidecarError as error:
        if error.__cause__ is not None and atomic.is_full(error.__cause__):
            raise error.__cause__ from error
        raise


def _merged(there: bytes | None, wanted: _SidecarFile, options: Options) -> bytes:
    """Merge our metadata into an existing sidecar, or a new one.

    Raises:
        KnownError: it is not a sidecar, or contradicts our metadata.
    """
    base = wanted.base if there is not None else None
    if there is not None:
        theirs, before = sidecar.read(there).metadata, base or SidecarMetadata()
        against = [
            name
            for name in ("rating", "flag", "label")
            if _word(theirs, name) not in (_word(before, name), _word(wanted.metadata, name))
            and _word(wanted.metadata, name) != _word(before, name)
        ]
        if against:
            raise KnownError(
                f"The existing sidecar has another {' and '.join(against)}; it was kept.",
                "Move it away to write yours.",
            )
    return sidecar.merge(there, wanted.metadata, base, PROFILES[options.profile])


def _word(metadata: SidecarMetadata, name: str) -> object:
    return getattr(metadata, name) or (0 if name == "rating" else NO_VALUE)
