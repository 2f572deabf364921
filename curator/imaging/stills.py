"""All picture formats other than JPEG and RAW, with Pillow and pillow_heif.

`decode`, `exif` and `embedded_metadata` use it. Pillow must try only the expected format, because
some plugins use 670 MB for a file of 284 bytes. Sizes must be checked before a pixel is decoded.
"""

from __future__ import annotations

import io
import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, cast

import numpy as np
import pillow_heif
from PIL import Image as Pillow
from PIL import ImageCms, ImageFile, UnidentifiedImageError

from curator.imaging import (
    color,
    containers,
    deep,
    exif_fields,
    image_headers,
    spaces,
    strip_metadata,
    tiff,
    xmp,
)
from curator.imaging.pixels import (
    DecodedImage,
    Image,
    blank_share,
    check_size,
    plausible_pixels,
    upright_size,
)
from curator.model import Capture, UnreadableError

log = logging.getLogger(__name__)

pillow_heif.register_heif_opener(thumbnails=False)

_PLUGINS = {
    "png": ["PNG"],
    "webp": ["WEBP"],
    "gif": ["GIF"],
    "bmp": ["BMP"],
    "pnm": ["PPM"],
    "tiff": ["TIFF"],
    "heif": ["HEIF"],
    "avif": ["AVIF", "HEIF"],
    "jpeg": ["JPEG", "MPO"],
}
_PROFILE = 34675  # TIFF: ICC profile
_MAX_HEADER = 16 << 20  # bytes read of a file for its header
_LEAST_READ = 1024  # each read counts as this many bytes: a GIF of zeros was read bytewise for ages
_NAMES = {"heif": "HEIC", "webp": "WebP"}
_GRAY = ("1", "L", "LA", "La", "I;16", "I;16L", "I;16B", "I;16N")
# Errors that Pillow and its plugins raise on broken files.
_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    AttributeError,
    RuntimeError,
    EOFError,
    MemoryError,
    ZeroDivisionError,
    Pillow.DecompressionBombError,
    AssertionError,
    struct.error,
    zlib.error,
)


def capture(file: IO[bytes], form: str) -> Capture:
    """Read capture data and size from the header of a picture; never raises on content."""
    read = tiff.from_file(file)
    if form == "pfm":
        return exif_fields.sized(Capture(), *(deep.pfm_size(read(0, 64)) or (None, None)))
    head = _head(file, form)
    if head is not None:
        made, packet, found = _capture_of_header(head, form), head.xmp, _directories(head.exif)
    else:
        try:
            with _open(cast("IO[bytes]", _Bounded(file)), form) as image:
                made, packet, found = (
                    _capture(image, form),
                    _packet(image),
                    _exif_directories(image),
                )
        except _FAULTS as error:
            log.debug("header of a %s not readable: %s", form, error)
            made, packet, found = Capture(), b"", []
    if not exif_fields.is_complete(made):
        made = xmp.completed(made, filter(None, (packet,)), exif_fields.digitized(found))
    if made.taken_at is None and form in ("avif", "heif"):
        made = exif_fields.with_first_moment(made, [containers.movie_time(read)])
    return made


def inside(file: IO[bytes], form: str) -> tuple[bytes, list[tiff.Directory]]:
    """Read XMP packet and EXIF directories of a picture's header; never raises on content."""
    head = _head(file, form)
    if head is not None:
        return head.xmp, _directories(head.exif)
    try:
        with _open(cast("IO[bytes]", _Bounded(file)), form) as image:
            return _packet(image), _exif_directories(image)
    except _FAULTS as error:
        log.debug("header of a %s not readable: %s", form, error)
        return b"", []


class _Bounded(io.BufferedIOBase):
    """A file that gives a decoder only a limited number of bytes to find the header."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._left = file, _MAX_HEADER
        self._size = file.seek(0, io.SEEK_END)

    def read(self, size: int | None = -1) -> bytes:
        """Read the next bytes.

        Raises:
            ValueError: the limit is reached.
        """
        rest = max(0, self._size - self._file.tell())
        wanted = rest if size is None or size < 0 else min(size, rest)
        self._left -= max(wanted, _LEAST_READ)
        if self._left < 0:
            raise ValueError("the header is too long")
        return self._file.read(wanted)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position in the file."""
        return self._file.tell()


def _head(file: IO[bytes], form: str) -> image_headers.ImageHeader | None:
    """Read a header without a decoder; None if the format needs one or the file is broken."""
    if form not in image_headers.FORMS:
        return None
    return image_headers.read_header(tiff.from_file(file), form)


