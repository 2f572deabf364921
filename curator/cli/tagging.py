"""Verbs about tags: tag photos, list tags, rename and merge them."""

from __future__ import annotations

from curator.catalog import TagRow, tag_names
from curator.cli.invocation import Invocation
from curator.cli.output import columns, step_document
from curator.library.nouns import nouns
from curator.model import Field, NotFoundError, UsageError, counted

ACTS = ("add", "remove", "confirm", "rename", "merge")


def tag(invocation: Invocation) -> None:
    """Tag photos, or rename or merge a tag everywhere, as one undo step."""
    arguments = invocation.arguments
    act, words = arguments.act, arguments.words
    if act in ("rename", "merge"):
        _change(invocation, act, words)
        return
    if len(words) < 2:
        raise UsageError(f"`curator tag {act}` needs photos, and then a tag.")
    catalog = invocation.catalog
    *photos, typed = words
    add = act == "add"
    # Existing tags may have names that are not valid for new ones any more.
    names = tag_names(typed) if add else [name for name in typed.split(",") if name.strip()]
    if not names:
        raise UsageError("A tag needs a name.")
    ids = list(dict.fromkeys(catalog.photos.find(photo) for photo in photos))
    tags = catalog.tags.ids(names, make=add)
    missing = [name for name in names if name not in tags]
    if missing:
        raise NotFoundError(f"Tag {missing[0]!r} not found.", "`curator tags` lists all tags.")
    changes: dict[int, dict[Field, object]] = {photo: {} for photo in ids}
    for name, number in tags.items():
        tagged = set(ids) if add else set(catalog.tags.photos_with(name)) & set(ids)
        for photo in tagged:
            changes[photo]["tag", number] = "removed" if act == "remove" else "confirmed"
    what = catalog.photos.get(ids[0]).name if len(ids) == 1 else counted(len(ids), "photo")
    done = {"add": "Tagged", "remove": "Untagged", "confirm": "Confirmed"}[act]
    step = catalog.journal.decide(
        {photo: fields for photo, fields in changes.items() if fields},
        summary=f"{done} {what}: {', '.join(names)}",
        context={"from": "command line", "act": f"tag {act} {', '.join(names)}", "what": what},
    )
    line = step.summary if step.id else f"{what}: nothing to {act}."
    invocation.output.answer(step_document(step), [line])


def _change(invocation: Invocation, act: str, words: list[str]) -> None:
    if len(words) != 2:
        raise UsageError(f"`curator tag {act}` needs two names: OLD and NEW.")
    catalog = invocation.catalog
    step = (catalog.vocabulary.rename if act == "rename" else catalog.vocabulary.merge)(*words)
    line = step.summary if step.id else "Nothing to change."
    invocation.output.answer(step_document(step), [line])


def tags(invocation: Invocation) -> None:
    """List tags, most used first, and how many suggestions of each you removed."""
    arguments = invocation.arguments
    rows = invocation.catalog.vocabulary.all(arguments.prefix or "")
    if arguments.kind:
        rows = [row for row in rows if nouns().is_kind(row.name, arguments.kind, row.category)]
    listed = [
        {
            "name": row.name,
            "kinds": nouns().groups_of(row.name, row.category),
            "category": row.category,
            "count": row.count,
            "confirmed": row.confirmed,
            "suggestions": {
                source: {
                    "suggested": number,
                    "removed": row.removed.get(source, 0),
                    "share": round(row.removed.get(source, 0) / number, 3),
                }
                for source, number in row.suggested.items()
            },
        }
        for row in rows
    ]
    heads = ("tag", "photos", "confirmed", "removed", "kind", "category")
    lines = columns([heads, *map(_line, rows)]) if rows else ["No tags."]
    invocation.output.answer(listed, [*lines, *_by_source(rows)])


def _line(row: TagRow) -> tuple[object, ...]:
    removed = [
        f"{source} {row.removed[source]:,} of {number:,} ({row.removed[source] / number:.0%})"
        for source, number in row.suggested.items()
        if row.removed.get(source)
    ]
    kinds = ", ".join(nouns().groups_of(row.name, row.category))
    return (row.name, row.count, row.confirmed, ", ".join(removed), kinds, row.category or "")


def _by_source(rows: list[TagRow]) -> list[str]:
    """Return how many suggestions of each source were removed again."""
    sources = sorted({source for row in rows for source in row.suggested})
    lines = []
    for source in sources:
        suggested = sum(row.suggested.get(source, 0) for row in rows)
        removed = sum(row.removed.get(source, 0) for row in rows)
        share = f"{removed / suggested:.0%}"
        lines.append(
            f"Suggested by the {source}: {suggested:,}, of which people removed"
            f" {removed:,} ({share})."
        )
    return lines
