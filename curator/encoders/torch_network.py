"""Run CLIP's network with torch: choose device and precision, fit batches into memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from curator.encoders.options import EncoderOptions, EncodingError
from curator.model import KnownError

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

Prepare = Callable[[Any], "torch.Tensor"]

_CPU_BATCH, _GPU_BATCH = 8, 64


@dataclass(frozen=True)
class Device:
    """Where a network runs: torch's ``name``; ``precision`` float32, float16 or bfloat16."""

    name: str
    precision: str

    def __str__(self) -> str:
        names = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}
        return f"{names.get(self.name, self.name)}, {self.precision}"


def choose_device(options: EncoderOptions) -> Device:
    """Choose CUDA, MPS or else the CPU, with half precision if the hardware supports it.

    On a CPU without bf16 instructions batched float32 is the fastest path that is exact enough:
    measured on AVX2 with ViT-B-32, batches of 8 take 0.65 of a loop over pictures, float16 is 8
    times slower, and dynamic int8 takes 0.47 but its precision depends on the weights.

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
        raise KnownError(f"This machine has no device {wanted!r}.", "Set encoder.device to auto.")
    device = wanted if wanted != "auto" else next(d for d in ("cuda", "mps", "cpu") if present[d])
    return Device(device, _precision(device))


def _precision(device: str) -> str:
    """Return the fastest precision of a device that keeps a transformer's cosine over 0.999."""
    if device == "cuda":
        return "float16"
    return "bfloat16" if device == "cpu" and cpu_bf16() else "float32"


def cpu_bf16() -> Literal["", "avx512", "amx"]:
    """Return the fastest bf16 instructions of this CPU; "" if none or unknown."""
    import torch

    def has(probe: str) -> bool:
        return bool(getattr(torch.cpu, probe, bool)())

    if has("_is_amx_tile_supported"):
        return "amx"
    return "avx512" if has("_is_avx512_bf16_supported") else ""


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

        dtype = getattr(torch, self.device.precision)
        self.model = self.model.eval().requires_grad_(False).to(self.device.name, dtype)
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
                given = given.to(self.device.name, getattr(torch, self.device.precision))
                if given.device.type == "cpu":
                    given = given.contiguous(memory_format=torch.channels_last)
                vectors: NDArray[np.float32] = self._run(self.model, given).float().cpu().numpy()
                return vectors
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            self._use_less_memory(error)
            return None

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
                "Close other programs, or set encoder.which to starter.",
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
