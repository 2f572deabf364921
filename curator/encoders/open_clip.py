"""The CLIP encoder, through open-clip-torch: pictures and texts in one space.

torch and open-clip-torch are the extra ``clip``: much larger than the rest of Curator together.
Its weights are a file of the user (``checkpoint``), or are in ``folder``, downloaded from the model
hub when the user asked for it (:func:`download_plan`, `hub`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curator.encoders import weights
from curator.encoders.hub import OWN_WEIGHTS, DownloadPlan, endpoint
from curator.encoders.options import (
    CLIP_PACKAGES,
    EncoderOptions,
    Tag,
    missing_package,
    unit_rows,
)
from curator.encoders.torch_network import Network, choose_device, set_threads
from curator.installing import install_command, install_remedy, is_frozen
from curator.model import KnownError
from curator.settings import in_settings

if TYPE_CHECKING:
    import torch

REMEDY = f"Correct {in_settings('encoder.checkpoint')}, or download the weights again."
HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""Names of the weights in a hub repository, best first: a safetensors file cannot hold code."""
USUAL = {
    ("ViT-L-14", "laion2b_s32b_b82k"): ("laion/CLIP-ViT-L-14-laion2B-s32B-b82K", 1_710_517_724)
}
"""Repository and bytes of the default weights, known without the network or an import."""
PACKAGES_GB = 5.5 if sys.platform == "linux" else 1.0
"""What the extra takes on the disk; for Linux torch brings the libraries of graphics cards."""
_PACKAGES = ("torch", "open_clip")


def weights_file(options: EncoderOptions) -> Path | None:
    """Find the weights to use: the given checkpoint, else downloaded weights; None if neither."""
    if options.checkpoint is not None:
        return options.checkpoint
    if options.folder is None:
        return None
    folder = _download_folder(options)
    candidates = [folder / name for name in HUB_FILES]
    candidates += [path for path in sorted(folder.glob("*")) if path.suffix in weights.SUFFIXES]
    return next((path for path in candidates if path.is_file()), None)


def _download_folder(options: EncoderOptions) -> Path:
    assert options.folder is not None
    return options.folder / f"{options.model}-{options.pretrained}".replace("/", "-")


def missing(options: EncoderOptions) -> str | None:
    """Return what CLIP needs to be loaded, with the remedy; None if nothing is missing."""
    if missing_package(*_PACKAGES) is not None:
        return (
            "CLIP, which also searches by description, is not installed (about"
            f" {PACKAGES_GB:g} GB). {install_remedy('Install it', *CLIP_PACKAGES)}"
        )
    path = weights_file(options)
    if path is None:
        known = USUAL.get((options.model, options.pretrained))
        much = f", {known[1] / 1e9:.1f} GB" if known else ""
        return f"CLIP's weights ({options.model}{much}) are not downloaded."
    if not path.is_file():
        return f"The weights file {path} does not exist. {REMEDY}"
    try:
        weights.fingerprint(path)
    except OSError as error:
        return f"The weights file {path} cannot be read ({error.strerror or error}). {REMEDY}"
    return None


def clip_command() -> str | None:
    """Return the command that installs CLIP; None if it is installed, or cannot be here."""
    if is_frozen() or missing_package(*_PACKAGES) is None:
        return None
    return install_command(*CLIP_PACKAGES)


def key(options: EncoderOptions) -> str:
    """Return the key of the installed weights; other weights have another key."""
    path = weights_file(options)
    assert path is not None, "missing() is asked first"
    return f"open_clip/{options.model}/{weights.fingerprint(path)}"


def load(options: EncoderOptions) -> OpenClip:
    """Load CLIP.

    Raises:
        WeightsError: the file is not a weights file, is damaged, holds code, or belongs to another
            model.
        KnownError: open_clip has no model of that name, or cannot create it.
    """
    path = weights_file(options)
    assert path is not None, "missing() is asked first"
    return OpenClip(path, options)


