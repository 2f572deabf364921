"""Make the documentation's pictures: python .ci/screenshots.py [FOLDER]  (usual FOLDER: docs/).

The real window over real photographs (drawn landscapes where they cannot be fetched), with real
decisions in it. Run it in an environment that has Curator whenever the window looks different; it
needs no display.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import photographs
from PIL import Image
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from scenery import paint, save

from curator import app
from curator.home import Home
from curator.model import View
from curator.settings import Settings
from curator.ui.widgets import theme

ROOT = Path(__file__).resolve().parents[1]
SIZE = (1440, 900)
LARGEST = 150_000  # bytes of a picture: a clone should stay small
SECONDS = 3  # of each picture in the animation
# Seed, frames of the series, upright: an evening and a day at the water.
WALK = (
    *((5, 1, False), (11, 1, True), (17, 3, False), (1, 1, False), (7, 1, False), (13, 1, True)),
    *((0, 4, False), (3, 1, False), (9, 1, False), (15, 1, False), (2, 1, True), (8, 2, False)),
    *((14, 1, False), (6, 1, False), (12, 3, False), (18, 1, False), (4, 1, False)),
    *((10, 1, True), (16, 1, False), (19, 1, False)),
)


def main(folder: Path) -> None:
    """Fetch or draw photos, read them, decide, and take the pictures."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        card = Path(scratch) / "Weekend"
        frames = photographs.fetch(Path(scratch) / "packages") or drawn()
        write_card(card, frames)
        theme.apply(QApplication(["curator"]))
        home = Home.at(Path(scratch) / "home")
        settings = Settings.load(home)
        settings.grid.thumb_px = 248
        settings.encoder.which = "none"  # the same pictures with and without taste
        running = app.build(home, settings, [card])
        running.window.resize(*SIZE)
        running.window.show()
        wait(lambda: all_read(running, sum(map(len, frames))))
        pictures = []
        for name, stage in (("grid", grid), ("cull", cull), ("compare", compare), ("done", done)):
            stage(running)
            QTest.qWait(600)  # until the photo is shown at full quality
            pictures.append(save_window(running, folder / f"{name}.webp"))
        running.close()
        animate(pictures, folder / "evening.webp")


def drawn() -> list[list[Image.Image]]:
    """Draw a walk at the water: the frames of each motif."""
    sizes = {True: (1200, 1800), False: (1800, 1200)}
    return [
        [Image.fromarray(paint(seed, sizes[upright], frame * 0.03)) for frame in range(frames)]
        for seed, frames, upright in WALK
    ]


def write_card(card: Path, motifs: list[list[Image.Image]]) -> None:
    """Write photos as a camera would: the frames of a motif in quick succession."""
    taken, number = datetime(2025, 6, 14, 16, 20, 5), 4207
    for frames in motifs:
        for image in frames:
            save(card / f"DSC_{number}.JPG", np.asarray(image), taken)
            taken += timedelta(milliseconds=400)
            number += 1
        taken += timedelta(minutes=11)


def grid(running: app.App) -> None:
    """Show the folder with half of its photos marked."""
    session = running.session
    marks: dict[int, dict[str, object]] = {
        0: {"rating": 4, "kept": True},
        1: {"kept": True},
        3: {"kept": True, "flag": "pick", "label": "green"},
        4: {"flag": "reject"},
        11: {"rating": 3, "kept": True, "label": "blue"},
        12: {"rating": 5, "kept": True, "flag": "pick"},
        14: {"kept": True},
        15: {"kept": True, "rating": 4},
    }
    ids = session.ids.tolist()
    session.decisions.decide("keep", {ids[place]: fields for place, fields in marks.items()})
    running.window.notifications.dismiss()
    session.navigator.go_to(ids[7])
    session.messages.say("")


def cull(running: app.App) -> None:
    """Show a photo during a cull, with the quick tour."""
    running.window.run("cull")
    running.window.run("tour")
    # Two decisions later a photo is shown that fills the window.
    running.session.navigator.go_to(running.session.ids.tolist()[2])
    wait_painted(running)
    running.window.run("reject")
    wait_painted(running)
    running.window.run("space")


def compare(running: app.App) -> None:
    """Show two frames of a series side by side."""
    running.window.run("browse")
    running.session.viewer.set_view(View.LOUPE)
    running.session.navigator.go_to(running.session.ids.tolist()[2])
    wait_painted(running)
    running.window.run("compare")


def done(running: app.App) -> None:
    """Show the page of a finished cull."""
    session = running.session
    running.window.run("browse")
    rest = session.table.ids[session.table.unreviewed()].tolist()
    fields: dict[int, dict[str, object]] = {photo: {"kept": True} for photo in rest}
    fields |= {photo: {"flag": "reject"} for photo in rest[1::3]}
    fields |= {photo: {"kept": True, "flag": "pick"} for photo in rest[::5]}
    session.decisions.decide("keep", fields)
    running.window.run("cull")
    session.navigator.finish()
    session.messages.say("")


def wait_painted(running: app.App) -> None:
    """Wait until the current photo is painted; marks wait for that, too."""
    shown: list[int] = []
    running.window.loupe.painted.connect(shown.append)
    running.window.loupe.update()
    wait(lambda: bool(shown) and shown[-1] == running.session.current)
    running.window.loupe.painted.disconnect(shown.append)
    QTest.qWait(200)  # the session is notified last


def all_read(running: app.App, photos: int) -> bool:
    """Whether all photos have been found and read."""
    tiles = [running.session.tile(int(photo)) for photo in running.session.table.ids]
    return len(tiles) == photos and all(tile.proxy for tile in tiles)


def wait(condition: Callable[[], bool]) -> None:
    """Run events until a condition is true, for two minutes at most."""
    for _ in range(6_000):
        if condition():
            return
        QTest.qWait(20)
    raise AssertionError("not true within two minutes")


def save_window(running: app.App, path: Path) -> Path:
    """Save a picture of the window in the best quality that :data:`LARGEST` allows."""
    image = running.window.grab().toImage()
    for quality in range(90, 40, -5):
        image.save(str(path), "webp", quality)
        if path.stat().st_size <= LARGEST:
            break
    print(path, f"{path.stat().st_size:,} bytes, quality {quality}")
    return path


def animate(pictures: list[Path], path: Path) -> None:
    """Join pictures into an animation that shows each for :data:`SECONDS`."""
    first, *others = [Image.open(picture).convert("RGB") for picture in pictures]
    first.save(
        path, save_all=True, append_images=others, duration=SECONDS * 1000, loop=0, quality=70
    )
    print(path, f"{path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs")
