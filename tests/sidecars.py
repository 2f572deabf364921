"""Sidecars as other programs write them, and readings of them, for tests."""

from __future__ import annotations

import os
from pathlib import Path

from curator.catalog import Catalog
from curator.model import FileMarks
from curator.sidecar import batch

_XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.35"{fields}>
   {keywords}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def xmp(
    rating: int | None = None, label: str = "", keywords: tuple[str, ...] = (), date: str = ""
) -> bytes:
    """Write a sidecar like an editor, with a develop setting that Curator must keep."""
    fields = "" if rating is None else f' xmp:Rating="{rating}"'
    fields += f' xmp:Label="{label}"' if label else ""
    fields += f' xmp:MetadataDate="{date}"' if date else ""
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in keywords)
    bag = f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>" if items else ""
    return _XMP.format(fields=fields, keywords=bag).encode()


def reading(
    path: str = "/photos/000/DSC_0000.xmp", date: str = "", problem: str = "", **said: object
) -> FileMarks:
    """Return the reading of a sidecar with this metadata; its digest follows from it."""
    digest = f"{sorted(said.items(), key=str)}{date}"
    return FileMarks(path, digest, len(digest), 1, date, None if problem else said, problem)


def read_again(catalog: Catalog, photo: int, path: Path) -> None:
    """Read a sidecar as a scan does."""
    catalog.metadata.save_readings([(photo, [batch.read(str(path))])])


def change(path: Path, old: bytes, new: bytes, hours: float = 1) -> None:
    """Change the bytes of a sidecar as another program would, dated some hours from now."""
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    later = path.stat().st_mtime + hours * 3600
    os.utime(path, (later, later))
