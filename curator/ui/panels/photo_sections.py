"""What is known about a photo in titled sections, for the inspector and the file preview."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from curator.catalog import PhotoDetail, TagDetail
from curator.faces.judging import eyes_soft
from curator.library.captions import MEASURED, face_lines, format_time
from curator.model import (
    Change,
    Described,
    Flag,
    Kind,
    Marks,
    StageState,
    Step,
    TextLine,
    bidi_safe,
    counted,
)
from curator.ui.widgets import layouts, theme, words
from curator.ui.widgets.tag_chips import TagChips

WORK = "Work"
_HISTORY = 12  # steps shown
_LINES = 8  # lines of text shown
_PARAGRAPH_GAP = 5  # px
_LONG_WORD = re.compile(r"(\S{20})(?=\S)")  # breaks words that would not fit


@dataclass(frozen=True, slots=True)
class Section:
    """A titled section with rows, tags or paragraphs: only one of them.

    Attributes:
        title: above the section.
        rows: names and values.
        tags: shown as chips.
        paragraphs: texts, each with its role in the stylesheet.
    """

    title: str
    rows: Sequence[tuple[str, str]] = ()
    tags: Sequence[TagDetail] = ()
    paragraphs: Sequence[tuple[str, str]] = ()


def sections(
    detail: PhotoDetail,
    history: Sequence[Step] = (),
    stack: Sequence[tuple[str, str]] = (),
    taste: Sequence[tuple[str, str]] = (),
    describing: str = "",
    unmeasured: str = "",
) -> list[Section]:
    """Return the sections about a photo; empty ones are left out.

    Args:
        detail: the photo.
        history: its decisions.
        stack: rows about its stack.
        taste: rows about its predicted rating.
        describing: shown above the description, or in its place: why there is none yet.
        unmeasured: shown in place of faces that are not measured.
    """
    found = [
        Section("Capture", words.capture_rows(detail.capture)),
        Section("Files", _files(detail)),
        Section("Quality scores", _quality(detail)),
        Section("Taste", taste),
        Section("Description", paragraphs=_description(detail.description, describing)),
        Section("Faces", paragraphs=_faces(detail, unmeasured)),
        Section("Text", paragraphs=_text(detail.text)),
        Section("Tags", tags=detail.tags),
        Section("Stack", stack),
        Section("History", _history(history)),
        Section(WORK, _work(detail)),
    ]
    return [section for section in found if section.rows or section.tags or section.paragraphs]


def in_words(marks: Marks) -> str:
    """Return marks in words, with the label's name; "unreviewed" without any."""
    flag = {Flag.PICK: "picked", Flag.REJECT: "rejected"}.get(marks.flag) if marks.flag else None
    stars = counted(marks.rating, "star") if marks.rating else None
    label = f"{marks.label} label" if marks.label else None
    kept = "kept" if marks.kept and marks.flag is None and not marks.rating else None
    text = words.joined((flag, kept, stars, label))
    return text if flag or kept or stars else words.joined((text, "unreviewed"))


def _files(detail: PhotoDetail) -> list[tuple[str, str]]:
    rows = []
    here = detail.path.parent  # files in the photo's own folder come first
    for file in sorted(detail.files, key=lambda file: file.path.parent != here):
        name = {"copy": "Copy", "half": "JPEG"}.get(file.role, "")
        name = name or ("RAW" if file.kind is Kind.RAW else "File")
        gone = f" · {file.away or 'missing'}" if file.missing else ""
        size, folder = words.size(file.size), words.path(file.path.parent)
        rows.append((name, f"{bidi_safe(file.path.name)}\n{size}{gone}\n{folder}"))
    return rows


def _quality(detail: PhotoDetail) -> list[tuple[str, str]]:
    quality = detail.scores
    damage = [("Damage", detail.damage)] if detail.damage else []
    if quality is None:
        return damage
    rows = [
        ("Sharpness", f"{quality.sharpness:.0f}"),
        ("Exposure", f"{quality.exposure:.0f}"),
    ]
    clipped = [
        f"{share * 100:.1f} % {where}"
        for share, where in ((quality.highlights, "highlights"), (quality.shadows, "shadows"))
        if share >= 0.001
    ]
    rows += [("Clipped", "\n".join(clipped))] if clipped else []
    rows += [("Measured", MEASURED.get(detail.basis or "", ""))] if detail.basis else []
    return rows


