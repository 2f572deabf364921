"""A newcomer's first ten minutes with the installed wheel: ingest, window, keys, export.

Run by `.ci/run` in an environment that has the wheel and nothing of the checkout. It fails loudly
where a wheel without `resources`, or a dependency that only the test extra brings, would.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import curator
from curator.bench.draw import draw_jpeg, write_dng
from curator.settings import resource


def main() -> None:
    """Go through it, in folders of its own."""
    assert "site-packages" in curator.__file__, curator.__file__
    assert resource("photos.schema.json").is_relative_to(Path(curator.__file__).parent)
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        draw(base / "card")
        before = contents(base / "card")
        found = verb(base, "ingest", str(base / "card"))
        assert (found["found"], found["failed"]) == (6, 0), found
        assert verb(base, "doctor")["well"], "the doctor found something"
        cull_by_key(base)
        verdicts = {p["name"]: p["verdict"] for p in listed(base)}
        assert list(verdicts.values()).count("rejected") == 1, verdicts
        assert list(verdicts.values()).count("through") == 3, verdicts
        report = verb(base, "export", str(base / "out"))
        assert report["photos"] == 2, report
        check_export(base / "out")
        assert contents(base / "card") == before, "originals were changed"
    print("wheel: ingested 6 photos, culled by key, exported 2")


def draw(card: Path) -> None:
    """Draw six photos on a card; one is a RAW and JPEG pair."""
    for number in range(1, 6):
        draw_jpeg(card / f"DSC_{number}.JPG", size=(1200, 800), seed=number)
    write_dng(card / "DSC_5.DNG", size=(1200, 800), seed=5)
    write_dng(card / "DSC_6.DNG", size=(1200, 800), seed=6, preview=False)


def verb(base: Path, *words: str) -> dict[str, object]:
    """Run a verb as a user would, with the installed program, and return its answer."""
    program = Path(sys.executable).with_name("curator")
    done = subprocess.run(
        [program, "--home", base / "home", *words, "--json"],
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    assert done.returncode == 0, (words, done.returncode, done.stdout)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def listed(base: Path) -> list[dict[str, object]]:
    """List the photos."""
    return verb(base, "photos")  # type: ignore[return-value]


def cull_by_key(base: Path) -> None:
    """Open the real window, press real keys: reject, keep, pick, four stars."""
    done = subprocess.run([sys.executable, __file__, "window", base], check=False)
    assert done.returncode == 0, f"the window ended with {done.returncode}"


def check_export(out: Path) -> None:
    """See that the manifest tells the truth about the files."""
    book = json.loads((out / "photos.json").read_text("utf-8"))
    assert len(book["photos"]) == 2
    for entry in book["photos"]:
        for file in entry["files"]:
            data = (out / file["filename"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == file["sha256"], file["filename"]


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Take a picture of a folder: bytes and time stamps."""
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}


def window(base: Path) -> None:
    """Press the keys of a short cull in the real window; runs in a process of its own."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from curator import app
    from curator.settings import Home, Settings
    from curator.ui import theme

    theme.apply(QApplication(["curator"]))
    home = Home.at(base / "home")
    running = app.build(home, Settings.load(home), [base / "card"])
    session, shown = running.session, running.window
    painted: list[int] = [0]
    shown.loupe.painted.connect(painted.append)
    shown.show()
    assert QTest.qWaitForWindowExposed(shown)
    wait(lambda: len(session.ids) == 6)
    QTest.keyClick(shown, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    for key in (Qt.Key.Key_X, Qt.Key.Key_Space, Qt.Key.Key_P, Qt.Key.Key_4):
        wait(lambda: painted[-1] == session.current)
        QApplication.processEvents()
        QTest.keyClick(shown, key)
    running.close()


def wait(condition: Callable[[], bool]) -> None:
    """Let the window live until something holds, at most a minute."""
    from PySide6.QtTest import QTest

    for _ in range(3_000):
        if condition():
            return
        QTest.qWait(20)
    raise AssertionError("what was waited for did not come")


if __name__ == "__main__":
    window(Path(sys.argv[2])) if sys.argv[1:2] == ["window"] else main()
