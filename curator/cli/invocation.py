"""What every verb gets: the home, the settings, the catalog and where to answer."""

from __future__ import annotations

import contextlib
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from curator.cli.output import Output
from curator.model import UsageError
from curator.settings import DEFAULT_RULE, Home, Settings

if TYPE_CHECKING:
    from curator.catalog import Catalog
    from curator.learning.learner import TasteLearner


@dataclass(frozen=True, slots=True)
class Outside:
    """The parts above the command line, passed in: the window and the benchmark."""

    open_window: Callable[..., int]
    run_bench: Callable[..., int]


class Invocation:
    """One run of one verb. Settings and catalog are opened when first used.

    Attributes:
        home: the folders of catalog and cache.
        arguments: the parsed command line.
        output: where the answer goes.
    """

    def __init__(self, home: Home, arguments: Namespace, output: Output, outside: Outside) -> None:
        self.home = home
        self.arguments = arguments
        self.output = output
        self.outside = outside

    @cached_property
    def settings(self) -> Settings:
        """The settings, with ``--set`` over environment over file over defaults."""
        settings = Settings.load(self.home, nested(self.arguments.set))
        check_searches(settings)
        return settings

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog, opened, or created if there is none."""
        from curator.catalog import Catalog

        self.home.make()
        return Catalog.open(self.home.catalog)

    @contextlib.contextmanager
    def damage_context(self) -> Iterator[None]:
        """Re-raise errors caused by a damaged catalog as DamagedError.

        Raises:
            DamagedError: the catalog is damaged.
        """
        try:
            yield
        except Exception as error:
            known = self.catalog.store.damage_error(error) if "catalog" in self.__dict__ else None
            if known is None:
                raise
            raise known from error

    def look(self) -> None:
        """Update which folders are here, before their files are read or written.

        Folders on drives that are mounted elsewhere now are found there.
        """
        from curator.library.folder_lookup import all_in_place

        if all_in_place(self.catalog.folders.all()):
            return
        from curator.pipeline.folder_availability import update_folders

        update_folders(self.catalog)

    @cached_property
    def learner(self) -> TasteLearner:
        """The taste learned from all ratings; a second at 100,000 photos."""
        from curator.learning.learner import learn_once

        return learn_once(self.catalog, self.settings.taste, self.home.cache)

    def agreed(self, sentence: str, otherwise: str) -> bool:
        """Announce what will happen and ask for consent: by --yes, or on a terminal.

        Args:
            sentence: what will happen.
            otherwise: the answer if the person declines.

        Raises:
            UsageError: there is no terminal to ask on.
        """
        if not self.arguments.yes and (self.output.as_json or not sys.stdin.isatty()):
            raise UsageError(sentence, "Add --yes to continue.")
        self.output.note(sentence)
        if self.arguments.yes or input("Continue? [y/N] ").strip().lower() in ("y", "yes"):
            return True
        self.output.answer({}, [otherwise])
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if "catalog" in self.__dict__:
            self.catalog.close()


def check_searches(settings: Settings) -> None:
    """Check the settings written in the search language, which `settings` does not know.

    Raises:
        UsageError: the approval rule is not valid.
    """
    if settings.approval.rule != DEFAULT_RULE:
        from curator.library.filters import check_rule

        check_rule(settings.approval.rule)


def nested(changes: list[str]) -> dict[str, Any]:
    """Turn ``["work.workers=2"]`` into ``{"work": {"workers": "2"}}``.

    Raises:
        UsageError: an item is not NAME=VALUE, or no setting has that name.
    """
    flags: dict[str, Any] = {}
    for change in changes:
        name, sign, value = change.partition("=")
        section, _, field = name.strip().partition(".")
        known = Settings.model_fields.get(section)
        fields = getattr(known.annotation, "model_fields", {}) if known else {}
        if not sign or field not in fields:
            raise UsageError(
                f"{change!r} is not a setting as NAME=VALUE.",
                "`curator settings` lists the names.",
            )
        flags.setdefault(section, {})[field] = value.strip()
    return flags