def _capture_of_header(head: image_headers.ImageHeader, form: str) -> Capture:
    directories = _directories(head.exif)
    found = exif_fields.capture_of(directories)
    size = (head.width, head.height)
    if form == "heif":  # pillow_heif crops it and turns it upright
        across, down = head.crop or size
        size = (down, across) if head.orientation >= 5 else (across, down)
        found = replace(found, orientation=1)
    elif form == "avif":
        found = replace(found, orientation=head.orientation)
    elif not any(274 in page.tags for page in directories):
        # Until 2017 PNG had no other place for it. JPEG has, and its viewers ignore XMP.
        found = replace(found, orientation=xmp.orientation(filter(None, (head.xmp,))) or 1)
    return exif_fields.sized(found, *size)


def decode(data: bytes, form: str, max_megapixels: float) -> DecodedImage:
    """Decode a picture.

    Args:
        data: the complete file.
        form: the format, from :func:`containers.sniff`.
        max_megapixels: the largest picture to decode.

    Raises:
        UnreadableError: it cannot be decoded, or its format is not supported.
    """
    name = _NAMES.get(form, form.upper())
    if form == "pfm":
        return deep.decode_pfm(data, max_megapixels)
    if form == "tiff":
        read = tiff.from_bytes(data)
        pages = tiff.directories(read)
        if deep.is_deep(pages):
            profile = tiff.tag_bytes(read, _PROFILE, _MAX_HEADER)
            return deep.decode_tiff(data, pages, profile, max_megapixels)
    try:
        data = _decodable(data, form)
        with _open(io.BytesIO(data), form) as image:
            check_size(*image.size, max_megapixels, len(data))
            found = _safe_capture(image, data, form)
            image, damage = _load_pixels(image, data, form)
            icc, basis = _profile(image, _head(io.BytesIO(data), form), form)
            fine = _decode_16_bit(image, data, form, icc) if damage is None else None
            rgb, converted = _rgb(image, icc) if fine is None else (fine, True)
            if damage is None and form in ("heif", "avif"):
                damage = _undecoded(rgb)
            # Pillow turns TIFFs upright while loading and updates their orientation.
            turned = _tiff_orientation(image) if form == "tiff" else found.orientation
            size = upright_size(*image.size, turned)
            return DecodedImage(rgb, turned, None if converted else icc, size, basis, damage)
    except MemoryError as error:
        raise UnreadableError("There is not enough memory for this picture.") from error
    except _FAULTS as error:
        raise UnreadableError(_reason(name, error)) from error


def _profile(
    image: Pillow.Image, head: image_headers.ImageHeader | None, form: str
) -> tuple[bytes | None, str]:
    """Return a picture's color profile (None for sRGB), and its basis, which names HDR.

    PNG (third edition), 4.3: cICP takes precedence over iCCP, iCCP over sRGB, sRGB over gAMA and
    cHRM. In HEIC and AVIF an embedded profile takes precedence over code points.
    """
    named, info = head.colors if head is not None else None, image.info
    icc = info.get("icc_profile")
    if icc and not color.is_for(icc, image.mode in _GRAY):
        icc = None
    if named and (form == "png" or not icc):
        return spaces.of_code_points(*named), "hdr" if named[1] in spaces.HDR else "image"
    if icc or form != "png" or "srgb" in info:
        return icc, "image"
    return spaces.of_png(info.get("gamma"), info.get("chromaticity")), "image"


def _decode_16_bit(image: Pillow.Image, data: bytes, form: str, icc: bytes | None) -> Image | None:
    """Decode a 16-bit PNG or TIFF with tones far from sRGB; None for any other.

    Pillow returns only the upper eight bits, which are too few for their dark tones.
    """
    if image.mode != "RGB" or form not in ("png", "tiff") or not icc:
        return None
    if form == "png":
        sixteen = data[24:25] == b"\x10"
    else:
        pages = tiff.directories(tiff.from_bytes(data))
        sixteen = bool(pages) and pages[0].number(258) == 16
    return deep.decode_16_bit(data, icc) if sixteen and color.is_other_tone(icc) else None


def _undecoded(rgb: Image) -> str | None:
    """Return what is missing of a decoded HEIC or AVIF; None if nothing is.

    Tiles that were never written are green: all-zero YCbCr is exactly (0, 135 or 136, 0) in RGB,
    which no camera writes over an area.
    """
    seen = rgb[::8, ::8]
    green = (seen[:, :, 0] == 0) & (seen[:, :, 2] == 0) & (np.abs(seen[:, :, 1] - 135.5) < 1)
    share = float(green.mean())
    if share < 0.005:
        return None
    if share > 0.97:
        raise UnreadableError("The file is damaged and nothing of the picture can be shown.")
    return f"The file is damaged: {max(1, round(100 * share))} % of the picture is missing."


@contextmanager
def _open(file: IO[bytes], form: str) -> Iterator[Pillow.Image]:
    # check_size sets the limit, but Pillow allocates the frames of a GIF before that is called.
    Pillow.MAX_IMAGE_PIXELS = plausible_pixels(file.seek(0, io.SEEK_END))
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about odd metadata, which we handle
        with Pillow.open(file, formats=_PLUGINS[form]) as image:
            yield image


