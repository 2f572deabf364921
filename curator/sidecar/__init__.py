"""Sidecars: read and write XMP beside photos without losing what other editors wrote.

    sidecar_data  rating, flag, label and keywords (`SidecarMetadata`); the editors (`PROFILES`)
    fields        XMP names: namespaces, properties, and the values editors write
    elements      bytes -> XML elements with their byte positions; bounded, no entities expanded
    packet        the properties of an XMP packet, and the splices that change them
    reading       packet -> `SidecarContent`: every editor's way to store rating, flag and keywords
    credits       creator, copyright and job, added where a sidecar states none
    merging       three-way merge, and a description of what it would change
    paths         sidecar names, reading and atomic writing
    batch         reading and writing many sidecars in a worker process

A sidecar is never serialized again as a whole: each change is spliced into its bytes, so everything
other editors wrote stays byte for byte. Writing a sidecar takes these steps:

    data = load(path)
    base = read(data).metadata                          # kept from the last read or write
    new = merge(data, SidecarMetadata.of(marks, tags), base, PROFILES["lightroom"])
    if new != data: write(path, new, digest(data))      # ChangedError: another program was faster
    sync_folders([path])                                # once, after many

The next base is ``read(new).metadata``. Standard library only; bytes in, bytes out; any thread.
"""

from curator.sidecar.credits import Credits, add_credits
from curator.sidecar.merging import difference, merge
from curator.sidecar.paths import digest, load, load_in, name_for, sync_folders, write, write_in
from curator.sidecar.reading import read, read_embedded
from curator.sidecar.sidecar_data import (
    NO_VALUE,
    PROFILES,
    ChangedError,
    Profile,
    SidecarContent,
    SidecarError,
    SidecarMetadata,
)

__all__ = [
    "NO_VALUE",
    "PROFILES",
    "ChangedError",
    "Credits",
    "Profile",
    "SidecarContent",
    "SidecarError",
    "SidecarMetadata",
    "add_credits",
    "difference",
    "digest",
    "load",
    "load_in",
    "merge",
    "name_for",
    "read",
    "read_embedded",
    "sync_folders",
    "write",
    "write_in",
]