def _description(description: Described | None, progress: str) -> list[tuple[str, str]]:
    """Return progress, subject, lighting, kind and mood, and the model, each with its role."""
    paragraphs = [(progress, "quiet")]
    if description is not None:
        kind = description.content_type.replace("_", " ").capitalize()
        paragraphs += [
            (description.subject, ""),
            (description.lighting, "quiet"),
            (words.joined((kind, description.mood)), "quiet"),
            (f"Described by {description.model}", "caption"),
        ]
    return [(text, role) for text, role in paragraphs if text]


def _faces(detail: PhotoDetail, unmeasured: str) -> list[tuple[str, str]]:
    """Return a line for each face, each with its role; none for a photo without faces."""
    if detail.faces is None:
        return [(unmeasured, "quiet")] if unmeasured and detail.quality is not None else []
    if not detail.faces:
        return []
    summary, *lines = face_lines(detail.faces)
    quality, eyes = detail.scores, detail.faces[0].eye_sharpness
    if quality is not None and eyes is not None and eyes_soft(eyes, quality.sharpness):
        lines.append("Background sharper than the eyes")
    return [(summary, ""), *((line, "quiet") for line in lines)]


def _text(lines: Sequence[TextLine] | None) -> list[tuple[str, str]]:
    """Return the first lines of the text in a photo, each with its role."""
    if not lines:
        return [] if lines is None else [("No text found", "quiet")]
    shown = [(bidi_safe(line.text), "") for line in lines[:_LINES]]
    more = len(lines) - len(shown)
    return [*shown, *([(f"+{counted(more, 'line')}", "quiet")] if more else [])]


def _history(history: Sequence[Step]) -> list[tuple[str, str]]:
    rows = []
    for step in list(reversed(history))[:_HISTORY]:
        verb = {"undo": "Undid: ", "redo": "Redid: "}.get(step.kind, "")
        # A change about the photo and something else is described by the step's summary.
        plain = [c for c in step.changes if c.about is None and c.field != "elsewhere"]
        what = words.joined(_change(change) for change in plain) or step.summary
        rows.append((format_time(step.made_at), verb + what))
    return rows


def _change(change: Change) -> str:
    value = change.after
    if change.field == "rating":
        again = " again" if change.repeated else ""
        return counted(int(str(value)), "star") + again if value else "no stars"
    if change.field == "kept":
        return "kept" if value else "not kept"
    if change.field == "label":
        return f"{value} label" if value else "no label"
    if change.field == "stacked":
        return "stacked as found" if value is None else "stacked by you" if value else "unstacked"
    return {"pick": "picked", "reject": "rejected"}.get(str(value), "no flag")


def _work(detail: PhotoDetail) -> list[tuple[str, str]]:
    """Return the stages that are waiting, running or failed; done ones are left out."""
    rows = []
    for work in detail.work:
        title = words.STAGE_NOUNS.get(work.stage, work.stage)
        if work.state is StageState.FAILED:
            tries = f" ({counted(work.attempts, 'attempt')})" if work.attempts > 1 else ""
            rows.append((title, f"{work.reason or 'failed'}{tries}"))
        elif work.reason and work.next_attempt_at:
            rows.append((title, f"{work.reason}\nNext attempt {format_time(work.next_attempt_at)}"))
        elif work.state is not StageState.DONE:
            rows.append((title, str(work.state)))
    return rows


def section_block(section: Section, chips: TagChips | None = None) -> QWidget:
    """Build the widget of a section.

    Args:
        section: what it shows.
        chips: shows the tags; None for chips that cannot be clicked.
    """
    block = QWidget()
    grid = QGridLayout(block)
    grid.setContentsMargins(0, 14, 0, 0)
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(3)
    grid.setColumnMinimumWidth(0, 88)
    grid.setColumnStretch(1, 1)
    grid.addWidget(theme.plain(section.title, role="section"), 0, 0, 1, 2)
    top = Qt.AlignmentFlag.AlignTop
    if section.tags:
        grid.addWidget(chips or TagChips(section.tags), 1, 0, 1, 2)
    if section.paragraphs:
        column = layouts.column(spacing=_PARAGRAPH_GAP)
        for text, role in section.paragraphs:
            column.addWidget(theme.wrapped(_LONG_WORD.sub("\\1\u200b", text), role))
        grid.addLayout(column, 1, 0, 1, 2)
    for number, (name, value) in enumerate(section.rows, 1):
        grid.addWidget(theme.plain(name, role="quiet"), number, 0, top)
        grid.addWidget(theme.wrapped(breakable(value)), number, 1)
    return block


def breakable(text: str) -> str:
    """Return a text whose long paths can wrap: a zero-width space follows each separator."""
    return text.replace("/", "/\u200b").replace("\\", "\\\u200b").replace("_", "_\u200b")
