"""Read weights files safely: as data, never as code; errors say what is wrong with the file."""

from __future__ import annotations

import hashlib
import pickle
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from curator.model import KnownError

if TYPE_CHECKING:
    import torch

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")


class WeightsError(KnownError):
    """A weights file cannot be used."""


def read(path: Path, remedy: str) -> dict[str, torch.Tensor]:
    """Read a file's tensors by name, without ever executing anything in it.

    Raises:
        WeightsError: the file is missing, cut off, of another kind, or a pickle that holds code.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with _explain_errors(path, remedy, SafetensorError):
        if path.suffix == ".safetensors":
            found: object = load_file(path)
        else:
            mapped = zipfile.is_zipfile(path)  # files from before 2020 cannot be mapped
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
        if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
            found = found["state_dict"]
    if not (isinstance(found, dict) and found):
        raise WeightsError(f"{path.name} holds no weights.", remedy)
    tensors = {str(name): value for name, value in found.items() if torch.is_tensor(value)}
    if len(tensors) != len(found):
        raise WeightsError(f"{path.name} holds more than weights.", remedy)
    broken = next((n for n, t in tensors.items() if not bool(torch.isfinite(t).all())), None)
    if broken is not None:
        raise WeightsError(f"{path.name} is damaged: {broken} is not made of numbers.", remedy)
    return tensors


@contextmanager
def _explain_errors(path: Path, remedy: str, unsafe_header: type[Exception]) -> Iterator[None]:
    """Turn the errors of loaders on bad files into WeightsError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns about odd pickles before refusing them
            yield
    except FileNotFoundError as error:
        raise WeightsError(f"{path} does not exist.", remedy) from error
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise WeightsError(f"{path} cannot be read ({reason}).", remedy) from error
    except pickle.UnpicklingError as error:
        reason = (
            "holds more than weights (it may contain code) and was not opened"
            if "unsupported global" in str(error).lower()
            else "is cut off or not a weights file"
        )
        raise WeightsError(f"{path.name} {reason}.", remedy) from error
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, unsafe_header) as error:
        raise WeightsError(f"{path.name} is cut off or not a weights file.", remedy) from error


def fingerprint(path: Path) -> str:
    """Return a digest of the size and the first and last 64 KiB, 16 hex digits."""
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=8)
    with path.open("rb") as file:
        digest.update(file.read(65536))
        file.seek(max(size - 65536, 0))
        digest.update(file.read(65536))
    return digest.hexdigest()
