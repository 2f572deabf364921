"""The bar measured from outside: from a key to the next photo on the screen of an X server.

Keys are sent as if pressed (XTEST), and the pixel in the middle of the screen is read until it
shows the next photo: each drawn photo has a color of its own there. This uses no code of Curator,
so other viewers are measured in the same way. python-xlib does both; it is pure Python, and
reading one pixel takes 0.1 ms. The X server is virtual: on a person's display the keys would go to
whatever window has the focus.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from curator.bench.draw import TAKEN, Coding, Shot, camera_jpeg, scene
from curator.bench.figures import Figure, Reference, Workspace, percentile, program
from curator.model import KnownError

_SIZE = (6000, 4000)
_QUALITY = 76  # about 4 MB
_LEVELS = (60, 120, 180, 240)  # of red, green and blue in the middle of a photo
_PHOTOS = len(_LEVELS) ** 3
_NEAR = 20  # a decoded level differs by less
_PART = 5  # the flat part is this fraction of width and height
_RATES = {2: 42, 4: 63, 8: 126}  # keys a second: how many
_OTHER_KEYS = 14
_REST_S = 2.0  # between two series
_POLL_S = 0.0005
_START_S = 120.0
_KEYS_EVERY_S = 0.5  # until the first photo is shown
_LATE_S = 5.0  # if a photo is not shown by then, the bar fails
_SCREEN = "1440x900x24"
_ASIDE_PX = 80  # inside the flat part of a large photo, beside that of a thumbnail
_NO_ENCODER = {"CURATOR_ENCODER__WHICH": "none"}
_LOOP = [sys.executable, "-c", "while True: pass"]


class Program(NamedTuple):
    """A program that shows photos by key.

    ``command`` is followed by the folder; ``keys`` lead to the view that is measured, and keep it.
    ``following`` and ``first`` go to photos. All are names of X keys.
    """

    name: str
    command: Sequence[str]
    keys: Sequence[str] = ()
    following: str = "Right"
    first: str = "Home"


_OTHERS = (
    Program("geeqie", ("geeqie", "--fullscreen"), following="Page_Down"),
    Program("feh", ("feh", "--geometry", "1440x900", "--auto-zoom")),
)


def missing() -> str | None:
    """Return what the bar needs that is not installed, with the remedy; None if nothing."""
    if not sys.platform.startswith("linux"):
        return "It needs an X server, as Linux has."
    if importlib.util.find_spec("Xlib") is None:
        return "It needs python-xlib: pip install python-xlib"
    lacking = [name for name in ("Xvfb", "openbox") if shutil.which(name) is None]
    if lacking:
        packages = " ".join(map(str.lower, lacking))
        return f"It needs a virtual display: apt-get install {packages}"
    return None


def outside(workspace: Workspace) -> list[Figure]:
    """Press keys at several paces, with and without other work, in another viewer and Curator."""
    folder, home = drawn(workspace.scratch / "photos"), str(workspace.scratch / "home")
    command = [*program(), "--home", home, "ingest", str(folder)]
    done = subprocess.run(
        command, check=False, stdout=subprocess.DEVNULL, env=os.environ | _NO_ENCODER
    )
    if done.returncode:
        raise KnownError(f"`{' '.join(command)}` ended with {done.returncode}.")
    curator = Program("Curator", (*program(), "--home", home), ("e",))
    other = next((each for each in _OTHERS if shutil.which(each.command[0])), None)
    times: dict[tuple[Program | None, int, bool], list[float]] = {}
    with display() as screen:
        for viewer in filter(None, (other, curator)):
            with running(screen, viewer, folder, workspace.scratch):
                for busy in (False, True):
                    with other_work() if busy else nullcontext():
                        for rate, keys in _RATES.items():
                            count = keys if viewer is curator else _OTHER_KEYS
                            found = pressed(screen, viewer, count, rate)
                            times[viewer, rate, busy] = found
    figures = []
    for busy, rate in itertools.product((False, True), _RATES):
        what = f"key to pixel, {rate} keys/s{', other work' if busy else ''}"
        series = times[curator, rate, busy]
        figures += _figures(what, series, other and other.name, times.get((other, rate, busy), []))
    return figures


def _figures(
    what: str, times: Sequence[float], other: str | None, bare: Sequence[float]
) -> list[Figure]:
    """Return p95 and p99 of a series; the reference is the same of another program, if any."""
    middle, worst = 1000 * percentile(times, 0.5), 1000 * max(times)
    note = f"median {middle:.1f} ms, worst of {len(times)} {worst:.0f} ms"
    figures = []
    for title, share, limit in (("p95", 0.95, 20.0), ("p99", 0.99, 33.0)):
        reference: Reference | str = "no reference: neither geeqie nor feh is installed"
        if other is not None:
            reference = Reference(f"{other}, {len(bare)} keys", 1000 * percentile(bare, share))
        value = 1000 * percentile(times, share)
        figures.append(Figure(f"{what}, {title}", value, "ms", limit, reference, note=note))
    return figures


# --- photos


def drawn(folder: Path) -> Path:
    """Draw a folder of photos of 24 MP; the color in the middle of each tells its number."""
    folder.mkdir(parents=True)
    width, height = _SIZE
    for number in range(_PHOTOS):
        picture = scene(_SIZE, number % 4).copy()
        top, left = height * (_PART // 2) // _PART, width * (_PART // 2) // _PART
        picture[top : top + height // _PART, left : left + width // _PART] = _color(number)
        shot = Shot(taken=TAKEN + timedelta(hours=number))
        data = camera_jpeg(picture, shot, Coding(quality=_QUALITY))
        (folder / f"L{number:04}.jpg").write_bytes(data)
    return folder


def _color(number: int) -> tuple[int, int, int]:
    count = len(_LEVELS)
    digits = number // count**2, number // count % count, number % count
    red, green, blue = (_LEVELS[digit] for digit in digits)
    return red, green, blue


def photo_of(color: Sequence[int]) -> int | None:
    """Return the number of the photo with this color in its middle, or None."""
    number = 0
    for level in color:
        near = [place for place, known in enumerate(_LEVELS) if abs(level - known) < _NEAR]
        if not near:
            return None
        number = number * len(_LEVELS) + near[0]
    return number


# --- the display


@dataclass
class Screen:
    """A connection to an X server, and the window of the viewer on it.

    Attributes:
        name: of the display.
        connection: of python-xlib.
    """

    name: str
    connection: Any
    _keycodes: dict[str, int] = field(default_factory=dict)

    def press(self, key: str) -> None:
        """Press and release a key."""
        from Xlib import XK, X
        from Xlib.ext import xtest

        code = self._keycodes.get(key)
        if code is None:
            code = self.connection.keysym_to_keycode(XK.string_to_keysym(key))
            self._keycodes[key] = code
        for kind in (X.KeyPress, X.KeyRelease):
            xtest.fake_input(self.connection, kind, code)
        self.connection.flush()

    def photo(self, aside: int = 0) -> int | None:
        """Return the number of the photo in the middle of the screen; None if there is none.

        Args:
            aside: px to the left of the middle.
        """
        from Xlib import X

        screen = self.connection.screen()
        across, down = screen.width_in_pixels // 2 - aside, screen.height_in_pixels // 2
        pixel = screen.root.get_image(across, down, 1, 1, X.ZPixmap, 0xFFFFFFFF)
        blue, green, red = pixel.data[:3]
        return photo_of((red, green, blue))

    def go_to_first(self, viewer: Program) -> None:
        """Press keys until the first photo is shown, and let the viewer rest."""
        end = time.monotonic() + _START_S
        while (self.photo(), self.photo(_ASIDE_PX)) != (0, 0):
            if time.monotonic() > end:
                raise KnownError(f"{viewer.name} showed no photo within {_START_S:.0f} s.")
            for key in (*viewer.keys, viewer.first):
                self.press(key)
            time.sleep(_KEYS_EVERY_S)
        time.sleep(_REST_S)


@contextmanager
def display() -> Iterator[Screen]:
    """Connect to a virtual display of 1440 x 900 px."""
    from Xlib.display import Display

    with _virtual_display() as name, closing(Display(name)) as connection:
        yield Screen(name, connection)


@contextmanager
def _virtual_display() -> Iterator[str]:
    """Start an X server and a window manager, which assigns the keyboard focus; return its name."""
    reading, writing = os.pipe()
    server = ["Xvfb", "-screen", "0", _SCREEN, "-nolisten", "tcp", "-displayfd", str(writing)]
    with _terminated(subprocess.Popen(server, pass_fds=[writing], stderr=subprocess.DEVNULL)):
        os.close(writing)
        with os.fdopen(reading) as number:
            name = f":{number.readline().strip()}"
        manager = subprocess.Popen(
            ["openbox"],
            env=os.environ | {"DISPLAY": name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with _terminated(manager):
            yield name


@contextmanager
def running(screen: Screen, viewer: Program, folder: Path, scratch: Path) -> Iterator[None]:
    """Start a viewer on a folder, with settings of its own."""
    own = Path(tempfile.mkdtemp(prefix="viewer-", dir=scratch))
    environment = os.environ | {"DISPLAY": screen.name, "QT_QPA_PLATFORM": "xcb"}
    environment |= {"HOME": str(own), "GDK_BACKEND": "x11", **_NO_ENCODER}
    command = [*viewer.command, str(folder)]
    quiet = subprocess.DEVNULL
    with _terminated(subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)):
        yield


@contextmanager
def other_work() -> Iterator[None]:
    """Keep half of the cores busy."""
    count = max(1, (psutil.cpu_count() or 2) // 2)
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(_terminated(subprocess.Popen(_LOOP)))
        yield


@contextmanager
def _terminated(process: subprocess.Popen[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# --- keys


def pressed(screen: Screen, viewer: Program, count: int, rate: float) -> list[float]:
    """Press keys at an even pace; return the seconds from each key to its photo on screen.

    The keys come at their pace even if the viewer is late. A photo passed over counts as shown
    with the next one.
    """
    times: list[float] = []
    while len(times) < count:
        screen.go_to_first(viewer)
        some = min(count - len(times), _PHOTOS - 1)
        times += stepped(
            lambda: screen.press(viewer.following), screen.photo, some, 1 / rate, time.perf_counter
        )
    return times


def stepped(
    press: Callable[[], None],
    photo: Callable[[], int | None],
    count: int,
    every_s: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
) -> list[float]:
    """Press keys from photo 0 on, and look at the screen until the last photo is shown."""
    begin = clock()
    sent: list[float] = []
    times: list[float] = []
    while len(times) < count:
        if len(sent) < count and clock() >= begin + len(sent) * every_s:
            sent.append(clock())
            press()
        if len(times) < len(sent):
            shown = photo() or 0
            now = clock()
            times += [now - at for at in sent[len(times) : shown]]
            if len(times) < len(sent) and now - sent[-1] > _LATE_S:
                raise KnownError(f"Photo {len(times) + 1} was not shown within {_LATE_S:.0f} s.")
        sleep(_POLL_S)
    return times
