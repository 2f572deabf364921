"""Embed: turn proxies into vectors and measures of light and color, in the encoder's process.

Only that process loads an encoder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from curator.model import Embedded, Embeddings, KnownError, StageJob
from curator.stages.saving import Saved

if TYPE_CHECKING:
    import numpy as np

    from curator.catalog import Catalog
    from curator.encoders import Encoder, Recipe


def embed(jobs: Sequence[StageJob]) -> Embeddings:
    """Turn photos' proxies into vectors, tone measures and suggested tags; writes nothing.

    The encoder gets all photos at once. If one cannot be encoded, its result is the error (OSError,
    GoneError, UnreadableError or EncodingError), and the others are encoded.

    Args:
        jobs: all for the same encoder.

    Raises:
        KnownError: the encoder cannot be loaded; the photos are not the cause.
    """
    recipe = jobs[0].encoder
    if recipe is None or any(job.fingerprint is None for job in jobs):
        raise KnownError("There is no encoder to analyze photos with.")
    encoder = _encoder(recipe)
    pictures = [_picture(job.path) for job in jobs]
    seen = [picture for picture in pictures if not isinstance(picture, Exception)]
    found = iter(_encoded(encoder, seen))
    results: list[Embedded | Exception] = []
    for job, picture in zip(jobs, pictures, strict=True):
        part = picture if isinstance(picture, Exception) else next(found)
        source = job.fingerprint or ""
        results.append(part if isinstance(part, Exception) else _row(recipe.key, source, *part))
    return Embeddings(tuple(results), encoder.batch)


def save_embedded(catalog: Catalog, results: Sequence[tuple[StageJob, Embedded]]) -> Saved:
    """Save vectors, tone measures and suggested tags."""
    return Saved(catalog.vectors.save(results))


def embed_proxy(recipe: Recipe, proxy: bytes) -> Embedded:
    """Analyze one proxy given as bytes; the result's ``source`` is empty.

    Raises:
        KnownError: the encoder cannot be loaded, or cannot encode this picture.
    """
    encoder = _encoder(recipe)
    picture = _picture("", proxy)
    part = picture if isinstance(picture, Exception) else _encoded(encoder, [picture])[0]
    if isinstance(part, Exception):
        raise part
    return _row(recipe.key, "", *part)


def embed_text(recipe: Recipe, text: str) -> bytes | None:
    """Encode a text into the space of the pictures: float32 of unit length.

    Returns None if the encoder encodes no texts.

    Raises:
        KnownError: the encoder cannot be loaded.
    """
    import numpy as np

    vectors = _encoder(recipe).encode_texts([text])
    return None if vectors is None else vectors[0].astype(np.float32).tobytes()


def embed_vocabulary(recipe: Recipe, sentences: Sequence[str]) -> tuple[bytes, float] | None:
    """Encode the sentences of a vocabulary; minutes for a thousand on a CPU.

    Returns:
        (W, dimension) float32 of unit length, and the factor the network applies to cosines; None
        if it encodes no texts.

    Raises:
        KnownError: the encoder cannot be loaded.
    """
    from curator.encoders import zero_shot

    encoder = _encoder(recipe)
    found = zero_shot.word_vectors(encoder, sentences)
    return None if found is None else (found.tobytes(), encoder.scale)


def _picture(path: str, data: bytes | None = None) -> Any:
    """Decode a proxy into its pixels and tone measures; return the error if it cannot be."""
    # Imported here: other processes use this module only to name its functions.
    from curator.encoders import EncodingError
    from curator.imaging import decode
    from curator.imaging.pixels import DecodeOptions
    from curator.taste import tone

    try:
        # A proxy is upright and sRGB already.
        found = decode.decode(path) if data is None else decode.load(path, DecodeOptions(), data)
        rgb = found.rgb
        return rgb, tone.measure(rgb)
    except (KnownError, OSError) as error:
        return error
    except MemoryError:
        return EncodingError("There is not enough memory to analyze this photo.")


def _encoded(encoder: Encoder, pictures: Sequence[Any]) -> list[Any]:
    """Encode decoded proxies: (vector, tags, tone) each, or the EncodingError of just that one."""
    from curator.encoders import EncodingError

    if not pictures:
        return []
    try:
        vectors, tags = encoder.encode_with_tags([rgb for rgb, _ in pictures])
    except EncodingError as error:
        if len(pictures) == 1:
            return [error]
        return [part for picture in pictures for part in _encoded(encoder, [picture])]
    words = [None] * len(pictures) if tags is None else tags
    tones = [tone for _, tone in pictures]
    return list(zip(vectors, words, tones, strict=True))


def _row(key: str, source: str, vector: np.ndarray, tags: Any, tone: np.ndarray) -> Embedded:
    import numpy as np

    words = None if tags is None else tuple((tag.name, round(100 * tag.confidence)) for tag in tags)
    half = vector.astype(np.float16)
    return Embedded(key, source, half.tobytes(), tone.tobytes(), words)


_HELD: dict[Recipe, Encoder] = {}


def _encoder(recipe: Recipe) -> Encoder:
    """Load an encoder once; the process keeps it until another one is needed."""
    from curator.encoders import load

    if recipe not in _HELD:
        _HELD.clear()  # first, because there may not be memory for both
        # A library must not download weights while it loads a model.
        os.environ["HF_HUB_OFFLINE"] = "1"
        loaded = load(recipe.name, recipe.options)
        if loaded.key != recipe.key:
            raise KnownError(
                "The encoder's weights have changed since Curator began to use them.",
                "Restart Curator, so that all photos are analyzed with the same weights.",
            )
        _HELD[recipe] = loaded
    return _HELD[recipe]
