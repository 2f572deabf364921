"""The sidecar target: ratings for somebody who already has the originals.

It writes one sidecar per photo, in the same folders as the photos relative to the opened folder,
named for the editors of the profile. An existing sidecar is merged, never replaced: everything that
is not ours stays, and if it contradicts, it is left alone and reported. The manifest records the
last written metadata, so that the next run writes only what changed in Curator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from curator import atomic, naming, sidecar
from curator.catalog import FileDetail, PhotoDetail
from curator.export import manifest
from curator.export.manifest import NAME, Entry, FileEntry, WrittenFile
from curator.export.name_allocator import INTENT, FileAction
from curator.export.options import Options
from curator.export.plan import Candidate, Plan, PlannedFile, PlannedPhoto, Skipped
from curator.export.sources import OutputFile, Source, metadata_of
from curator.export.writing import Run
from curator.model import Kind, KnownError
from curator.opened_folder import OpenedFolder
from curator.sidecar import NO_VALUE, PROFILES, Profile, SidecarError, SidecarMetadata


def adapt_options(options: Options) -> Options:
    """Return options for sidecars; choices about pictures have no effect."""
    return replace(options, form="sidecar", names=naming.PLAIN)


def plan_files(plan: Plan, candidates: Sequence[Candidate], folder: OpenedFolder | None) -> None:
    """Plan the sidecar of each photo to export, or list the photo as skipped with the reason."""
    planner = _SidecarPlanner(plan, folder)
    several = len({planner.root(photo.files[0].path) for photo, *_ in candidates}) > 1
    for photo, clause, entry in candidates:
        try:
            item = planner.item(photo, entry, several)
        except KnownError as error:
            plan.skipped.append(Skipped(str(photo.files[0].path), str(error)))
            continue
        seq = entry.get("seq") if entry else None
        plan.chosen.append(PlannedPhoto(photo, clause, (item,), entry, seq))


def sync(run: Run) -> None:
    """Flush the names of the written sidecars to disk."""
    sidecar.sync_folders([run.folder.path / name for name in run.report.written])


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
        file = photo.files[0]
        name = self._name(file, entry, several)
        folded = naming.folded(name)
        known = self._known.get(folded)
        if folded in self._taken or (known is not None and not _is_of(known, file)):
            raise KnownError(f"Another photo's sidecar there is already named {name}.")
        self._taken.add(folded)
        name = self._name_on_disk(name)
        metadata = self._metadata(photo)
        existing = None if self._folder is None else _load(self._folder, name)
        new = _merged(existing, metadata, known, self._profile)
        if known is not None and new == existing and _base(known) == metadata:
            action = FileAction.KEEP
        else:
            action = FileAction.WRITE if existing is None else FileAction.REPLACE
        suffix = PurePath(name).suffix
        output = OutputFile(Source.of(file), suffix, len(new), metadata=metadata)
        return PlannedFile(output, name, action, known)

    def _name(self, file: FileDetail, entry: Entry | None, several: bool) -> str:
        name = sidecar.name_for(self._profile, file.path.name, Kind(file.kind))
        if name is None:
            raise KnownError(
                f"{self._profile.title} ignore the sidecars of JPEG, TIFF, DNG and HEIC files.",
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


def write_file(run: Run, chosen: PlannedPhoto, item: PlannedFile) -> FileEntry:
    """Write or keep one sidecar, and return its record.

    Raises:
        KnownError: it cannot be written, or contradicts now; the existing file stays.
        OSError: the disk is full.
    """
    name, metadata = item.name, item.output.metadata
    assert metadata is not None, "the planner sets it"
    _drop_withdrawn(run, chosen, name)
    if item.action is FileAction.KEEP and item.known is not None:
        run.report.unchanged += 1
        return {**item.known, "original_path": str(item.output.source.path)}
    existing = _load(run.folder, name)
    new = _merged(existing, metadata, item.known, PROFILES[run.plan.options.profile])
    if new == existing:
        run.report.unchanged += 1
    else:
        _write(run.folder, name, new, sidecar.digest(existing))
        run.report.written.append(name)
        run.report.bytes += len(new)
    written = WrittenFile(sidecar.digest(new), None, len(new))  # the original is not read
    record = manifest.record(item.output, name, written, public=False)
    return record | {"said": metadata.as_json()}


def _drop_withdrawn(run: Run, chosen: PlannedPhoto, name: str) -> None:
    """Drop the withdrawn entries of a sidecar that is written again."""
    current = run.plan.manifest
    for entry in current.withdrawn:
        names = [record["filename"] for record in entry["files"]]
        if entry is not chosen.entry and names == [name]:
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


def _write(folder: OpenedFolder, name: str, content: bytes, expected: str) -> None:
    """Write a sidecar; ``expected`` is the digest of the one it replaces.

    Raises:
        KnownError: it or its folder cannot be written, or another program was faster.
        OSError: the disk is full.
    """
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


def _base(known: FileEntry | None) -> SidecarMetadata | None:
    """Return the metadata of the last export into a sidecar, None if there was none."""
    return SidecarMetadata.from_json(known["said"]) if known and "said" in known else None


def _merged(
    existing: bytes | None, metadata: SidecarMetadata, known: FileEntry | None, profile: Profile
) -> bytes:
    """Merge our metadata into an existing sidecar, or build a new one.

    Raises:
        KnownError: the existing one is not a sidecar, or contradicts our metadata.
    """
    if existing is None:
        return sidecar.merge(None, metadata, None, profile)
    base = _base(known)
    theirs, before = sidecar.read(existing).metadata, base or SidecarMetadata()
    contradicting = [
        name
        for name in ("rating", "flag", "label")
        if _mark(theirs, name) not in (_mark(before, name), _mark(metadata, name))
        and _mark(metadata, name) != _mark(before, name)
    ]
    if contradicting:
        raise KnownError(
            f"The existing sidecar has another {' and '.join(contradicting)}; it was kept.",
            "Move it away to write yours.",
        )
    return sidecar.merge(existing, metadata, base, profile)


def _mark(metadata: SidecarMetadata, name: str) -> object:
    return getattr(metadata, name) or (0 if name == "rating" else NO_VALUE)
