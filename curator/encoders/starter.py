"""The starter encoder, which comes with Curator: EfficientNet-Lite0, run by OpenCV on the CPU.

Its file is made by ``.ci/starter_model.py``. A vector is made of the network's last features, which
tell what a photo shows, and of those of a layer in the middle, which still tell how it looks. Taste
learns faster from both: 22 people's choices between photos of flowers and of houses are predicted
by 0.2 to 1 % more, and ratings of simulated people by 1 to 4 % (`tests/bench/test_taste.py`). The
ImageNet classes serve as tags.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curator.encoders.options import EncoderOptions, EncodingError, Tag, unit_rows

NETWORK = "efficientnet_lite0.onnx"
CLASSES = "starter_classes.txt"
KEY = "starter/efficientnet-lite0-57934424+middle"
OUTPUTS = ("features", "middle", "classes")
WITHOUT = "Photos cannot be analyzed"
_SHORT_EDGE_PX, _INPUT_PX = 256, 224
_MIDDLE_SHARE = 0.2
"""Share of the middle layer in the squared length of a vector; 0.35 gains less for content."""
_VARYING = (
    "f1edfffffff7eef5ffffccff7fdffeeffb7f7fb37f2fff7ffbedf77bedffdffbf7fff6fdffbf67bf"
    "ffdffff77ffdbfe79ef7fdbdfdcf3dbf2fff59ff6ff7ffffbfff3efeeefeffffffbdffb6feefbcff"
    "ffffddbdbe5bffff17f77fbf7ffcffeddfb7f7fbfbffbffff769ff9ffcbbd7fffcedf6bdffbafdff"
    "1abfffffffffffde3fffe7fffbf3fffd74dfe7bff7f5ffdbdff7dfffefdfefbfdffbfbfbfeffffdf"
)
"""Bit by bit, which of the 1,280 last features are in a vector: the 1,088 that differ most between
2,100 photos. With 192 of the middle layer a vector is as long as the last features alone."""


def missing(options: EncoderOptions) -> str | None:
    """Return None: it comes with Curator. Whether its file is intact shows when it is loaded."""
    return None


def key(options: EncoderOptions) -> str:
    """Return the key of its only weights."""
    return KEY


def load(options: EncoderOptions) -> Starter:
    """Load the starter.

    Raises:
        ModelError: its file is missing or damaged, or there is not enough memory for it.
    """
    return Starter(options)


class Starter:
    """The starter :class:`curator.encoders.Encoder`."""

    scale = 100.0
    key = KEY
    dimension = 1280
    device = "CPU, float32"
    batch = 4  # photos for each call of its process; the network runs them one by one

    def __init__(self, options: EncoderOptions) -> None:
        from curator import networks

        self._network = networks.load(NETWORK, WITHOUT)
        self._names = [name for _, name in read_classes()]
        self._varying = np.unpackbits(np.frombuffer(bytes.fromhex(_VARYING), np.uint8)) > 0
        self._options = options

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode (H, W, 3) sRGB pictures into (N, 1280) unit vectors."""
        return self.encode_with_tags(pictures)[0]

    def encode_with_tags(
        self, pictures: Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float32], list[list[Tag]]]:
        """Encode pictures and return the ImageNet classes seen as tags, most confident first.

        Raises:
            EncodingError: there is not enough memory.
        """
        vectors = np.zeros((len(pictures), self.dimension), np.float32)
        tags = []
        for row, rgb in zip(vectors, pictures, strict=True):
            features, middle, logits = self._run(rgb)
            last = unit_rows(features[:, self._varying]) * np.sqrt(1 - _MIDDLE_SHARE)
            row[:] = np.hstack([last, unit_rows(middle) * np.sqrt(_MIDDLE_SHARE)])[0]
            tags.append(self._tags(logits[0]))
        return unit_rows(vectors), tags

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Return None: the starter cannot encode texts; search uses its tags."""
        return None

    def _run(self, rgb: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Return last features (1, 1280), middle ones (1, 192) and logits of classes (1, 1000)."""
        from curator import networks
        from curator.imaging.pixels import scaled_center

        networks.use_threads(self._options.threads or os.cpu_count() or 1)
        try:
            seen = scaled_center(rgb, _SHORT_EDGE_PX, _INPUT_PX)
            given = np.ascontiguousarray(seen.transpose(2, 0, 1)[None], np.float32) / 127.5 - 1
            return networks.run(self._network, given, OUTPUTS)
        except MemoryError as error:
            raise EncodingError(
                "There is not enough memory to analyze this photo.", "Close other programs."
            ) from error

    def _tags(self, logits: NDArray[np.float32]) -> list[Tag]:
        probability = np.exp(logits.astype(np.float64) - logits.max())
        probability /= probability.sum()
        likeliest = np.argsort(-probability)[: self._options.max_tags].tolist()
        tags = (Tag(self._names[at], round(float(probability[at]), 4)) for at in likeliest)
        return [tag for tag in tags if tag.confidence >= self._options.min_confidence]


def read_classes() -> list[tuple[str, str]]:
    """Return the WordNet synset ("n01440764") and the name ("tench") of each of 1,000 classes.

    Raises:
        ModelError: the file is missing or damaged.
    """
    from curator import networks

    lines = networks.read(CLASSES, WITHOUT).decode("utf-8").splitlines()
    return [(synset, name) for synset, _, name in (line.partition(" ") for line in lines)]
