"""Sidecars of real programs: whatever we write, everything of theirs stays."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from curator.model import Flag, Label, Marks
from curator.sidecar import PROFILES, SidecarMetadata, fields, merge, read
from tests.unit.sidecar.graphs import OURS, tree

METADATA = SidecarMetadata.of(
    Marks(Flag.REJECT, 2, Label.BLUE), ["Ísland", "a & <b>"], ["Places|Norway"], ["Book"]
)
# One file per program and structure; the slow test takes all, for every profile.
SOME = (
    "darktable-tests/masks.xmp",
    "darktable-tests/retouch-heal.xmp",
    "exifr/BonTonARTSTORplusIPTC.xmp",
    "metadata-extractor/digikam-example.xmp",
    "metadata-extractor/exiftool-9.74-example.xmp",
    "metadata-extractor/jPhotoTagger-example.xmp",
    "pigallery2/no_metadata_v3.xmp",
    "pigallery2/flatxmp.xmp",
)


def survives(path: Path, profile: str) -> None:
    data = path.read_bytes()
    before = read(data).metadata
    written = merge(data, METADATA, None, PROFILES[profile])
    assert written != data
    assert tree(written, OURS) == tree(data, OURS), f"{path.name}: something of others changed"
    after = read(written).metadata
    assert (after.rating, after.flag, after.label) == (2, "reject", "blue")
    assert set(after.keywords or ()) == {*(before.keywords or ()), "Ísland", "a & <b>", "Norway"}
    assert set(after.hierarchical or ()) == {*(before.hierarchical or ()), "Places|Norway"}
    assert after.projects == ("Book",)
    assert merge(written, METADATA, None, PROFILES[profile]) == written, "again changes a byte"
    both = METADATA.filled_by(after)  # the catalog has taken over what was there
    assert merge(written, both, after, PROFILES[profile]) == written, "again changes a byte"

    # Taken back by the same merge: meaning for meaning what was there, for each mark and keyword.
    back = merge(written, before_all(before), both, PROFILES[profile])
    assert tree(back, OURS) == tree(data, OURS)
    undone = read(back).metadata
    assert (undone.rating or 0) == (before.rating or 0)
    assert (undone.flag or "none") == (before.flag or "none")
    assert (undone.label or "none") == (before.label or "none")
    assert set(undone.keywords or ()) == set(before.keywords or ())
    assert set(undone.hierarchical or ()) == set(before.hierarchical or ())


def before_all(metadata: SidecarMetadata) -> SidecarMetadata:
    """Make missing fields explicit, as the catalog does on undo."""
    return SidecarMetadata(
        metadata.rating or 0,
        metadata.flag or "none",
        metadata.label or "none",
        metadata.keywords or (),
        metadata.hierarchical or (),
        metadata.projects or (),
    )


def test_metadata_of_other_programs_survives(corpus: Path) -> None:
    for name, profile in zip(SOME, cycle(PROFILES), strict=False):
        survives(corpus / "sidecars" / name, profile)


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_metadata_of_other_programs_survives_in_every_sidecar(corpus: Path, profile: str) -> None:
    paths = sorted((corpus / "sidecars").rglob("*.xmp"))
    assert len(paths) > 90
    for path in paths:
        survives(path, profile)


def test_a_merge_that_changes_nothing_of_ours_gives_the_same_bytes(corpus: Path) -> None:
    for path in sorted((corpus / "sidecars").rglob("*.xmp")):
        data = path.read_bytes()
        assert merge(data, SidecarMetadata(), None, PROFILES["digikam"]) is data
        metadata = before_all(read(data).metadata)
        assert merge(data, metadata, read(data).metadata, PROFILES["lightroom"]) is data


def test_a_planted_loss_is_found(corpus: Path) -> None:
    data = (corpus / "sidecars" / SOME[0]).read_bytes()
    poorer = data.replace(b'darktable:num="0"', b'darktable:num="1"', 1)
    assert poorer != data
    assert tree(poorer, OURS) != tree(data, OURS)
    assert fields.SUBJECT.replace(" ", "") in OURS
