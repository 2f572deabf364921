"""Sidecars: read and write XMP beside photos without losing what other editors wrote.

    said      what a file says of a photo (`Said`, `Content`); for whom it is written (`PROFILES`)
    fields    the names of it all: namespaces, properties, words for colours
    elements  bytes -> elements, each with its place in the bytes; bounded, nothing expanded
    packet    the properties of an XMP packet, read, and changed by splices
    reading   packet -> `Content`: every editor's way to say stars, flag, label and keywords
    merging   three-way merge, and what it would change in words
    places    names beside a file, atomic write
    rounds    all of it in a worker, job by job

A sidecar is never parsed and written anew: a change is a splice into its bytes. A round is

    data = load(path);  reading = read(data)            # keep reading.said as base, digest(data)
    new = merge(data, Said.of(marks, tags), base, PROFILES["lightroom"])
    if new != data: write(path, new, digest(data))      # ChangedError: someone was faster
    keep([path])                                        # once, after many

and the next base is ``read(new).said``. Standard library only; bytes in, bytes out; any thread.
"""

from curator.sidecar.merging import difference, merge
from curator.sidecar.paths import digest, keep, load, load_in, name_for, write, write_in
from curator.sidecar.reading import read, read_embedded
from curator.sidecar.sidecar_data import (
    NONE,
    PROFILES,
    ChangedError,
    Content,
    Profile,
    Said,
    SidecarError,
)

__all__ = [
    "NONE",
    "PROFILES",
    "ChangedError",
    "Content",
    "Profile",
    "Said",
    "SidecarError",
    "difference",
    "digest",
    "keep",
    "load",
    "load_in",
    "merge",
    "name_for",
    "read",
    "read_embedded",
    "write",
    "write_in",
]
