"""Sidecars as RDF graphs, read by another library, to compare meaning instead of spelling."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import rdflib

from curator.sidecar import fields

RDF = f"{{{fields.RDF}}}"
PHOTO = rdflib.URIRef("urn:photo")
OURS = frozenset(name.replace(" ", "") for name in fields.WANTED - {fields.XMP_VERSION})

Tree = frozenset


def tree(data: bytes, without: frozenset[str] = frozenset()) -> Tree:
    """Return everything a packet states as nested sets, except properties in ``without``.

    XMP is a tree: each blank node belongs to one property, so that nesting is equal to comparing
    the graphs, and does not take exponential time on a history of hundreds of steps.
    """
    return _meaning(graph(data), PHOTO, without)


def graph(data: bytes) -> rdflib.Graph:
    """Read a packet as the graph of what it states about `PHOTO`."""
    root = ElementTree.fromstring(re.sub(rb"^\s*<\?xpacket.*?\?>", b"", data, count=1).strip(b"\0"))
    rdf = root if root.tag == f"{RDF}RDF" else root.find(f".//{RDF}RDF")
    assert rdf is not None
    for description in rdf:  # one subject, as the XMP specification says
        description.set(f"{RDF}about", str(PHOTO))
    found = rdflib.Graph()
    found.parse(data=ElementTree.tostring(rdf), format="xml")
    return found


def _meaning(graph: rdflib.Graph, node: rdflib.term.Node, without: frozenset[str]) -> Tree:
    found = {}
    for predicate, value in graph.predicate_objects(node):
        if str(predicate) in without:
            continue
        meant: object = (str(value), getattr(value, "language", None))
        if isinstance(value, rdflib.BNode):
            meant = _meaning(graph, value, frozenset())
        key = (str(predicate), meant)
        found[key] = found.get(key, 0) + 1
    return frozenset(found.items())
