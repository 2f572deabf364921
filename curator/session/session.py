"""The session: what one window shows, and all a person does with it.

:class:`Session` builds the parts below and owns them; commands and views use the parts directly:
``session.photos``, ``session.search``, ``session.compare``. Each part takes exactly the parts it
needs, in the order they are built here, so no two parts hold each other. Views draw what they find
here and never ask the catalog. All of it runs on the GUI thread, for milliseconds at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curator.catalog import Catalog, PhotoDetail
from curator.home import Home
from curator.library import table_cache
from curator.library.scopes import EVERYTHING
from curator.library.spans import Ids
from curator.library.table import Tile
from curator.model import Pass, bidi_safe
from curator.pipeline import Pipeline
from curator.session.background_status import BackgroundMonitor
from curator.session.candidates import CandidateFinder
from curator.session.cards import CardWatcher
from curator.session.catalog_watcher import CatalogWatcher
from curator.session.compare import CompareController
from curator.session.criteria import ListCriteria
from curator.session.decisions import DecisionController
from curator.session.descriptions import DescriptionController
from curator.session.explanations import ExplanationController
from curator.session.face_table import FaceTableController
from curator.session.faces import FaceController
from curator.session.file_preview import FilePreviewLoader
from curator.session.imports import ImportController
from curator.session.messages import Messages
from curator.session.modes import ModeController
from curator.session.navigation import Navigator
from curator.session.ordering import OrderController
from curator.session.photo_list import PhotoList
from curator.session.photo_text import TextController
from curator.session.preferences import Preferences
from curator.session.projects import ProjectController
from curator.session.related_photos import RelatedPhotosFinder
from curator.session.repeats import RepeatController
from curator.session.requests import Requests
from curator.session.search import SearchController
from curator.session.search_hints import SearchHints
from curator.session.services import Services
from curator.session.sidecars import SidecarController
from curator.session.sources import SourceController
from curator.session.stacks import StackController
from curator.session.statistics import ScopeStatistics
from curator.session.suggestions import SuggestionRunner
from curator.session.tags import TagController
from curator.session.taste import TasteController
from curator.session.undo import UndoController
from curator.session.view_control import ViewController
from curator.session.view_state import ViewState
from curator.session.work_focus import WorkFocus
from curator.settings import Settings

_WINDOW = "window"  # key of the window's state, beside those of scopes, which are paths


class Session:
    """The parts of one window, and a few answers that most views need.

    Thread: GUI only.
    """

    def __init__(
        self,
        catalog: Catalog,
        home: Home,
        settings: Settings,
        pipeline: Pipeline | None = None,
    ) -> None:
        self.catalog, self.home, self.settings, self.pipeline = catalog, home, settings, pipeline
        catalog.store.interactive = True  # the GUI thread waits for these commits
        self.table = table_cache.open_table(catalog, home.table_file, settings.approval)
        self.messages = Messages()
        self.requests = Requests()
        self.preferences = Preferences(settings, home, self.messages)
        self.services = Services(
            catalog,
            home,
            settings,
            pipeline,
            self.messages,
            self.preferences,
            self.requests,
        )
        self._build_list()
        self._build_controllers()
        self.sources.open_last()
        self._build_subjects()

    def _build_list(self) -> None:
        """Build the state of the window, the list it selects, and how it is shown."""
        settings, services = self.settings, self.services
        self.view_state = ViewState(settings.loupe.surround)
        self.criteria = ListCriteria(settings)
        self.photos = photos = PhotoList(
            self.catalog, self.table, settings, self.criteria, self.view_state
        )
        for moved in (
            photos.current_changed,
            self.view_state.view_changed,
            self.criteria.scope_changed,
            self.criteria.mode_changed,
            self.criteria.filter_changed,
        ):
            moved.connect(self._note_move)
        self.viewer = ViewController(services, photos)
        self.faces = FaceController(services, photos)
        self.compare = CompareController(photos, self.viewer, self.messages)
        self.face_table = FaceTableController(
            photos, self.faces, self.viewer, self.compare, self.messages
        )
        self.stacks = StackController(services, photos)
        self.watcher = CatalogWatcher(self.catalog, photos, self.pipeline)
        self.statistics = ScopeStatistics(services, photos)
        self.suggestions = SuggestionRunner(photos)
        self.work_focus = WorkFocus(self.pipeline, photos, self.compare)

    def _build_controllers(self) -> None:
        """Build what changes the list and makes decisions."""
        services, photos, messages = self.services, self.photos, self.messages
        self.taste = taste = TasteController(services, photos, self.watcher)
        self.ordering = OrderController(photos, taste, messages)
        self.explanations = ExplanationController(photos, taste, self.preferences, messages)
        self.sources = sources = SourceController(services, photos)
        self.modes = modes = ModeController(photos, sources)
        sources.scope_opened.connect(self.statistics.restart_pace)
        modes.mode_opened.connect(self.statistics.restart_pace)
        self.search = SearchController(services, photos, sources, modes, taste)
        self.navigator = Navigator(photos, self.viewer, self.stacks, self.compare, messages)
        self.repeats = RepeatController(services, photos, taste, self.ordering)
        self.decisions = DecisionController(
            services, self.navigator, self.statistics, taste, self.repeats
        )
        self.history = UndoController(services, self.navigator, sources, modes, self.decisions)

    def _build_subjects(self) -> None:
        """Build the parts for everything a person does with photos besides marking them."""
        services, photos, decisions = self.services, self.photos, self.decisions
        self.projects = ProjectController(
            services, photos, self.sources, self.statistics, self.stacks, decisions
        )
        self.related_photos = RelatedPhotosFinder(services, photos, self.taste, self.projects)
        self.sidecars = SidecarController(services, self.table, decisions)
        self.tags = TagController(services, photos, self.viewer, self.stacks, decisions)
        self.search_hints = SearchHints(
            self.table, self.projects, self.tags, lambda: self.search.compares_words
        )
        self.descriptions = DescriptionController(services, photos, self.stacks, self.watcher)
        self.text = TextController(services, photos, self.stacks, self.watcher)
        self.cards = CardWatcher()
        self.imports = ImportController(services, photos, self.sources, self.cards)

    def _note_move(self) -> None:
        """Report the list and the photo that the person is at, to clear an outdated message."""
        criteria, view_state = self.criteria, self.view_state
        self.messages.moved_to(
            (criteria.scope.key, criteria.mode, criteria.filter),
            (view_state.view, view_state.finished, self.photos.current),
        )

    # --- answers that most views need

    @property
    def ids(self) -> Ids:
        """Ids of the listed photos, int64."""
        return self.photos.ids

    @property
    def current(self) -> int | None:
        """Id of the current photo, or None."""
        return self.photos.current

    def tile(self, photo_id: int) -> Tile:
        """Return what the grid draws of a photo."""
        return self.photos.tiles([photo_id])[0]

    def tiles(self, photo_ids: Sequence[int]) -> list[Tile]:
        """Return what the grid draws of photos, in the same order."""
        return self.photos.tiles(photo_ids)

    def detail(self, photo_id: int) -> PhotoDetail:
        """Return the details of a photo, read from the catalog when they are not cached."""
        return self.photos.details.of(photo_id)

    def caption(self, photo_id: int) -> tuple[str, str, str]:
        """Return the caption below a picture: its marks, its capture data, its files."""
        left, middle, right = self.photos.details.caption(photo_id)
        middle = self.taste.caption(photo_id, middle)
        return left, self.repeats.caption(photo_id, middle), right

    def refresh(self) -> None:
        """Take over what the pipeline or another process changed in the catalog."""
        self.watcher.refresh()

    def visit(self, photo_id: int) -> None:
        """Go to a photo: in the list, else browsing the scope, else browsing everything.

        The mode and the scope that the person leaves keep their current photo.
        """
        criteria, photos = self.criteria, self.photos
        if photo_id in photos.listing:
            self.navigator.go_to(photo_id)
            return
        view, scope, mode = self.view_state.view, criteria.scope, criteria.mode
        if not photos.membership.has_in_scope(photo_id):
            self.sources.open_scope(EVERYTHING)
        self.modes.set_mode(Pass.BROWSE)
        if photo_id not in photos.listing:
            self.search.set_filter("")
        self.navigator.go_to(photo_id)
        self.viewer.set_view(view)
        line, key = f"Browsing {bidi_safe(criteria.scope.title)}", self.preferences.keys.get(mode)
        if scope != criteria.scope:
            line += f"; your place in {bidi_safe(scope.title)} is saved"
        elif mode is not Pass.BROWSE and key is not None:
            line += f"; press {key} to go on"
        self.messages.say(line)

    # --- the window

    def window_state(self) -> dict[str, Any]:
        """Return what the window saved when it last closed; empty the first time."""
        return dict(self.catalog.folders.position(_WINDOW) or {})

    def save_window_state(self, state: Mapping[str, Any]) -> None:
        """Save the window's state, of JSON values, for the next window.

        Raises:
            KnownError: the catalog cannot be written; the state saved before is unchanged.
        """
        self.catalog.folders.save_position(_WINDOW, state)

    # --- parts that live as long as a page or a dialog

    def find_candidates(self) -> CandidateFinder:
        """Return a finder of photos to compare the current one with."""
        return CandidateFinder(self.navigator, self.taste, self.messages)

    def monitor_background(self) -> BackgroundMonitor:
        """Return a monitor of the work that waits and of what Curator stores; close it."""
        return BackgroundMonitor(self.home, self.taste)

    def preview_file(self, path: Path) -> FilePreviewLoader:
        """Return a loader that previews one file without adding it; close it."""
        return FilePreviewLoader(
            path, self.services, self.table, self.watcher, self.taste, self.explanations
        )

    def close(self) -> None:
        """Stop what runs for this session; the catalog stays open for its owner."""
        self.suggestions.close()
        self.cards.close()
        self.imports.close()
        self.descriptions.close()
        self.tags.close()
        self.related_photos.close()
        self.watcher.close()
        self.work_focus.close()
        table_cache.save(self.table, self.home.table_file)
        self.sources.close()
        self.messages.close()
        self.taste.close()
