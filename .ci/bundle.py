"""Build the PyInstaller bundle and use it as somebody without Python would.

`.ci/run` runs this in a clone, with the Python of an environment that has PyInstaller and Curator
without extras. With Xvfb and xdotool the window gets real key presses; without them it
opens offscreen and the marks are set by verbs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from newcomer import PATIENCE_S, Newcomer, wait_until

from curator.bench.draw import draw_jpeg

ROOT = Path(__file__).resolve().parents[1]
LARGEST_MB = 600


def main() -> None:
    """Build the bundle, check its size, use it, and kill it."""
    with tempfile.TemporaryDirectory() as scratch, screen() as display:
        base = Path(scratch, "a folder")  # a name with a space
        program = build(base)
        megabytes = check_size(program.parent)
        newcomer = Newcomer(program, base)
        newcomer.play(lambda _: cull(newcomer, display))
        assert "Nothing can be added to this build" in str(newcomer.verb("encoder")), "about CLIP"
        describe(newcomer)
        kill(newcomer, display)
    by = "key" if "DISPLAY" in display else "verbs"
    print(f"bundle: {megabytes:.0f} MB; ingested 6 photos, culled by {by}, exported 2, learned")


def build(base: Path) -> Path:
    """Run PyInstaller and return the path of the program."""
    folders = ("--distpath", base / "dist", "--workpath", base / "build")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    subprocess.run([*command, *folders, ROOT / "curator.spec"], check=True)
    return base / "dist" / "curator" / ("curator.exe" if os.name == "nt" else "curator")


def check_size(folder: Path) -> float:
    """Return the size of the bundle in MB; it must not contain torch or exceed LARGEST_MB."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    unwanted = [path for path in files if "torch" in path.name.lower()]
    assert not unwanted, unwanted
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    assert megabytes <= LARGEST_MB, f"{megabytes:.0f} MB"
    return megabytes


@contextlib.contextmanager
def screen() -> Iterator[dict[str, str]]:
    """Start a private screen; yields the environment variables to use it."""
    if not all(map(shutil.which, ("Xvfb", "xdotool"))):
        yield {"QT_QPA_PLATFORM": "offscreen"}
        return
    size = ("-screen", "0", "1440x900x24")
    with subprocess.Popen(["Xvfb", "-displayfd", "1", *size], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        number = server.stdout.readline().decode("ascii").strip()  # Xvfb is ready then
        try:
            yield {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        finally:
            server.terminate()


def cull(newcomer: Newcomer, display: dict[str, str]) -> None:
    """Cull in the window, while a seventh photo is copied onto the card."""
    with opened(newcomer, newcomer.card, display) as window:
        if "DISPLAY" in display:
            press(newcomer, display)
        else:
            marks = ("--reject", "--keep", "--pick", "--rate=4")
            for photo, mark in zip(newcomer.photos(), marks, strict=False):
                newcomer.verb("mark", mark, photo["id"])
        draw_jpeg(newcomer.card / "DSC_7.JPG", size=(1200, 800), seed=7)
        wait_until(lambda: len(newcomer.photos()) == 7)  # found by the folder watcher
        window.send_signal(signal.SIGINT)
        assert window.wait(PATIENCE_S) == 128 + signal.SIGINT


def press(newcomer: Newcomer, display: dict[str, str]) -> None:
    """Press the keys of a short cull, each after the previous photo counts as seen."""

    def xdotool(*words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env={**os.environ, **display}, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.strip()

    def seen() -> int:
        return sum(photo["seen"] for photo in newcomer.photos())

    found = ("search", "--onlyvisible", "--name", "Curator")
    wait_until(lambda: xdotool(*found))
    xdotool("windowfocus", "--sync", xdotool(*found).split()[-1])
    wait_until(lambda: seen() == 1, lambda: xdotool("key", "alt+1"))
    for number, key in enumerate(("x", "space", "p"), 2):
        xdotool("key", key)
        wait_until(lambda number=number: seen() == number)  # type: ignore[misc]
    xdotool("key", "4")
    wait_until(lambda: any(photo["rating"] == 4 for photo in newcomer.photos()))


def describe(newcomer: Newcomer) -> None:
    """Describe a photo with a fake Ollama."""
    sys.path.append(str(ROOT))
    from tests.ollama import RECORD, Ollama

    with Ollama() as server:
        photo = newcomer.photos()[0]["id"]
        description = newcomer.verb("describe", photo, CURATOR_VISION__URL=server.url)
    assert RECORD["subject"] in str(description), description


def kill(newcomer: Newcomer, display: dict[str, str]) -> None:
    """Kill a window while its workers read; the workers must end, too."""

    def running() -> list[int]:
        program = str(newcomer.program)
        return [each.pid for each in psutil.process_iter(["exe"]) if each.info["exe"] == program]

    card = newcomer.base / "another card"
    for number in range(12):
        draw_jpeg(card / f"DSC_{number}.JPG", size=(3000, 2000), seed=number)
    with opened(newcomer, card, display):
        wait_until(lambda: len(running()) > 2)
    wait_until(lambda: not running())


@contextlib.contextmanager
def opened(
    newcomer: Newcomer, card: Path, display: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Open a window on a folder, and kill it at the end."""
    command = [newcomer.program, "--home", newcomer.base / "home", card]
    with subprocess.Popen(command, env={**os.environ, **display}) as window:
        try:
            yield window
        finally:
            window.kill()


if __name__ == "__main__":
    main()
