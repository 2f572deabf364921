"""Embed: what an encoder sees in a proxy, and its light and colour, as two rows of numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from curator.model import Embedded, StageJob, UnreadableError

if TYPE_CHECKING:
    from curator.encoders import Encoder, Recipe


def embed(job: StageJob) -> Embedded:
    """Turn a photo's proxy into a vector and tone measures; writes nothing.

    Raises:
        GoneError: the proxy is not in the cache any more.
        UnreadableError: no picture can be made of it.
        KnownError: the encoder cannot be loaded, or memory is too small for it.
    """
    # Imported here: this process holds the encoder, and no other ever loads torch.
    import numpy as np

    from curator.imaging import decode
    from curator.taste import tone

    rgb = decode.decode(job.path).rgb
    if job.encoder is None or job.fingerprint is None:
        raise UnreadableError("There is no encoder to compare photos with.")
    vector = _encoder(job.encoder).encode([rgb])[0]
    return Embedded(
        encoder=job.encoder.key,
        source=job.fingerprint,
        vector=vector.astype(np.float16).tobytes(),
        tone=tone.measure(rgb).tobytes(),
    )


@lru_cache(maxsize=1)
def _encoder(recipe: Recipe) -> Encoder:
    """Load an encoder once; the process keeps it until it ends."""
    from curator.encoders import load

    return load(recipe.name, recipe.options)
