"""A process that culls as fast as possible while photos are read, until it is killed.

    python -m tests.journeys.culler HOME FOLDER SEED

Says ``opened`` first, then, for each decision on disk, ``STEP PHOTO FIELD VALUE``; what was said
before the kill must be there after it.
"""

from __future__ import annotations

import random
import sys

from curator.catalog import Catalog
from curator.home import Home
from curator.pipeline import Pipeline
from curator.settings import Settings

CHOICES: tuple[dict[str, object], ...] = (
    *({"rating": stars} for stars in (1, 2, 3, 4, 5, None)),
    *({"flag": flag} for flag in ("pick", "reject", None)),
    {"kept": True},
    {"kept": False},
)


def main(folder: str, source: str, seed: int) -> None:
    home = Home.at(folder).make()
    catalog = Catalog.open(home.catalog)
    pipeline = Pipeline(home, Settings.load(home))
    pipeline.start()
    pipeline.open_folders([source])
    print("opened", flush=True)
    chance = random.Random(seed)
    ids: list[int] = []
    while True:
        if not ids or chance.random() < 0.05:
            ids = catalog.photos.ids()
            continue
        if chance.random() < 0.1:
            step = catalog.journal.undo()
        else:
            step = catalog.journal.decide(
                {chance.choice(ids): chance.choice(CHOICES)}, summary="Marked"
            )
        if step is None:
            continue
        for change in step.changes:
            after = bool(change.after) if change.field == "kept" else change.after
            print(step.id, change.photo_id, change.field, after, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
