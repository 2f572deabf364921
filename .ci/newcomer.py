"""Use an installed Curator as a new user would: ingest, window, keys, export, taste.

`.ci/run` runs this with the Python of an environment that has the wheel but not the checkout;
`bundle.py` does the same with the program PyInstaller made. It fails if the wheel misses
`resources`, or a dependency that only the extra `test` installs.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import curator
from curator.bench.draw import draw_jpeg, write_dng
from curator.home import resource

PATIENCE_S = 120.0
WALK = 60  # photos; the learning curve needs 50 ratings


class Newcomer:
    """A new user with a card of six photos and the program."""

    def __init__(self, program: Path, base: Path) -> None:
        self.program, self.base, self.card = program, base, base / "card"
        for number in range(1, 6):
            draw_jpeg(self.card / f"DSC_{number}.JPG", size=(1200, 800), seed=number)
        write_dng(self.card / "DSC_5.DNG", size=(1200, 800), seed=5)  # a RAW and JPEG pair
        write_dng(self.card / "DSC_6.DNG", size=(1200, 800), seed=6, preview=False)

    def play(self, cull: Callable[[Newcomer], None]) -> None:
        """Ingest, cull, export; `cull` rejects, keeps and picks a photo, and rates one 4 stars."""
        before = contents(self.card)
        found = self.verb("ingest", self.card)
        assert (found["found"], found["faces"], found["failed"]) == (6, 6, 0), found
        checked = self.verb("doctor")
        assert checked["well"], [each for each in checked["findings"] if not each["well"]]
        cull(self)
        verdicts = {photo["name"]: photo["verdict"] for photo in self.photos()}
        assert list(verdicts.values()).count("rejected") == 1, verdicts
        assert list(verdicts.values()).count("kept") == 3, verdicts
        report = self.verb("export", self.base / "out")
        assert report["photos"] == 2, report
        check_export(self.base / "out")
        imported = self.verb("import", self.card, "--to", self.base / "library")
        assert imported["files"] == len(contents(self.card)), imported
        assert imported["safe"], imported["sentence"]
        self.learn()
        after = contents(self.card)
        assert {name: after[name] for name in before} == before, "originals were changed"

    def learn(self) -> None:
        """Rate photos by their sharpness, and look at similar photos, tags and predictions."""
        walk = self.base / "walk"
        for number in range(WALK):
            taken = datetime(2026, 5, 4, 9) + timedelta(minutes=number)
            look = "soft" if number % 2 else "sharp"
            draw_jpeg(walk / f"WALK_{number:02}.JPG", seed=number, look=look, taken=taken)
        found = self.verb("ingest", walk, CURATOR_TAGS__THRESHOLD="1")
        assert found["embedded"] >= WALK and not found["problems"], found
        photos = self.verb("photos", "--filter", "name:walk")
        assert any(tag["source"] == "encoder" for photo in photos for tag in photo["tags"]), photos
        similar = self.verb("similar", photos[0]["id"])
        assert len(similar) > 1, similar
        for first, stars in enumerate((5, 1)):
            rated = [photo["id"] for photo in photos[first : WALK - 4 : 2]]
            self.verb("mark", f"--rate={stars}", *rated)
        taste = self.verb("taste")
        assert taste["ready"] and taste["encoder"].startswith("starter/"), taste
        assert taste["outlook"] is not None, "scikit-learn's learning curve"
        match = [
            photo["match_score"] or 0 for photo in self.verb("photos", "--filter", "name:walk")
        ]
        assert min(match[::2]) > max(match[1::2]), match  # sharp above soft, also those not rated

    def verb(self, *words: object, **environment: str) -> Any:
        """Run a verb as a user would, and return the JSON it prints."""
        done = subprocess.run(
            [self.program, "--home", self.base / "home", *map(str, words), "--json"],
            stdout=subprocess.PIPE,
            check=False,
            text=True,
            env={**os.environ, **environment},
        )
        assert done.returncode == 0, (words, done.returncode, done.stdout)
        return json.loads(done.stdout)

    def photos(self) -> list[dict[str, Any]]:
        """List the photos."""
        return list(self.verb("photos"))


def check_export(out: Path) -> None:
    """Check the manifest against the exported files."""
    manifest = json.loads((out / "photos.json").read_text("utf-8"))
    assert len(manifest["photos"]) == 2
    for entry in manifest["photos"]:
        for file in entry["files"]:
            data = (out / file["filename"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == file["sha256"], file["filename"]


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return bytes and modification time of the files in a folder, by name."""
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}


def wait_until(
    condition: Callable[[], object], meanwhile: Callable[[], object] = lambda: time.sleep(0.2)
) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"not true within {PATIENCE_S:.0f} s"
        meanwhile()


# --- the wheel


def cull_in_a_process(newcomer: Newcomer) -> None:
    """Cull in the real window, in another process that presses the keys."""
    done = subprocess.run([sys.executable, __file__, "window", newcomer.base], check=False)
    assert done.returncode == 0, f"the window ended with {done.returncode}"


def window(base: Path) -> None:
    """Press the keys of a short cull in the real window."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from curator import app
    from curator.home import Home
    from curator.settings import Settings
    from curator.ui.widgets import theme

    theme.apply(QApplication(["curator"]))
    home = Home.at(base / "home")
    running = app.build(home, Settings.load(home), [base / "card"])
    session, shown = running.session, running.window
    painted: list[int] = [0]
    shown.loupe.painted.connect(painted.append)
    shown.show()
    assert QTest.qWaitForWindowExposed(shown)
    wait_until(lambda: len(session.ids) == 6, lambda: QTest.qWait(20))
    QTest.keyClick(shown, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    for key in (Qt.Key.Key_X, Qt.Key.Key_Space, Qt.Key.Key_P, Qt.Key.Key_4):
        wait_until(lambda: painted[-1] == session.current, lambda: QTest.qWait(20))
        QApplication.processEvents()
        QTest.keyClick(shown, key)
    running.close()


def main() -> None:
    """Use the wheel, in temporary folders."""
    assert "site-packages" in curator.__file__, curator.__file__
    assert resource("photos.schema.json").is_relative_to(Path(curator.__file__).parent)
    program = Path(sys.executable).with_name("curator")
    with tempfile.TemporaryDirectory() as scratch:
        Newcomer(program, Path(scratch)).play(cull_in_a_process)
    print(f"wheel: ingested 6 photos, culled by key, exported 2, learned from {WALK - 4} ratings")


if __name__ == "__main__":
    window(Path(sys.argv[2])) if sys.argv[1:2] == ["window"] else main()
