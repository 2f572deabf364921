"""A process that marks and undoes while sidecars are written, until it is killed.

    python -m tests.journeys.scribe HOME FOLDER SEED

Says ``writing`` once the photos are read. With SEED below 0 it marks nothing, waits until all
sidecars are written, and says ``done``.
"""

from __future__ import annotations

import queue
import random
import sys

from PySide6.QtCore import Qt

from curator.catalog import Catalog
from curator.home import Home
from curator.pipeline import Pipeline, sidecars
from curator.settings import Settings


def main(folder: str, source: str, seed: int) -> None:
    home = Home.at(folder).make()
    settings = Settings.load(home)
    settings.sidecars.profile, settings.sidecars.background = "darktable", True
    sidecars.QUIET_S = 0.05
    pipeline = Pipeline(home, settings)
    told: queue.SimpleQueue[sidecars.SidecarNews] = queue.SimpleQueue()
    # No event loop runs here: what is said on the writer's thread is taken there.
    pipeline.events.sidecars_changed.connect(told.put, Qt.ConnectionType.DirectConnection)
    pipeline.start()
    pipeline.open_folders([source])
    pipeline.wait_idle(60)
    catalog = Catalog.open(home.catalog)
    print("writing", flush=True)
    if seed < 0:
        finish(catalog, pipeline, told)
        return
    ids = catalog.photos.ids()
    chance = random.Random(seed)
    while True:
        if chance.random() < 0.2:
            catalog.journal.undo()
        else:
            some = chance.sample(ids, 6)
            catalog.journal.decide(
                {p: {"rating": chance.randint(1, 5)} for p in some}, summary="Stars"
            )
        catalog.sidecars.request_write(chance.sample(ids, 3))
        pipeline.write_sidecars()


def finish(
    catalog: Catalog, pipeline: Pipeline, told: queue.SimpleQueue[sidecars.SidecarNews]
) -> None:
    catalog.sidecars.request_write(catalog.photos.ids())
    pipeline.write_sidecars()
    while catalog.sidecars.outstanding().unwritten > len(catalog.sidecars.conflicts()):
        told.get(timeout=30)
    catalog.close()
    pipeline.stop()
    print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
