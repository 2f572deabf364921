"""The sidecar target: ratings for somebody who has the originals, and no originals.

One sidecar a photo, in the folders the photos lie in, counted from the folder that was opened, and
named as its profile's editors look for it. What is there already is merged with, never replaced: it
keeps all that is not ours, and where it contradicts it stays as it is and is named. A manifest
remembers what was said last, so that the next run changes only what changed here.
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
class _Wanted(OutputFile):
    """A sidecar the export is to have: what it says, what it said last, its size in bytes."""

    metadata: SidecarMetadata = field(default_factory=SidecarMetadata)
    base: SidecarMetadata | None = None
    size: int = 0

    @property
    def weight(self) -> int:
        """Bytes of the sidecar, not of the photo it is of."""
        return self.size


def adapt_options(options: Options) -> Options:
    """Have sidecars written, whatever was chosen for pictures."""
    return replace(options, form="sidecar", names=naming.PLAIN)


def choose(plan: Plan, going: Sequence[Candidate], folder: OpenedFolder | None) -> None:
    """Put the sidecar of each photo that goes out into the plan, or say why there is none."""
    choosing = _Choosing(plan, folder)
    several = len({choosing.root(main_file(photo).path) for photo, *_ in going}) > 1
    for photo, clause, entry in going:
        try:
            item = choosing.item(photo, entry, several)
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
    """Do what the plan says; see :func:`curator.export.writing.write_files`."""
    report = write_files(plan, pool=pool, progress=progress, cancelled=cancelled, bring=_bring)
    sidecar.sync_folders([report.folder / name for name in report.written])
    return report


class _Choosing:
    """Names each sidecar, and looks at what is there."""

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
        """Give the folder that was opened and holds a photo, else the photo's own."""
        above = [source for source in self._options.sources if path.is_relative_to(source)]
        return max(above, key=lambda source: len(source.parts), default=path.parent)

    def item(self, photo: PhotoDetail, entry: Entry | None, several: bool) -> PlannedFile:
        """Say what is to be done for one photo; ``several`` opened folders are told apart by name.

        Raises:
            KnownError: this editor reads no sidecar of it, another photo's has that name, or what
                is there is no sidecar, or contradicts.
        """
        file = main_file(photo)
        name = self._name(file, entry, several)
        folded = naming.folded(name)
        known = self._known.get(folded)
        if folded in self._taken or (known is not None and not _is_of(known, file)):
            raise KnownError(f"The sidecar of another photo is called {name} there.")
        self._taken.add(folded)
        name = self._as_there(name)
        base = SidecarMetadata.from_json(known["said"]) if known and "said" in known else None
        wanted = _Wanted(
            Source(file.path, str(file.kind), file.size, file.mtime_ns, file.fingerprint),
            PurePath(name).suffix,
            metadata=self._metadata(photo),
            base=base,
        )
        there = None if self._folder is None else _load(self._folder, name)
        new = _merged(there, wanted, self._options)
        if known is not None and new == there and base == wanted.metadata:
            return PlannedFile(wanted, name, FileAction.KEEP, known)
        act = FileAction.WRITE if there is None else FileAction.REPLACE
        return PlannedFile(replace(wanted, size=len(new)), name, act, known)

    def _name(self, file: FileDetail, entry: Entry | None, several: bool) -> str:
        name = sidecar.name_for(self._profile, file.path.name, Kind(file.kind))
        if name is None:
            raise KnownError(
                f"{self._profile.title} read no sidecar of it (JPEG, TIFF, DNG, HEIC).",
                "Sidecars for darktable and digiKam go with every photo (Settings, Sidecars).",
            )
        for record in entry["files"] if entry else ():
            # Where it went once it goes again, also after another folder was opened.
            if PurePath(record["filename"]).name == name and _is_of(record, file):
                return str(record["filename"])
        root = self.root(file.path)
        inside = file.path.parent.relative_to(root)
        return (Path(root.name) / inside / name if several else inside / name).as_posix()

    def _as_there(self, name: str) -> str:
        """Take the name in the letters it has there: editors do not tell DSC_1.XMP from .xmp."""
        below, _, leaf = name.rpartition("/")
        if below not in self._listed:
            try:
                found = self._folder.names(below) if self._folder is not None else []
            except OSError as error:
                raise KnownError(f"{below} cannot be read ({error.strerror or error}).") from error
            self._listed[below] = {naming.folded(each): each for each in found}
            self._listed[below] |= {each: each for each in found}
        here = self._listed[below]
        same = here.get(leaf) or here.get(naming.folded(leaf), leaf)
        return f"{below}/{same}" if below else same

    def _metadata(self, photo: PhotoDetail) -> SidecarMetadata:
        own = [self._options.project] if self._options.project else []
        return metadata_of(photo, self._options.projects.get(photo.id, own))


