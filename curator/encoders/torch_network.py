"""Run CLIP's network with torch: choose device and precision, fit batches into memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curator.encoders.cpu_features import cpu_bf16
from curator.encoders.options import EncoderOptions, EncodingError
from curator.model import KnownError
from curator.settings import in_settings

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

Prepare = Callable[[Any], "torch.Tensor"]

_CPU_BATCH, _GPU_BATCH = 8, 64

INT8_COSINE = 0.995
"""Least cosine of int8 to float32 on the first pictures; vectors of both must be comparable."""


@dataclass(frozen=True)
class Device:
    """Where a network runs.

    ``name`` is torch's, ``precision`` float32, float16, bfloat16, or int8 for the linear layers of
    a network that is float32 otherwise.
    """

    name: str
    precision: str

    def __str__(self) -> str:
        names = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}
        return f"{names.get(self.name, self.name)}, {self.precision}"

    @property
    def dtype(self) -> torch.dtype:
        """The type of inputs and outputs."""
        import torch

        found: torch.dtype = getattr(torch, self.precision.replace("int8", "float32"))
        return found


def choose_device(options: EncoderOptions) -> Device:
    """Choose CUDA, MPS or else the CPU, with half precision if the hardware supports it.

    On an x86 CPU without bf16 instructions int8 takes 0.2 to 0.55 of a float32 loop over pictures
    (ViT-L-14), batches of float32 0.85 to 0.95. The network stays with float32 if int8 is not
    exact enough with its weights.

    Raises:
        KnownError: this machine does not have the device named in the options.
    """
    import torch

    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    wanted = options.device
    if wanted != "auto" and not present.get(wanted, False):
        raise KnownError(
            f"This machine has no device {wanted!r}.",
            f"Set {in_settings('encoder.device')} to auto.",
        )
    device = wanted if wanted != "auto" else next(d for d in ("cuda", "mps", "cpu") if present[d])
    return Device(device, _precision(device))


def _precision(device: str) -> str:
    """Return the fastest precision of a device.

    The half precisions keep a transformer's cosine over 0.999; `Network` checks that of int8.
    """
    if device == "cuda":
        return "float16"
    if device != "cpu":
        return "float32"
    from curator.encoders import int8

    return "bfloat16" if cpu_bf16() else "int8" if int8.is_supported() else "float32"


class Network:
    """A picture network with its preprocessing.

    Attributes:
        device: where the network runs.
        batch: pictures per run. It is halved when the device's memory runs out; at 1 the network
            moves to the CPU.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        run: Callable[[Any, torch.Tensor], torch.Tensor],
        prepare: Prepare,
        device: Device,
    ) -> None:
        self.model, self._run, self._prepare, self.device = model, run, prepare, device
        self.batch = _CPU_BATCH if device.name == "cpu" else _GPU_BATCH
        self._move_model()

    def _move_model(self) -> None:
        """Move the model to :attr:`device`."""
        import torch

        self._checked = self.device.precision != "int8"
        self.model = self.model.eval().requires_grad_(False).to(self.device.name, self.device.dtype)
        if self.device.name == "cpu":
            self.model = self.model.to(memory_format=torch.channels_last)  # convolutions only

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Run the network on pictures and return its vectors (N, dimension).

        Raises:
            EncodingError: even one picture on the CPU needs more memory than there is.
        """
        parts: list[NDArray[np.float32]] = []
        start = 0
        while start < len(pictures):
            part = pictures[start : start + self.batch]
            vectors = self._try(part)
            if vectors is not None:
                parts.append(vectors)
                start += len(part)
        return np.concatenate(parts)

    def _try(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32] | None:
        """Run one batch; None if memory ran out, after lowering the batch size or the device."""
        import torch

        try:
            with torch.inference_mode():
                given = torch.stack([self._prepare(self._image(rgb)) for rgb in pictures])
                given = given.to(self.device.name, self.device.dtype)
                if given.device.type == "cpu":
                    given = given.contiguous(memory_format=torch.channels_last)
                if not self._checked:
                    self._quantize(given)
                # int8 is faster while the values of a layer fit into the cache: 1.9 x, not 1.3 x.
                runs = given.split(1) if self.device.precision == "int8" else (given,)
                found = torch.cat([self._run(self.model, part) for part in runs])
                vectors: NDArray[np.float32] = found.float().cpu().numpy()
                return vectors
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            self._use_less_memory(error)
            return None

    def _quantize(self, given: torch.Tensor) -> None:
        """Change to int8, or to float32 if int8 fails or is too coarse for weights and pictures."""
        from torch.nn.functional import cosine_similarity

        from curator.encoders import int8

        try:
            model = int8.quantized(self.model)
            exact, rounded = self._run(self.model, given), self._run(model, given)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self._refuse_int8(f"cannot run this network: {error}")
        else:
            cosine = float(cosine_similarity(exact, rounded).min())
            if cosine >= INT8_COSINE:
                self.model = model
            else:
                self._refuse_int8(f"is not exact enough (cosine {cosine:.4f})")
        self._checked = True

    def _refuse_int8(self, reason: str) -> None:
        log.info("Encoder: int8 %s; float32 is used", reason)
        self.device = Device("cpu", "float32")

    def _use_less_memory(self, error: BaseException) -> None:
        """Halve the batch or, if it is 1, move to the CPU."""
        import torch

        if self.batch > 1:
            self.batch //= 2
            log.info("Encoder: out of memory, %d pictures at once from now on", self.batch)
        elif self.device.name != "cpu":
            self.device = Device("cpu", _precision("cpu"))
            self.batch = _CPU_BATCH
            log.info("Encoder: out of memory, continues on the CPU")
            self._move_model()
        else:
            raise EncodingError(
                "There is not enough memory to analyze this photo.",
                f"Close other programs, or set {in_settings('encoder.which')} to"
                " Built-in (starter).",
            ) from error
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @staticmethod
    def _image(rgb: NDArray[np.uint8]) -> Any:
        """Return the Pillow image that the transforms of torchvision expect."""
        from torchvision.transforms.functional import to_pil_image

        return to_pil_image(np.ascontiguousarray(rgb))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means exhausted memory; on the CPU only the text shows it."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text


def set_threads(threads: int) -> None:
    """Limit the threads torch uses in this process; 0 for all cores."""
    import torch

    if threads:
        torch.set_num_threads(threads)
