"""The reference of CLIP's fast path, for `curator bench`: open_clip used as in its own README."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.encoders.options import unit_rows
from curator.encoders.torch_network import set_threads

Encode = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float32]]


def plain_clip(model: str, threads: int, keep: Path) -> Encode:
    """Make a CLIP with random weights that runs in float32 on the CPU, picture by picture.

    Args:
        model: open_clip's name of the network.
        threads: for torch.
        keep: path of the safetensors file to write its weights to, for the fast path.

    Returns:
        A function from (H, W, 3) sRGB pictures to (N, D) unit vectors; it holds the network.
    """
    import logging

    import open_clip
    import torch
    from safetensors.torch import save_file
    from torchvision.transforms.functional import to_pil_image

    set_threads(threads)
    torch.manual_seed(0)
    logging.getLogger().setLevel(logging.ERROR)  # open_clip warns that nothing was trained
    made, _, prepare = open_clip.create_model_and_transforms(model, load_weights=False)
    made.eval()
    state = {name: value.contiguous() for name, value in made.state_dict().items()}
    save_file(state, keep)

    def encode(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        rows = []
        with torch.no_grad():
            for rgb in pictures:
                given = prepare(to_pil_image(np.ascontiguousarray(rgb))).unsqueeze(0)
                rows.append(made.encode_image(given).numpy()[0])
        return unit_rows(np.stack(rows))

    return encode
