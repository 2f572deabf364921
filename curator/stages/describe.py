"""Describe: ask a vision model to describe a proxy, on a thread that waits for the server.

The model gets the proxy's bytes, and must never get anything else of the photo: no name, no
location, no camera.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curator.model import Described, GoneError, StageJob
from curator.stages.saving import Saved

if TYPE_CHECKING:
    from curator.catalog import Catalog
    from curator.vision import VisionOptions


@dataclass(frozen=True, slots=True)
class Asking:
    """Which server and model to ask, and when to stop; ``asking`` of a StageJob.

    Attributes:
        options: the provider, its model and the time limit.
        cancelled: called many times a second; True cancels the request.
        prompt: key of the prompt, saved with the description.
    """

    options: VisionOptions
    cancelled: Callable[[], bool]
    prompt: str = ""


def describe(job: StageJob) -> Described:
    """Describe a photo's proxy with the vision model; writes nothing.

    Raises:
        GoneError: the proxy is not there.
        VisionError: there is no description; its attributes state whether to try again, and
            whether other photos can be described.
        Cancelled: the request was canceled.
    """
    try:
        proxy = Path(job.path).read_bytes()
    except FileNotFoundError:
        raise GoneError(
            "Its proxy is missing. Make it again: `curator backfill convert`."
        ) from None
    return describe_proxy(proxy, job.asking, job.fingerprint or "")


def save_described(catalog: Catalog, results: Sequence[tuple[StageJob, Described]]) -> Saved:
    """Save descriptions and suggested tags, all made with the same prompt."""
    prompt = results[0][0].asking.prompt
    descriptions = [(job.photo_id, described) for job, described in results]
    return Saved(catalog.descriptions.save(descriptions, prompt))


def describe_proxy(proxy: bytes, asking: Asking, source: str = "") -> Described:
    """Describe one proxy given as bytes; the file need not be in the catalog.

    Args:
        proxy: a JPEG.
        asking: the provider and model.
        source: the digest of these bytes, for the result.

    Raises:
        VisionError, Cancelled: as :func:`describe`.
    """
    from curator import vision  # its libraries load only now

    options = asking.options
    found = vision.describe(proxy, options, asking.cancelled)
    return Described(
        options.provider,
        options.model,
        source,
        found.subject,
        str(found.content_type),
        found.lighting_critique,
        found.artistic_mood,
        tuple(found.suggested_tags),
    )
