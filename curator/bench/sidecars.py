"""The bar of sidecars: a thousand edited ones merged, written and read back."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

from curator.bench.figures import Figure, Pairs, Place, Reference, timed
from curator.model import Flag, Label, Marks
from curator.sidecar import SidecarMetadata, batch, digest, read

_COUNT = 1000
_BATCH = 50  # sidecars a worker takes at a time
_STEPS = 12  # of an edit as darktable keeps them, 8 KB in all
_SAID = SidecarMetadata.of(
    Marks(Flag.REJECT, 3, Label.RED), ["sea", "winter"], ["Places|Iceland"], ["Book"]
)


def sidecars(place: Place) -> list[Figure]:
    """Bring marks and keywords into a thousand sidecars others wrote; then once more, unchanged."""
    data = draw()
    paths = [place.scratch / f"DSC_{number:04}.NEF.xmp" for number in range(_COUNT)]
    merged, known = Pairs(), Pairs()
    for start in range(0, _COUNT, _BATCH):
        some = paths[start : start + _BATCH]
        bare = timed(_replaced, some, data)
        jobs = [_job(path, data) for path in some]
        merged.add(timed(_write, jobs, batch.Outcome.WRITTEN), bare)
        jobs = [_job(path, path.read_bytes()) for path in some]
        same = timed(_write, jobs, batch.Outcome.SAME)
        known.add(same, timed(_parsed, some))
    note = f"{len(data) / 1000:.0f} KB each, darktable's profile, one process"
    written = Reference("the same files only written, fsync and rename", sum(merged.bare))
    parsed = Reference("the same files only parsed, by ElementTree", sum(known.bare))
    return [
        Figure(
            f"{_COUNT:,} sidecars merged and written",
            sum(merged.spent),
            "s",
            3.0,
            written,
            note=note,
        ),
        Figure(f"{_COUNT:,} sidecars that say so already", sum(known.spent), "s", 3.0, parsed),
    ]


def draw() -> bytes:
    """Write the sidecar of an edit: a history whose every step is foreign to us."""
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
