"""Maintenance waits until nobody waits for photos, and a drive that is gone stops nothing."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from curator.pipeline import upkeep
from curator.pipeline.upkeep import RESERVE_S, Upkeep


def test_the_log_grows_once_the_first_screens_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(upkeep, "time", SimpleNamespace(monotonic=lambda: clock.now))
    maintenance, catalog = Upkeep(), Mock()
    catalog.store.keep_disk_reserve.side_effect = FileNotFoundError
    clock.now += RESERVE_S + 1
    maintenance.run_due(catalog, reads_first_screens=True, resting=False)
    catalog.store.keep_disk_reserve.assert_not_called()
    for _ in range(2):  # the drive is gone
        maintenance.run_due(catalog, reads_first_screens=False, resting=False)
    catalog.store.keep_disk_reserve.assert_called_once()
