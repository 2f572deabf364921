"""CLIP through open-clip-torch: pictures and words in one space, when its weights are here.

The weights come from a file of one's own (``checkpoint``), or from the model hub into
``folder``, and then only when someone asked for it (:func:`download_plan`, `hub`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curator.encoders import weights
from curator.encoders.hub import DownloadPlan, endpoint
from curator.encoders.network import Network, place, set_threads, unit_rows
from curator.encoders.options import EncoderOptions, Tag, missing_package
from curator.model import KnownError

if TYPE_CHECKING:
    import torch

REMEDY = "Choose another file for encoder.checkpoint, or download the weights again."
HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""Names of the weights in a hub repository, best first: the first cannot hold code."""
USUAL = {
    ("ViT-L-14", "laion2b_s32b_b82k"): ("laion/CLIP-ViT-L-14-laion2B-s32B-b82K", 1_710_517_724)
}
"""Where the usual weights are and how many bytes: said before anything is asked or imported."""


def weights_file(options: EncoderOptions) -> Path | None:
    """Find the weights to use: the checkpoint named, else downloaded ones; None without."""
    if options.checkpoint is not None:
        return options.checkpoint
    if options.folder is None:
        return None
    place = _downloaded(options)
    here = [place / name for name in HUB_FILES]
    here += [path for path in sorted(place.glob("*")) if path.suffix in weights.SUFFIXES]
    return next((path for path in here if path.is_file()), None)


def _downloaded(options: EncoderOptions) -> Path:
    assert options.folder is not None
    return options.folder / f"{options.model}-{options.pretrained}".replace("/", "-")


def missing(options: EncoderOptions) -> str | None:
    """Say what CLIP lacks to be loaded, with the remedy; None if nothing."""
    lack = missing_package("torch", "open_clip")
    if lack is not None:
        return lack
    path = weights_file(options)
    if path is None:
        known = USUAL.get((options.model, options.pretrained))
        much = f", {known[1] / 1e9:.1f} GB" if known else ""
        return f"CLIP's weights ({options.model}{much}) are not downloaded."
    if not path.is_file():
        return f"The weights file {path} is not there. {REMEDY}"
    try:
        weights.fingerprint(path)
    except OSError as error:
        return f"The weights file {path} cannot be read ({error.strerror or error}). {REMEDY}"
    return None


def key(options: EncoderOptions) -> str:
    """Name the weights that are here; the same name never stands for others."""
    path = weights_file(options)
    assert path is not None, "missing() is asked first"
    return f"open_clip/{options.model}/{weights.fingerprint(path)}"


def load(options: EncoderOptions) -> OpenClip:
    """Load CLIP.

    Raises:
        WeightsError: the weights are damaged, hold code, or are another model's.
        KnownError: open_clip knows no model of that name.
    """
    path = weights_file(options)
    assert path is not None, "missing() is asked first"
    return OpenClip(path, options)


class OpenClip:
    """See :class:`curator.encoders.Encoder`."""

    name = "open_clip"

    def __init__(self, path: Path, options: EncoderOptions) -> None:
        set_threads(options.threads)
        _check(path, options)
        model = _made(options)
        _fill(model, path, options)
        prepare = _preparation(model, options)
        scale = getattr(model, "logit_scale", None)  # before the network may round it to bfloat16
        self.scale = 100.0 if scale is None else float(scale.detach().exp())
        self._options = options
        self._network = Network(model, _run, prepare, place(options))
        self.dimension = int(getattr(model.visual, "output_dim", 0))
        self.key = key(options)

    @property
    def device(self) -> str:
        """Where it runs and how."""
        return str(self._network.at)

    @property
    def batch(self) -> int:
        """Pictures at once."""
        return self._network.batch

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode (H, W, 3) sRGB pictures into (N, dimension) unit vectors."""
        if not pictures:
            return np.zeros((0, self.dimension), np.float32)
        return unit_rows(self._network(pictures)[0])

    def encode_with_tags(
        self, pictures: Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float32], list[list[Tag]] | None]:
        """Encode; CLIP names nothing by itself, it is asked in words instead."""
        return self.encode(pictures), None

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Encode words into the pictures' space, (N, dimension) unit vectors."""
        import open_clip
        import torch

        tokenize = open_clip.get_tokenizer(self._options.model)
        with torch.inference_mode():
            tokens = tokenize(list(texts)).to(self._network.at.device)
            model: Any = self._network.model
            return unit_rows(model.encode_text(tokens).float().cpu().numpy())


