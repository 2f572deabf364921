"""Versions of the taste model: numbers in the catalog, validated when read, pinned by rolling back.

`learner` saves and compares versions; the Taste page and the command line roll back to one. A
version is an npz of plain numbers, a fifth of a megabyte, never a pickle. A version that cannot be
used (damaged, of another encoder) raises an error; no other silently takes its place.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from curator import arrays
from curator.catalog import Catalog
from curator.model import KnownError
from curator.taste import BadVectorsError, TasteModel


@dataclass(frozen=True, eq=False)
class Pinned:
    """The pinned version, used instead of the learned model; ``problem`` says why it cannot be."""

    number: int
    encoder: str = ""
    model: TasteModel | None = None
    problem: str = ""

    @classmethod
    def read(cls, catalog: Catalog) -> Pinned | None:
        """Read the pinned version, None if no version is pinned."""
        number = catalog.taste.pinned()
        if number is None:
            return None
        try:
            encoder = catalog.taste.version(number).encoder
            return cls(number, encoder, read(catalog, number))
        except KnownError as error:
            remedy = "Unpin it, or roll back to another."
            return cls(number, problem=f"Taste is pinned to version {number}. {error} {remedy}")


def to_blob(model: TasteModel) -> bytes:
    """Serialize a model as an npz of plain numbers."""
    return arrays.dump(model.to_numbers(), compressed=True)


def read(catalog: Catalog, number: int) -> TasteModel:
    """Read a version's model.

    Raises:
        NotFoundError: there is no version of that number.
        KnownError: its numbers are damaged.
    """
    version = catalog.taste.version(number)
    try:
        return TasteModel.from_numbers(arrays.load(version.numbers))
    except (ValueError, TypeError, KeyError):
        raise KnownError(
            f"Version {number} of taste is damaged and cannot be used.", "The others are untouched."
        ) from None


def newest(catalog: Catalog, encoder: str) -> tuple[float, TasteModel] | None:
    """Read the newest version of an encoder, and when it was made (Unix time).

    None if there is none, or if it is damaged.
    """
    listed = (row for row in catalog.taste.versions() if row.encoder == encoder)
    with contextlib.suppress(KnownError):
        return next(((row.made_at, read(catalog, row.id)) for row in listed), None)
    return None


def roll_back(catalog: Catalog, number: int) -> None:
    """Pin a version: scores and predictions come from it until it is unpinned.

    Ratings given meanwhile are learned from once it is unpinned.

    Raises:
        NotFoundError: there is no version of that number; nothing was changed.
        KnownError: it is damaged, or made with another encoder than the one in use; nothing was
            changed.
    """
    model, encoder = read(catalog, number), catalog.taste.version(number).encoder
    now = next(iter(catalog.vectors.encoders()), "")
    if encoder != now:
        raise KnownError(
            f"Version {number} of taste was learned with another encoder than the one in use, so it"
            " cannot score these photos.",
            "Roll back to a later version.",
        )
    # The length of a row: float16 vector and float32 tone.
    columns = sum(
        len(blob) // size
        for row in catalog.vectors.read(encoder, limit=1)
        for blob, size in zip(row[2:], (2, 4), strict=True)
    )
    if columns != model.space.columns:
        raise BadVectorsError(
            f"Version {number} of taste was made for vectors of {model.space.columns:,} numbers,"
            f" not {columns:,}, so it cannot score these photos.",
            "Roll back to a later version.",
        )
    catalog.taste.pin(number)


def unpin(catalog: Catalog) -> int | None:
    """Unpin the version; return its number, None if no version was pinned."""
    number = catalog.taste.pinned()
    if number is not None:
        catalog.taste.pin(None)
    return number
