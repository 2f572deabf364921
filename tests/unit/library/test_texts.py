"""A column of texts: the same texts come out, however they went in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.library import texts
from curator.library.texts import Texts

TEXT = st.none() | st.text(st.characters(exclude_characters="\0\1"), max_size=5)
PARTS = st.lists(st.lists(TEXT, max_size=6), max_size=4)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([2, texts._MANY]),
    PARTS,
    st.lists(st.tuples(st.integers(0, 23), TEXT), max_size=4),
    PARTS,
)
def test_texts_read_as_they_were_written(
    many: int,
    first: list[list[str | None]],
    changes: list[tuple[int, str | None]],
    then: list[list[str | None]],
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(texts, "_MANY", many)  # 2: packed again and again
        read_and_write(first, changes, then)


def read_and_write(
    first: list[list[str | None]],
    changes: list[tuple[int, str | None]],
    then: list[list[str | None]],
) -> None:
    column, plain = Texts(), list[str | None]()
    for part in first:
        column.extend(part)
        plain += part
    for row, text in ((row % len(plain), text) for row, text in changes if plain):
        column.set(np.array([row]), [text])
        plain[row] = text
        column.pack_if_many()
    for part in then:
        column.extend(part)
        plain += part
    assert list(column) == plain == [column[row] for row in range(len(column))]
    for step in (1, 2):
        some = np.arange(len(plain))[::step]
        assert column.at(some) == plain[::step]
        again = Texts()
        again.restore(*column.dump(some))
        assert list(again) == plain[::step]


def test_many_texts_are_packed_and_a_few_are_kept_beside_them() -> None:
    column = Texts()
    for start in range(0, 3 * texts._MANY, texts._MANY):
        column.extend([f"IMG_{start + number}" for number in range(texts._MANY)])
    assert not column._changed and column[texts._MANY] == f"IMG_{texts._MANY}"
    column.extend(["one more"])
    assert [*column._changed] == [3 * texts._MANY] and column[3 * texts._MANY] == "one more"
    column.extend(["a"] * texts._MANY)
    assert list(column)[-texts._MANY - 1 :] == ["one more", *["a"] * texts._MANY]


def test_many_changes_are_packed_and_a_mark_changes_none() -> None:
    column, names = Texts(), [f"IMG_{number}" for number in range(20 * texts._MANY)]
    column.extend(names[:10])
    for row in range(10, len(names)):  # photo by photo
        column.extend([names[row]])
        column.pack_if_many()
        assert len(column._changed) <= max(texts._MANY, len(column) // 8)
    assert list(column) == names
    column.restore(*column.dump(np.arange(len(names))))
    column.set(np.arange(len(names)), names)
    assert not column._changed and not column.pack_if_many()
    column.set(np.arange(10), ["a"] * 10)
    assert len(column._changed) == 10 and list(column) == ["a"] * 10 + names[10:]
    column.set(np.arange(len(names) // 4), ["b"] * (len(names) // 4))
    assert (
        column.pack_if_many()
        and not column._changed
        and list(column)[len(names) // 4 - 1 :] == ["b", *names[5000:]]
    )


def test_a_nul_of_a_damaged_catalog_shifts_no_other_text() -> None:
    column = Texts()
    column.extend(["a", "b\0c", "d"])
    assert list(column) == ["a", "bc", "d"]


def test_half_a_pair_of_surrogates_is_kept() -> None:
    """A file name on Linux may be any bytes; Python reads those that are no UTF-8 as such."""
    column = Texts()
    column.extend(["a\udcff"])
    assert column[0] == "a\udcff"
