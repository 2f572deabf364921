"""The verb that lists the faces of a photo or of any image file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from curator.cli.files import one_worker
from curator.cli.invocation import Invocation
from curator.cli.output import columns
from curator.library.captions import EYES
from curator.model import Eye, Face, KnownError, StageJob

if TYPE_CHECKING:
    from curator.catalog import PhotoDetail

T = TypeVar("T")


def faces(invocation: Invocation) -> None:
    """List the faces of a photo or any image file: eyes open or closed, smile, sharpness.

    A photo whose faces are not measured yet is measured now. Left and right are the person's own.
    It never finds out who a person is.

    Raises:
        NotFoundError: there is no such photo or file.
        KnownError: faces are switched off, the file cannot be decoded, or the networks are missing;
            says which.
    """
    check_on(invocation)
    detail, path = invocation.photo_or_file(invocation.arguments.photo)
    if detail is None or detail.proxy is None:
        found, size = _measure_file(invocation, path)
    else:
        size = (detail.capture.width or 0, detail.capture.height or 0)
        found = _measure_photo(invocation, detail) if detail.faces is None else detail.faces
    document = {
        "id": None if detail is None else detail.id,
        "path": path,
        "faces": faces_document(found, size),
    }
    rows = [_row(number, face) for number, face in enumerate(found, 1)]
    invocation.output.answer(document, columns(rows) or ["No faces"])


def check_on(invocation: Invocation) -> None:
    """Check that faces are measured.

    Raises:
        KnownError: the setting is off.
    """
    if not invocation.settings.faces.on:
        raise KnownError(
            "Faces are not measured: the setting is off.",
            "`curator settings faces.on=true` measures the faces of all photos.",
        )


def faces_document(faces: tuple[Face, ...] | None, size: tuple[int, int]) -> Any:
    """Return faces as JSON shows them; None while they are not measured.

    Args:
        faces: the faces of a photo.
        size: (width, height) of the upright original in px; boxes are in these px.
    """
    return None if faces is None else [_document(face, size) for face in faces]


def _document(face: Face, size: tuple[int, int]) -> dict[str, Any]:
    width, height = size
    return {
        "box": [round(edge * px) for edge, px in zip(face.box, (width, height) * 2, strict=True)],
        "size_px": face.size_px,
        "eyes": {"left": face.left, "right": face.right},
        "blink": {"left": _rounded(face.left_blink, 3), "right": _rounded(face.right_blink, 3)},
        "smile": _rounded(face.smile, 3),
        "yaw_deg": _rounded(face.yaw_deg, 1),
        "eye_sharpness": _rounded(face.eye_sharpness, 1),
        "score": round(face.score, 3),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _row(number: int, face: Face) -> tuple[str, ...]:
    """Return the words of one face, for a table."""
    blinks = [
        "?" if blink is None else f"{blink:.2f}" for blink in (face.left_blink, face.right_blink)
    ]
    unknown = face.left_blink is None and face.right_blink is None
    return (
        f"face {number}",
        f"{face.size_px} px",
        _eyes(face),
        "" if unknown else f"blink {'/'.join(blinks)}",
        "" if face.smile is None else f"smile {face.smile:.1f}",
        _turned(face.yaw_deg),
        "" if face.eye_sharpness is None else f"eye sharpness {face.eye_sharpness:.0f}",
    )


def _eyes(face: Face) -> str:
    closed = [side for side in ("left", "right") if getattr(face, side) is Eye.CLOSED]
    if len(closed) == 1:
        return f"{closed[0]} eye closed"
    return EYES[face.eyes]


def _turned(yaw_deg: float | None) -> str:
    degrees = round(yaw_deg or 0)
    if not degrees:
        return ""
    return f"turned {abs(degrees)}° {'left' if degrees > 0 else 'right'}"


def _measure_photo(invocation: Invocation, photo: PhotoDetail) -> tuple[Face, ...]:
    """Measure the faces of a photo that has a proxy, and save them."""
    from curator.catalog.faces import FACES
    from curator.pipeline.file_preview import job_of_photo
    from curator.stages.faces import faces, save_faces

    job = job_of_photo(photo, FACES, invocation.settings, invocation.home.cache)
    result = _run(invocation, faces, job)
    save_faces(invocation.catalog, [(job, result)])
    return result.faces


def _measure_file(invocation: Invocation, path: Path) -> tuple[tuple[Face, ...], tuple[int, int]]:
    """Measure the faces in a file; also return its upright size in px."""
    from curator.pipeline.file_preview import job_of
    from curator.stages.faces import faces_of_file

    return _run(invocation, faces_of_file, job_of(str(path), invocation.settings))


def _run(invocation: Invocation, function: Callable[[StageJob], T], job: StageJob) -> T:
    """Run a function of the stage in a worker process.

    Raises:
        KnownError: it failed, and why.
    """
    from curator.pipeline.file_preview import run_on_file

    with one_worker(invocation) as pool:
        return run_on_file(pool, invocation.settings, "measuring the faces of", function, job)
