"""The pixels of the face table: close-ups, thumbnails, and what faces look like.

:class:`curator.ui.compare.face_table_view.FaceTableView` owns one. All close-ups of a person have
the same scale. They are cut from the originals of the rows on screen; until those are read, and for
comparing looks, the proxies of all rows are used. Looks are never kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize

from curator.faces import people
from curator.faces.tracking import Floats
from curator.library.table import Tile
from curator.model import Face
from curator.session import Session
from curator.session.face_table import FaceTable
from curator.session.pixel_source import source
from curator.stages.frame import Crop
from curator.ui.loupe.face_crops import Closeup, crop_of, side_px
from curator.ui.loupe.fullres_cache import FullresCache, PixelRequest
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.thumbnails import TileCache, thumbnail_request, whole_proxy

THUMB = QSize(88, 66)  # of the picture in a row's caption
_ENLARGED = 2.0  # px of the screen per px of the original, at most
_LOOK = 1.4  # sides of a face that its looks are compared by
_LEAST_LOOK_PX = 16  # of a proxy
_CROWD = 40  # people; comparing the looks of more takes too long
_VIEW = "face table"


class FaceTablePixels:
    """Requests the pixels of one face table.

    Args:
        session: the window's session.
        pictures: proxies and thumbnails.
        originals: full-resolution cache.
        tile_of: returns the tile of a photo.

    Thread: GUI.
    """

    def __init__(
        self, session: Session, pictures: Pictures, originals: FullresCache, tile_of: TileCache
    ) -> None:
        self._session, self._tile_of = session, tile_of
        self._pictures, self._originals = pictures, originals
        self._table = FaceTable((), frozenset(), (), ())
        self._edge, self._ratio = 1, 1.0
        self._sides: list[float] = []  # of each person's crops, px of the original
        self._crops: dict[int, dict[int, Crop]] = {}  # by frame and column
        self._compared: FaceTable | None = None  # the last table matched by looks

    def use(self, table: FaceTable, edge_px: int, ratio: float) -> None:
        """Show a table with close-ups of this edge, device px, at a device pixel ratio."""
        self._table, self._edge, self._ratio = table, edge_px, ratio
        self._tile_of.gather(table.frames)
        self._crops.clear()
        self._sides = [
            max(side_px(face, self._tile_of(photo)) for photo, face in person.faces.items())
            for person in table.people
        ]

    def want(self, rows: Sequence[int], shown: Sequence[int]) -> None:
        """Request what the table needs.

        Args:
            rows: all photos, the most urgent first; their proxies are requested.
            shown: those on screen, whose originals are requested, too.
        """
        tiles = [self._tile_of(photo) for photo in rows]
        self._pictures.frames.want(_VIEW, map(whole_proxy, tiles))
        self._pictures.thumbs.want(_VIEW, map(self.thumbnail, tiles))
        tiles = [self._tile_of(photo) for photo in shown]
        requests = [self._original(tile) for tile in tiles if tile.state != "failed"]
        self._originals.want([request for request in requests if request.crops])

    def release(self) -> None:
        """Request nothing any more."""
        self._pictures.frames.want(_VIEW, ())
        self._pictures.thumbs.want(_VIEW, ())
        self._originals.want(())

    def clear_failures(self) -> None:
        """Try again what failed."""
        self._pictures.clear_failures(self._tile_of(photo).proxy for photo in self._table.frames)

    def thumbnail(self, tile: Tile) -> FrameRequest | None:
        """Return the request for the picture in the caption of a row."""
        return thumbnail_request(tile, (THUMB * self._ratio).toTuple())

    def closeups(self, tile: Tile) -> dict[int, Closeup]:
        """Return the pixels available of a frame's faces, by column."""
        request, crops = whole_proxy(tile), self._crops_of(tile)
        proxy = None if request is None else self._pictures.frames.best(request)
        sharp = self._originals.crops(self._original(tile)) or (None,) * len(crops)
        return {
            column: Closeup(crop, tile.turn, frame, proxy)
            for (column, crop), frame in zip(crops.items(), sharp, strict=True)
        }

    def is_missing(self, tile: Tile) -> bool:
        """Whether a photo has no proxy that could be shown."""
        request = whole_proxy(tile)
        return request is None or self._pictures.frames.failure(request) is not None

    def _crops_of(self, tile: Tile) -> dict[int, Crop]:
        """Return the crops of a frame's faces by column, each person's at one scale."""
        if tile.id not in self._crops:
            columns = zip(self._table.people, self._sides, strict=True)
            least = self._edge / _ENLARGED
            self._crops[tile.id] = {
                column: crop_of(person.faces[tile.id], tile, self._edge, max(side, least))
                for column, (person, side) in enumerate(columns)
                if tile.id in person.faces
            }
        return self._crops[tile.id]

    def _original(self, tile: Tile) -> PixelRequest:
        """Return the request for the crops of a frame's original."""
        where = source(self._session.detail(tile.id), None, False)
        crops = tuple(self._crops_of(tile).values())
        return PixelRequest(tile.id, where, tile.turn, pixels=False, crops=crops)

    # --- looks

    def compare_looks(self) -> None:
        """Match the people by their looks, too, once the proxies of all frames are there."""
        table, controller = self._table, self._session.face_table
        if table is self._compared or not 1 < table.count <= _CROWD:
            return
        pixels = {}
        for tile in map(self._tile_of, table.frames):
            request = whole_proxy(tile)
            frame = None if request is None else self._pictures.frames.get(request)
            if frame is None:
                return
            pixels[tile.id] = np.rot90(frame.pixels, tile.turn)[..., :3]

        def look_at(photo: int, faces: Sequence[Face]) -> list[Floats]:
            return [people.look(_cut(pixels[photo], face)) for face in faces]

        self._compared = table
        controller.compare_looks(look_at)
        self._compared = controller.table


def _cut(pixels: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """Cut a face out of its picture, with some hair and collar."""
    height, width = pixels.shape[:2]
    left, top, wide, high = face.box
    x, y = (left + wide / 2) * width, (top + high / 2) * height
    half = max(_LOOK * max(wide * width, high * height), _LEAST_LOOK_PX) / 2
    x, y = min(max(x, half), width - half), min(max(y, half), height - half)
    rows = slice(max(round(y - half), 0), round(y + half))
    return pixels[rows, max(round(x - half), 0) : round(x + half)]