class OpenClip:
    """CLIP as a :class:`curator.encoders.Encoder`."""

    def __init__(self, path: Path, options: EncoderOptions) -> None:
        set_threads(options.threads)
        _check(path, options)
        model = _create_model(options)
        _load_weights(model, path, options)
        prepare = _preprocessing(model, options)
        scale = getattr(model, "logit_scale", None)  # before the network may round it to bfloat16
        self.scale = 100.0 if scale is None else float(scale.detach().exp())
        self._options = options
        self._network = Network(model, _run, prepare, choose_device(options))
        self.dimension = int(getattr(model.visual, "output_dim", 0))
        self.key = key(options)

    @property
    def device(self) -> str:
        """Device and precision, to show to people."""
        return str(self._network.device)

    @property
    def batch(self) -> int:
        """Pictures per run."""
        return self._network.batch

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode (H, W, 3) sRGB pictures into (N, dimension) unit vectors."""
        if not pictures:
            return np.zeros((0, self.dimension), np.float32)
        return self._unit_rows(self._network(pictures))

    def encode_with_tags(
        self, pictures: Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float32], list[list[Tag]] | None]:
        """Encode pictures; CLIP has no tags of its own, see `curator.encoders.zero_shot`."""
        return self.encode(pictures), None

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Encode texts into the space of the pictures, (N, dimension) unit vectors."""
        import open_clip
        import torch

        tokenize = open_clip.get_tokenizer(self._options.model)
        with torch.inference_mode():
            tokens = tokenize(list(texts)).to(self._network.device.name)
            model: Any = self._network.model
            return self._unit_rows(model.encode_text(tokens).float().cpu().numpy())

    def _unit_rows(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        on_cpu = self._network.device.name == "cpu"
        remedy = "" if on_cpu else f"Set {in_settings('encoder.device')} to cpu and try again."
        return unit_rows(vectors, remedy)


def _run(model: Any, given: torch.Tensor) -> torch.Tensor:
    vectors: torch.Tensor = model.encode_image(given)
    return vectors


def _check(path: Path, options: EncoderOptions) -> None:
    """Refuse files that open_clip's own loader must never see.

    After a TypeError of the safe reader open_clip reads the file unsafely, and it accepts numpy
    files. So this reads the file safely first, and drops the result.
    """
    import open_clip

    if path.suffix not in weights.SUFFIXES:
        raise weights.WeightsError(
            f"{path.name} is not a weights file ({', '.join(weights.SUFFIXES)}).", REMEDY
        )
    if options.model not in open_clip.list_models():
        raise KnownError(
            f"open_clip has no model {options.model!r}.", f"Correct {in_settings('encoder.model')}."
        )
    weights.read(path, REMEDY)


def _create_model(options: EncoderOptions) -> torch.nn.Module:
    """Create the network without weights.

    Some models load a part from the hub when they are created. The encoder's process may not
    connect to the hub, so they cannot be used.
    """
    import open_clip

    try:
        return open_clip.create_model(options.model, load_weights=False, pretrained_text=False)
    except (OSError, ImportError, RuntimeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:160]
        raise KnownError(
            f"open_clip cannot create the model {options.model!r} ({reason}).",
            f"Choose another model: {in_settings('encoder.model')}.",
        ) from error


def _load_weights(model: torch.nn.Module, path: Path, options: EncoderOptions) -> None:
    import open_clip

    try:
        open_clip.load_checkpoint(model, str(path), strict=True, weights_only=True)
    except (RuntimeError, KeyError, AttributeError, ValueError) as error:
        raise weights.WeightsError(
            f"{path.name} holds the weights of a model other than {options.model}.", REMEDY
        ) from error


def _preprocessing(model: Any, options: EncoderOptions) -> Any:
    """Return the transform the weights were trained with, which may not be the model's default.

    ViT-L-14 laion2b_s32b_b82k needs mean and std 0.5, not those of the original CLIP.
    """
    import open_clip
    from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict

    given = open_clip.get_pretrained_cfg(options.model, options.pretrained)
    config = merge_preprocess_dict(model.visual.preprocess_cfg, given)
    return image_transform_v2(PreprocessCfg(**config), is_train=False)


def download_plan(options: EncoderOptions, usual_only: bool = False) -> DownloadPlan:
    """Return the download of the wanted weights, without using the network.

    Args:
        options: which weights, and the folder for them.
        usual_only: refuse weights other than the default: their source is known only to open_clip,
            whose import loads torch.

    Raises:
        KnownError: downloads are not allowed, the hub does not have these weights, or a package
            to run them is not installed.
    """
    if options.folder is None or not options.downloads_allowed:
        raise KnownError("Downloading weights is off.", f"Turn on {in_settings('encoder.hub')}.")
    if missing_package(*_PACKAGES, "huggingface_hub") is not None:
        raise KnownError("CLIP cannot be used here.", missing(options) or "")
    known = USUAL.get((options.model, options.pretrained))
    if known is not None:
        where, size = known
    elif usual_only:
        raise KnownError(
            f"The source of the weights of {options.model} is not known yet.",
            "`curator encoder download` finds it.",
        )
    else:
        import open_clip

        config = open_clip.get_pretrained_cfg(options.model, options.pretrained)
        where, size = str(config.get("hf_hub", "")), None
    repository, _, name = where.rpartition("/") if where.count("/") > 1 else (where, "", "")
    if not repository:
        raise KnownError(
            f"The hub has no weights {options.pretrained!r} of {options.model!r}.",
            OWN_WEIGHTS,
        )
    names = (name,) if name else HUB_FILES
    title = f"CLIP {options.model}"
    return DownloadPlan(title, repository, names, size, _download_folder(options), endpoint())
