"""What the export dialog is opened with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from curator.catalog import FolderRow
from curator.settings import ExportSettings, Home


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """The photos of a scope and which of them are approved.

    Attributes:
        title: the scope's name.
        ids: the scope's photos; in manual order if the scope is a project.
        clauses: the name of the clause that approves a photo, by photo id.
        home: where catalog, cache and presets are.
        folders: the folders of the catalog, which an export must not write into.
        last_folders: the folder of the last export of each kind.
        scores: match scores by photo id.
        match_model: the taste model's name; None without scores.
        project: the project's name, if the scope is one.
        notes: the project's notes.
        choices: those of the last export.
        selected: the selected ones of ``ids``.
        only_selected: whether to start with the selected photos only.
    """

    title: str
    ids: Sequence[int]
    clauses: Mapping[int, str]
    home: Home
    folders: Sequence[FolderRow] = ()
    last_folders: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[int, int] = field(default_factory=dict)
    match_model: str | None = None
    project: str | None = None
    notes: str = ""
    choices: ExportSettings | None = None
    selected: Sequence[int] = ()
    only_selected: bool = False

    def approved(self, only_selected: bool = False) -> Counter[str]:
        """Count the photos, or only the selected ones, by the clause that approves them."""
        among = self.selected if only_selected else self.ids
        return Counter(self.clauses[photo] for photo in among if photo in self.clauses)
