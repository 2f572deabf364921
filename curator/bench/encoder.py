"""The bars for the encoders: each on this machine's CPU, compared with the least that it can take.

The built-in encoder is compared with its bare network, CLIP with open_clip's float32 loop.
"""

from __future__ import annotations

import gc
import os

import cv2
import numpy as np
from numpy.typing import NDArray

from curator import networks
from curator.bench.draw import scene
from curator.bench.figures import Figure, Reference, Workspace, timed, worked
from curator.encoders import EncoderOptions, load
from curator.encoders.cpu_features import cpu_bf16
from curator.encoders.options import missing_package
from curator.encoders.reference import Encode, plain_clip
from curator.encoders.starter import NETWORK, OUTPUTS, WITHOUT
from curator.encoders.torch_network import INT8_COSINE
from curator.imaging import decode

Pictures = list[NDArray[np.uint8]]

_MODEL = "ViT-L-14"
_PHOTOS = 8
_PROXY = (1440, 960)
_LEAST_COSINE = 0.999  # of half precision; INT8_COSINE is that of int8


def starter(workspace: Workspace) -> list[Figure]:
    """Encode photos with the built-in encoder, and run its network on one input, on one thread.

    The difference is scaling proxies as the network was trained, and suggesting tags.
    """
    pictures = _pictures(workspace)
    encoder = load("starter", EncoderOptions(threads=1))
    encoder.encode(pictures[:1])
    spent = worked(lambda: encoder.encode(pictures)) / len(pictures)
    network = networks.load(NETWORK, WITHOUT)
    given = np.zeros((1, 3, 224, 224), np.float32)
    bare = min(worked(lambda: networks.run(network, given, OUTPUTS)) for _ in pictures)
    what, reference = "built-in encoder, per photo", Reference("its network", 1000 * bare)
    note = f"OpenCV {cv2.__version__}, 1 thread"
    return [Figure(what, 1000 * spent, "ms", 2.0, reference, per_reference=True, note=note)]


def missing() -> str | None:
    """Return the missing package with the remedy; None if nothing is missing."""
    return missing_package("torch", "open_clip")


# The gain of bfloat16 depends on the instructions: AMX multiplies whole tiles (4.3 x measured),
# AVX512-BF16 two products at a time (2.7 to 2.9 x on an AMD EPYC). Without them Curator uses int8,
# and where that is not available float32, which cannot be faster than the loop.
_GAIN = {"amx": 3.0, "avx512": 2.0, "int8": 1.5, "": 1.0}
_BF16 = {
    "amx": "AMX",
    "avx512": "AVX512-BF16, with AMX the bar is 3",
    "int8": "no bf16, with it 2 or 3",
    "": "neither bf16 nor int8, with them 1.5 to 3",
}


def clip(workspace: Workspace) -> list[Figure]:
    """Encode photos as Curator does and with a plain loop, using the same weights.

    The weights are random, because speed does not depend on them. The precision of the fast path
    is checked against float32, too.
    """
    pictures = _pictures(workspace)
    threads = os.cpu_count() or 1
    weights = workspace.scratch / "random.safetensors"
    loop, exact = _timed(plain_clip(_MODEL, threads, weights), pictures)
    gc.collect()  # two encoders at once would not fit into a small machine
    options = EncoderOptions(
        checkpoint=weights, model=_MODEL, pretrained="", device="cpu", threads=threads
    )
    encoder = load("open_clip", options)
    spent, fast = _timed(encoder.encode, pictures)
    cosine = float((exact * fast).sum(axis=1).min())
    note = f"{encoder.device}, {encoder.batch} at once, {threads} threads"
    int8 = encoder.device.endswith("int8")
    instructions = "int8" if int8 else cpu_bf16()
    note += f"; {_BF16[instructions]}"
    least = INT8_COSINE if int8 else _LEAST_COSINE
    return [
        _exact("precision of CLIP", cosine, least, pictures),
        Figure(
            f"CLIP {_MODEL}, per photo",
            1000 * spent,
            "ms",
            _GAIN[instructions],
            Reference("open_clip's float32 loop", 1000 * loop),
            per_reference=True,
            at_least=True,
            note=note,
        ),
    ]


def _timed(encode: Encode, pictures: Pictures) -> tuple[float, NDArray[np.float32]]:
    """Encode pictures after a warm-up; return seconds per picture, and the vectors."""
    encode(pictures[:1])
    vectors: list[NDArray[np.float32]] = []
    spent = timed(lambda: vectors.append(encode(pictures)))
    return spent / len(pictures), vectors[0]


def _exact(what: str, cosine: float, least: float, pictures: Pictures) -> Figure:
    what = f"{what}, worst of {len(pictures)}"
    note = f"1 - {max(1 - cosine, 0):.0e}"
    no_reference = "the cosine to plain float32, 1 at best; not a speed"
    return Figure(what, cosine, "cosine", least, no_reference, at_least=True, note=note)


def _pictures(workspace: Workspace) -> Pictures:
    """Return pictures of the size of proxies: the user's photos, else drawn ones."""
    found: Pictures = []
    for path in sorted(workspace.photos.rglob("*")) if workspace.photos else []:
        if path.suffix.lower() in (".jpg", ".jpeg") and len(found) < _PHOTOS:
            found.append(decode.decode(path, _PROXY[0]).rgb)
    return found or [scene(_PROXY, seed) for seed in range(_PHOTOS)]
