"""CLIP through open-clip-torch: pictures and words in one space, when its weights are here.

The weights come from a file of one's own (``checkpoint``), or from the model hub into
``folder``, and then only when someone asked for it (:func:`download`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curator.encoders import weights
from curator.encoders.network import Network, place, set_threads, unit_rows
from curator.encoders.options import EncoderOptions, Tag, absent
from curator.model import KnownError

if TYPE_CHECKING:
    import torch

REMEDY = "Choose another file for encoder.checkpoint, or download the weights again."
HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""Names of the weights in a hub repository, best first: the first cannot hold code."""
KNOWN_SIZES = {("ViT-L-14", "laion2b_s32b_b82k"): 1_710_517_724}
"""Bytes to download, so that the size can be said before anything is asked of the network."""


def weights_file(options: EncoderOptions) -> Path | None:
    """Find the weights to use: the checkpoint named, else downloaded ones; None without."""
    if options.checkpoint is not None:
        return options.checkpoint
    if options.folder is None:
        return None
    place = _downloaded(options)
    return next((place / name for name in HUB_FILES if (place / name).is_file()), None)


def _downloaded(options: EncoderOptions) -> Path:
    assert options.folder is not None
    return options.folder / f"{options.model}-{options.pretrained}".replace("/", "-")


def missing(options: EncoderOptions) -> str | None:
    """Say what CLIP lacks to be loaded, with the remedy; None if nothing."""
    lack = absent("torch", "open_clip")
    if lack is not None:
        return lack
    path = weights_file(options)
    if path is None:
        size = KNOWN_SIZES.get((options.model, options.pretrained))
        much = f", {size / 1e9:.1f} GB" if size else ""
        return f"CLIP's weights ({options.model}{much}) are not downloaded."
    if not path.is_file():
        return f"The weights file {path} is not there. {REMEDY}"
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
        import open_clip

        set_threads(options.threads)
        _check(path, options)
        model = open_clip.create_model(options.model, load_weights=False, pretrained_text=False)
        _fill(model, path, options)
        prepare = _preparation(model, options)
        self._tokenize = open_clip.get_tokenizer(options.model)
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
    ) -> tuple[NDArray[np.float32], list[list[Tag]]]:
        """Encode; CLIP names nothing by itself, it is asked in words instead."""
        return self.encode(pictures), [[] for _ in pictures]

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Encode words into the pictures' space, (N, dimension) unit vectors."""
        import torch

        with torch.inference_mode():
            tokens = self._tokenize(list(texts)).to(self._network.at.device)
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


@dataclass(frozen=True)
class Download:
    """What a download would bring: from where, how much (None: the hub did not say), to where."""

    repository: str
    bytes: int | None
    folder: Path

    @property
    def sentence(self) -> str:
        """Say it before asking."""
        much = f"{self.bytes / 1e9:.1f} GB" if self.bytes else "an unknown amount"
        return f"Download {much} from huggingface.co/{self.repository} to {self.folder}."


def planned(options: EncoderOptions) -> Download:
    """Say what :func:`download` would do; asks nothing of the network.

    Raises:
        KnownError: no downloads are allowed, or these weights are not on the hub.
    """
    import open_clip

    if options.folder is None:
        raise KnownError("Downloads are not allowed.", "Allow them in the settings.")
    config = open_clip.get_pretrained_cfg(options.model, options.pretrained)
    repository = str(config.get("hf_hub", "")).strip("/")
    if not repository:
        raise KnownError(
            f"There are no weights {options.pretrained!r} of {options.model!r} on the hub.",
            "Name a weights file of your own: encoder.checkpoint.",
        )
    size = KNOWN_SIZES.get((options.model, options.pretrained))
    return Download(repository, size, _downloaded(options))


def download(options: EncoderOptions, progress: Callable[[int, int], None]) -> Path:
    """Fetch the weights; goes on where an earlier try stopped.

    Only ever called when a person asked for it, having read ``planned(options).sentence``.

    Args:
        options: which weights; ``folder`` is where they go.
        progress: told (bytes so far, bytes in all); may raise to stop.

    Raises:
        KnownError: the hub cannot be reached or refuses; what is there stays for the next try.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
    from tqdm import tqdm

    class Told(tqdm):
        monitor_interval = 0  # no thread of its own that outlives the download

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True, "name": None})
            self.done = int(kwargs.get("initial") or 0)

        def update(self, n: float | None = 1) -> bool | None:
            self.done += int(n or 0)
            progress(self.done, int(self.total or 0))
            return None

    plan = planned(options)
    for name in HUB_FILES:
        try:
            found = hf_hub_download(
                plan.repository, name, local_dir=str(plan.folder), tqdm_class=Told
            )
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError) as error:
            raise KnownError(
                f"The weights could not be fetched from huggingface.co ({type(error).__name__}).",
                "Try again later; what has come so far is kept.",
            ) from error
        return Path(found)
    raise KnownError(f"{plan.repository} holds no weights that can be used.", REMEDY)