def _decodable(data: bytes, form: str) -> bytes:
    """Return the bytes to decode; without metadata if that prevents opening the file."""
    strip = strip_metadata.STRIPPERS.get(form)
    if strip is None:
        return data
    try:
        with _open(io.BytesIO(data), form):
            return data
    except Pillow.DecompressionBombError:
        raise
    except _FAULTS:
        return strip(data)


def _safe_capture(image: Pillow.Image, data: bytes, form: str) -> Capture:
    """Read capture data of a picture; broken metadata never prevents decoding its pixels."""
    try:
        head = _head(io.BytesIO(data), form) if form in ("png", "webp") else None
        return _capture_of_header(head, form) if head is not None else _capture(image, form)
    except _FAULTS as error:
        log.debug("metadata of a %s ignored: %s", form, error)
        return Capture()


def _load_pixels(image: Pillow.Image, data: bytes, form: str) -> tuple[Pillow.Image, str | None]:
    """Load the pixels; from a truncated file as many as possible, with a description of damage."""
    try:
        image.load()
        return image, None
    except OSError as error:
        if form == "heif" or not image.size:
            raise
        log.debug("picture incomplete: %s", error)
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        again = Pillow.open(io.BytesIO(data), formats=_PLUGINS[form])
        again.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    share = blank_share(np.asarray(again.convert("RGB")))
    if share > 0.97:
        raise UnreadableError("The file is damaged and nothing of the picture can be shown.")
    return again, (
        f"The file is damaged: the last {100 * share:.0f} % is missing."
        if share > 0.01
        else "The file is damaged: parts of the picture may be wrong."
    )


def _packet(image: Pillow.Image) -> bytes:
    packet = image.info.get("xmp") or b""
    return packet.encode() if isinstance(packet, str) else bytes(packet)


def _exif_directories(image: Pillow.Image) -> list[tiff.Directory]:
    return _directories(image.info.get("exif") or b"")


def _directories(block: bytes) -> list[tiff.Directory]:
    if block[:6] == b"Exif\0\0":
        block = block[6:]
    return tiff.directories(tiff.from_bytes(block))


def _capture(image: Pillow.Image, form: str) -> Capture:
    found = exif_fields.capture_of(_exif_directories(image))
    if form == "heif" or image.format == "HEIF":
        found = replace(found, orientation=1)  # pillow_heif has turned it upright already
    elif form == "tiff":
        found = replace(found, orientation=_tiff_orientation(image))
    return exif_fields.sized(found, *image.size)


def _tiff_orientation(image: Pillow.Image) -> int:
    value = image.getexif().get(274, 1)
    return exif_fields.orientation_of(value if isinstance(value, int) else 1)


def _rgb(image: Pillow.Image, icc: bytes | None) -> tuple[Image, bool]:
    """Convert any mode to RGB; the second value is whether the colors are already sRGB."""
    if image.mode.startswith("I;16"):
        gray = np.asarray(image).astype(np.uint16)  # converting to RGB would clip at 255
        return np.repeat(color.gray16(icc)[gray][:, :, None], 3, axis=2), True
    if image.mode == "I":  # only PNM: 16 bits, scaled to the full range
        gray = np.clip(np.asarray(image), 0, 65535)
        return np.repeat(color.gray16(None)[gray][:, :, None], 3, axis=2), True
    if image.mode in ("CMYK", "LAB"):
        return np.asarray(_by_profile(image, icc)), True
    if image.mode == "La":
        image = image.convert("LA")  # Pillow has no direct conversion
    if image.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info:
        full = image.convert("RGBA")
        white = Pillow.new("RGBA", full.size, (255, 255, 255, 255))
        return np.asarray(Pillow.alpha_composite(white, full).convert("RGB")), False
    return np.asarray(image.convert("RGB")), False


def _by_profile(image: Pillow.Image, icc: bytes | None) -> Pillow.Image:
    srgb = ImageCms.createProfile("sRGB")
    try:
        if image.mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        elif icc:
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        else:
            return image.convert("RGB")
        shown = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
        return shown if shown is not None else image.convert("RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        log.debug("profile of a %s picture ignored: %s", image.mode, error)
        return image.convert("RGB")


def _reason(name: str, error: BaseException) -> str:
    text = str(error).lower()
    if isinstance(error, Pillow.DecompressionBombError):
        return "The file is damaged: it is far too short for the size that its header states."
    if any(word in text for word in ("truncated", "end of file", "eof", "not enough")):
        return f"The {name} file ends early: the picture is incomplete."
    # A damaged header often looks like an unknown kind of picture.
    odd = ("not supported", "unsupported", "decoder", "cannot write")
    if isinstance(error, UnidentifiedImageError) or any(word in text for word in odd):
        return f"This kind of {name} is not supported, or the file is damaged."
    return f"The {name} file is damaged and cannot be read."