def _run(model: Any, given: torch.Tensor) -> tuple[torch.Tensor]:
    return (model.encode_image(given),)


def _check(path: Path, options: EncoderOptions) -> None:
    """Refuse what open_clip's own loader must never see.

    open_clip answers a TypeError of the safe reader by reading again without safety, and takes
    numpy files, so the file is first read here, safely, and dropped.
    """
    import open_clip

    if path.suffix not in weights.SUFFIXES:
        raise weights.WeightsError(
            f"{path.name} is no weights file ({', '.join(weights.SUFFIXES)}).", REMEDY
        )
    if options.model not in open_clip.list_models():
        raise KnownError(
            f"open_clip knows no model {options.model!r}.", "Mend the setting encoder.model."
        )
    weights.read(path, REMEDY)


def _made(options: EncoderOptions) -> torch.nn.Module:
    """Make the network without weights.

    Some models take a part of theirs from the hub as they are made; where that may not be asked
    (in the encoder's process it may not), they cannot be used.
    """
    import open_clip

    try:
        return open_clip.create_model(options.model, load_weights=False, pretrained_text=False)
    except (OSError, ImportError, RuntimeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:160]
        raise KnownError(
            f"open_clip cannot make the model {options.model!r} ({reason}).",
            "Choose another with the setting encoder.model.",
        ) from error


def _fill(model: torch.nn.Module, path: Path, options: EncoderOptions) -> None:
    import open_clip

    try:
        open_clip.load_checkpoint(model, str(path), strict=True, weights_only=True)
    except (RuntimeError, KeyError, AttributeError, ValueError) as error:
        raise weights.WeightsError(
            f"{path.name} holds the weights of another model than {options.model}.", REMEDY
        ) from error


def _preparation(model: Any, options: EncoderOptions) -> Any:
    """Give the transform the weights were trained with: a tag may differ from the model's usual.

    ViT-L-14 laion2b_s32b_b82k wants mean and std 0.5, not CLIP's own.
    """
    import open_clip
    from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict

    given = open_clip.get_pretrained_cfg(options.model, options.pretrained)
    config = merge_preprocess_dict(model.visual.preprocess_cfg, given)
    return image_transform_v2(PreprocessCfg(**config), is_train=False)


def download_plan(options: EncoderOptions, usual_only: bool = False) -> DownloadPlan:
    """Say what a download would bring; asks nothing of the network.

    Args:
        options: which weights, and where to.
        usual_only: answer for the usual weights only: where the others are, only open_clip
            knows, and it imports torch.

    Raises:
        KnownError: no downloads are allowed, these weights are not on the hub, or what would run
            them is not installed.
    """
    if options.folder is None or not options.downloads_allowed:
        raise KnownError(
            "Weights may not be downloaded here.", "Allow it with the setting encoder.hub."
        )
    lack = missing_package("torch", "open_clip", "huggingface_hub")
    if lack is not None:
        raise KnownError("CLIP cannot be used here.", lack)
    known = USUAL.get((options.model, options.pretrained))
    if known is not None:
        where, size = known
    elif usual_only:
        raise KnownError(
            f"Where the weights of {options.model} are is not known here.",
            "`curator encoder download` finds them.",
        )
    else:
        import open_clip

        config = open_clip.get_pretrained_cfg(options.model, options.pretrained)
        where, size = str(config.get("hf_hub", "")), None
    repository, _, name = where.rpartition("/") if where.count("/") > 1 else (where, "", "")
    if not repository:
        raise KnownError(
            f"There are no weights {options.pretrained!r} of {options.model!r} on the hub.",
            "Name a weights file of your own: encoder.checkpoint.",
        )
    names = (name,) if name else HUB_FILES
    title = f"CLIP {options.model}"
    return DownloadPlan(title, repository, names, size, _downloaded(options), endpoint())
