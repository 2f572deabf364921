"""The bar for sidecars: merge, write and read back 1,000 sidecars of another editor."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

from curator.bench.figures import Figure, PairedTimes, Reference, Workspace, timed
from curator.model import Flag, Label, Marks
from curator.sidecar import SidecarMetadata, batch, digest, read

_COUNT = 1000
_BATCH = 50  # sidecars per job of a worker
_STEPS = 12  # steps of an edit by darktable, 8 KB in all
_SAID = SidecarMetadata.of(
    Marks(Flag.REJECT, 3, Label.RED), ["sea", "winter"], ["Places|Iceland"], ["Book"]
)


def sidecars(workspace: Workspace) -> list[Figure]:
    """Merge marks and keywords into 1,000 foreign sidecars, and once more without a change."""
    data = draw()
    paths = [workspace.scratch / f"DSC_{number:04}.NEF.xmp" for number in range(_COUNT)]
    merged, known = PairedTimes(), PairedTimes()
    for start in range(0, _COUNT, _BATCH):
        some = paths[start : start + _BATCH]
        bare = timed(_replaced, some, data)
        jobs = [_job(path, data) for path in some]
        merged.add(timed(_write, jobs, batch.Outcome.WRITTEN), bare)
        jobs = [_job(path, path.read_bytes()) for path in some]
        same = timed(_write, jobs, batch.Outcome.SAME)
        known.add(same, timed(_parsed, some))
    note = f"{len(data) / 1000:.0f} KB each, darktable's profile, one process"
    written = Reference("only writing the same files, with fsync and rename", sum(merged.bare))
    parsed = Reference("only parsing the same files with ElementTree", sum(known.bare))
    return [
        Figure(
            f"{_COUNT:,} sidecars merged and written",
            sum(merged.spent),
            "s",
            3.0,
            written,
            note=note,
        ),
        Figure(f"{_COUNT:,} sidecars already up to date", sum(known.spent), "s", 3.0, parsed),
    ]


def draw() -> bytes:
    """Return the sidecar of an edit by darktable, with a history that Curator must preserve."""
    steps = "".join(
        f'     <rdf:li\n      darktable:num="{number}"\n      darktable:operation="step{number}"\n'
        f'      darktable:enabled="1"\n      darktable:params="{"5a" * 180}"\n'
        f'      darktable:blendop_params="gz11eJxjYGBgkGAAgRNODGiAEV0AJ2iwh+CRyscOAAdeGQQ="/>\n'
        for number in range(_STEPS)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about=""\n    xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
        '    xmlns:darktable="http://darktable.sf.net/"\n   xmp:Rating="1"\n'
        '   darktable:xmp_version="4">\n'
        f"   <darktable:history>\n    <rdf:Seq>\n{steps}    </rdf:Seq>\n   </darktable:history>\n"
        "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
    ).encode()


def _job(path: Path, data: bytes) -> batch.SidecarJob:
    base = read(data).metadata
    return batch.SidecarJob(
        0, str(path), _SAID.as_json(), base.as_json(), digest(data), "darktable"
    )


def _write(jobs: list[batch.SidecarJob], expected: batch.Outcome) -> None:
    done = batch.write(jobs)
    assert all(each.outcome is expected for each in done), done[0]


def _parsed(paths: list[Path]) -> None:
    for path in paths:
        ElementTree.parse(path)


def _replaced(paths: list[Path], data: bytes) -> None:
    for path in paths:
        temporary = path.with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