def _is_of(record: FileEntry, file: FileDetail) -> bool:
    """Say whether a record is of this photo: the same content, or another one of its path."""
    same = record.get("fingerprint")
    return bool(same and same == file.fingerprint) or record.get("original_path") == str(file.path)


def _bring(run: Run, chosen: PlannedPhoto, item: PlannedFile) -> FileEntry:
    """Have one sidecar there, as it should be now, and say what it is.

    Raises:
        KnownError: it cannot be written, or contradicts by now; what is there stays.
        OSError: the disk is full.
    """
    wanted, folder, name = item.slot, run.folder, item.name
    assert isinstance(wanted, _Wanted)
    _leave_withdrawn(run, chosen, name)
    if item.action is FileAction.KEEP and item.known is not None:
        run.report.kept += 1
        return {**item.known, "original_path": str(wanted.source.path)}
    there = _load(folder, name)
    new = _merged(there, wanted, run.plan.options)
    if new == there:
        run.report.kept += 1
    else:
        _put(folder, name, new, sidecar.digest(there))
        run.report.written.append(name)
        run.report.bytes += len(new)
    source = wanted.source
    return {
        "filename": name,
        "sha256": sidecar.digest(new),
        "size": len(new),
        "kind": source.kind,
        "original_path": str(source.path),
        "original_sha256": None,  # nobody reads originals for this
        "original_size": source.size,
        "original_mtime_ns": source.mtime_ns,
        "fingerprint": source.fingerprint,
        "said": wanted.metadata.as_json(),
    }


def _leave_withdrawn(run: Run, chosen: PlannedPhoto, name: str) -> None:
    """Take a file that is written again out of what was withdrawn of the same photo."""
    book = run.plan.manifest
    for entry in book.withdrawn:
        if entry is not chosen.entry and [record["filename"] for record in entry["files"]] == [
            name
        ]:
            book.drop(entry)


def _load(folder: OpenedFolder, name: str) -> bytes | None:
    """Read the sidecar that is there, if any.

    Raises:
        KnownError: it cannot be read, or is, or lies behind, a link.
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
            f"The folder of {name} cannot be made ({error.strerror or error})."
        ) from error
    try:
        with inside:
            sidecar.write_in(inside, leaf, content, expected)
    except SidecarError as error:
        if error.__cause__ is not None and atomic.is_full(error.__cause__):
            raise error.__cause__ from error
        raise


def _merged(there: bytes | None, wanted: _Wanted, options: Options) -> bytes:
    """Put what we say into what is there.

    Raises:
        KnownError: it is no sidecar, or somebody said something else there.
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
                f"The sidecar there says another {' and '.join(against)}; it stays as it is.",
                "Take it away to have yours written.",
            )
    return sidecar.merge(there, wanted.metadata, base, PROFILES[options.profile])


def _word(metadata: SidecarMetadata, name: str) -> object:
    return getattr(metadata, name) or (0 if name == "rating" else NO_VALUE)
