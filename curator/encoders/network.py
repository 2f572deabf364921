"""Running a network: where, how precisely, in batches that fit, into unit vectors."""

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


@dataclass(frozen=True)
class Device:
    """Where a network runs: ``device``; ``precision`` float32, float16 or bfloat16."""

    device: str
    precision: str

    def __str__(self) -> str:
        names = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}
        return f"{names.get(self.device, self.device)}, {self.precision}"


def place(options: EncoderOptions, half: bool = True) -> Device:
    """Choose the device: CUDA, MPS, else CPU; half precision where the hardware multiplies it.

    On a CPU without bf16 instructions batched float32 is the fastest path that is exact enough:
    measured on AVX2 with ViT-B-32, batches of 8 take 0.65 of a loop over pictures, float16 is 8
    times slower, and dynamic int8 takes 0.47 but cannot be trusted without the real weights.

    Args:
        options: device asked for.
        half: whether this network stays exact enough (cosine >= 0.999) in half precision.

    Raises:
        KnownError: the device asked for by name is not in this machine.
    """
    import torch

    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    wanted = options.device
    if wanted != "auto" and not here.get(wanted, False):
        raise KnownError(f"This machine has no device {wanted!r}.", "Set encoder.device to auto.")
    device = wanted if wanted != "auto" else next(d for d in ("cuda", "mps", "cpu") if here[d])
    if options.exact:
        return Device("cpu", "float32")
    return Device(device, _precision(device) if half else "float32")


def _precision(device: str) -> str:
    """Name the fastest precision of a device that keeps a transformer's cosine over 0.999."""
    if device == "cuda":
        return "float16"
    return "bfloat16" if device == "cpu" and cpu_bf16() else "float32"


def cpu_bf16() -> Literal["", "avx512", "amx"]:
    """Return which bf16 instructions this CPU has, the fastest; "" if none or torch cannot tell."""
    import torch

    def has(probe: str) -> bool:
        return bool(getattr(torch.cpu, probe, bool)())

    if has("_is_amx_tile_supported"):
        return "amx"
    return "avx512" if has("_is_avx512_bf16_supported") else ""


class Network:
    """A picture network with its preparation; the part every encoder shares.

    Attributes:
        batch: pictures a run; halved for good when the device's memory runs out, and at 1 the
            network moves to the CPU.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        run: Callable[..., Any],
        prepare: Prepare,
        at: Device,
        cpu_batch: int = 8,
    ) -> None:
        self.model, self._run, self._prepare, self.at = model, run, prepare, at
        self._cpu_batch = cpu_batch
        self.batch = 64 if at.device != "cpu" else cpu_batch
        self._settle()

    def _settle(self) -> None:
        import torch

        dtype = getattr(torch, self.at.precision)
        self.model = self.model.eval().requires_grad_(False).to(self.at.device, dtype)
        if self.at.device == "cpu":
            self.model = self.model.to(memory_format=torch.channels_last)  # convolutions only

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Run pictures through; gives the outputs of ``run``, each (N, ...) float32.

        Raises:
            EncodingError: memory runs out even for one picture on the CPU.
        """
        parts: list[list[NDArray[np.float32]]] = []
        start = 0
        while start < len(pictures):
            part = pictures[start : start + self.batch]
            outputs = self._try(part)
            if outputs is not None:
                parts.append(outputs)
                start += len(part)
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def _try(self, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]] | None:
        """Run one batch; None after making room for another try."""
        import torch

        try:
            with torch.inference_mode():
                given = torch.stack([self._prepare(self._image(rgb)) for rgb in pictures])
                given = given.to(self.at.device, getattr(torch, self.at.precision))
                if given.device.type == "cpu":
                    given = given.contiguous(memory_format=torch.channels_last)
                outputs = self._run(self.model, given)
                return [output.float().cpu().numpy() for output in outputs]
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            self._make_room(error)
            return None

    def _make_room(self, error: BaseException) -> None:
        import torch

        if self.batch > 1:
            self.batch //= 2
            log.info("Encoder: out of memory, %d pictures at once from now on", self.batch)
        elif self.at.device != "cpu":
            whole = self.at.precision == "float32"
            self.at = Device("cpu", "float32" if whole else _precision("cpu"))
            self.batch = self._cpu_batch
            log.info("Encoder: out of memory, goes on on the CPU")
            self._settle()
        else:
            raise EncodingError(
                "There is not enough memory to compare this photo.",
                "Close other programs, or set encoder to starter.",
            ) from error
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @staticmethod
    def _image(rgb: NDArray[np.uint8]) -> Any:
        """Make the Pillow image that the published transforms start from."""
        from torchvision.transforms.functional import to_pil_image

        return to_pil_image(np.ascontiguousarray(rgb))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell an exhausted memory from any other fault; the CPU's allocator says it in words."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring vectors to length 1.

    Raises:
        EncodingError: a vector is empty or not a number; no silent wrong score may come of it.
    """
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 1e-6)).all():
        raise EncodingError(
            "The encoder gave no numbers for a picture.", "Set encoder.device to cpu and try again."
        )
    return (vectors / lengths).astype(np.float32)


def set_threads(threads: int) -> None:
    """Give torch so many threads of this process; 0 leaves every core."""
    import torch

    if threads:
        torch.set_num_threads(threads)
