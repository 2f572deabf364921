"""CLIP: which weights are refused, and the vectors it makes."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest

from curator.encoders import EncoderOptions, load, torch_network
from curator.encoders import open_clip as clip_module
from curator.encoders.torch_network import Device
from curator.model import KnownError

pytestmark = pytest.mark.slow  # torch and open_clip take ten seconds to import


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def clip_options(torch, tmp_path_factory):
    """A tiny CLIP with random weights, saved as a training checkpoint."""
    tower = {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16}
    return saved_clip("curator-tiny", tower, tmp_path_factory.mktemp("clip"), torch)


def saved_clip(name, tower, folder, torch):
    import json

    open_clip = pytest.importorskip("open_clip")
    config = {
        "embed_dim": 48,
        "vision_cfg": tower,
        "text_cfg": {
            "context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1
        },
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder / f"{name}.json")
    torch.manual_seed(0)
    model = open_clip.create_model(name, load_weights=False)
    torch.save({"state_dict": model.state_dict(), "epoch": 3}, folder / "tiny.pt")
    return EncoderOptions(checkpoint=folder / "tiny.pt", model=name, pretrained="", threads=1)


def pictures(*sizes: tuple[int, int]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    found = []
    for height, width in sizes:
        coarse = rng.integers(0, 255, (6, 8, 3), np.uint8)
        found.append(np.kron(coarse, np.ones((height // 6 + 1, width // 8 + 1, 1), np.uint8))
                     [:height, :width])  # fmt: skip
    return found


SIZES = ((300, 400), (400, 300), (240, 960), (7, 500))


def test_clip_loads_the_users_checkpoint(clip_options):
    encoder = load("open_clip", clip_options)
    vectors = encoder.encode(pictures(*SIZES))
    assert vectors.shape == (4, 48) and vectors.dtype == np.float32
    assert encoder.dimension == 48
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    words = encoder.encode_texts(["a dog", "the sea"])
    assert words.shape == (2, 48)
    np.testing.assert_allclose(np.linalg.norm(words, axis=1), 1, atol=1e-6)
    assert encoder.encode([]).shape == (0, 48)


@pytest.fixture
def int8(torch, monkeypatch):
    """A CPU for which int8 is the fastest precision."""
    from curator.encoders import int8

    if not int8.is_supported():
        pytest.skip("this CPU has no fast int8")
    monkeypatch.setattr(torch_network, "_precision", lambda device: "int8")
    return int8


def vectors_of_open_clip(options, shown, torch):
    import open_clip
    from PIL import Image

    model, _, prepare = open_clip.create_model_and_transforms(options.model, load_weights=False)
    open_clip.load_checkpoint(model, str(options.checkpoint))
    model.eval()
    with torch.inference_mode():
        given = torch.stack([prepare(Image.fromarray(rgb)) for rgb in shown])
        return torch.nn.functional.normalize(model.encode_image(given)).numpy()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_clip_gives_the_same_vectors_as_open_clip(precision, clip_options, torch, monkeypatch):
    monkeypatch.setattr(torch_network, "_precision", lambda device: precision)
    shown = pictures(*SIZES)
    theirs = vectors_of_open_clip(clip_options, shown, torch)
    ours = load("open_clip", clip_options).encode(shown)
    assert (ours * theirs).sum(axis=1).min() > 0.9999


def test_vectors_of_int8_can_be_compared_with_those_of_open_clip(clip_options, torch, int8):
    shown = pictures(*SIZES)
    theirs = vectors_of_open_clip(clip_options, shown, torch)
    encoder = load("open_clip", clip_options)
    for _ in range(2):  # the first run decides whether int8 is exact enough
        cosines = (encoder.encode(shown) * theirs).sum(axis=1)
        assert 0.995 < cosines.min() < 0.999999, "int8 is close to float32, and not float32"
    assert encoder.device == "CPU, int8"


def test_weights_for_which_int8_is_too_coarse_run_in_float32(clip_options, torch, int8, tmp_path):
    from dataclasses import replace

    state = torch.load(clip_options.checkpoint, weights_only=True)["state_dict"]
    block = "visual.transformer.resblocks.0."
    state[block + "ln_2.weight"][0] *= 1e4  # hides all other channels; the next layer undoes it
    state[block + "mlp.c_fc.weight"][:, 0] /= 1e4
    torch.save(state, tmp_path / "outlier.pt")
    options = replace(clip_options, checkpoint=tmp_path / "outlier.pt")
    shown = pictures(*SIZES)
    theirs = vectors_of_open_clip(options, shown, torch)
    encoder = load("open_clip", options)
    assert (encoder.encode(shown) * theirs).sum(axis=1).min() > 0.9999
    assert encoder.device == "CPU, float32"


def test_a_network_without_transformer_blocks_runs_in_float32(torch, int8, tmp_path, caplog):
    tower = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16}
    options = saved_clip("curator-resnet", tower, tmp_path, torch)
    shown = pictures(*SIZES)
    theirs = vectors_of_open_clip(options, shown, torch)
    encoder = load("open_clip", options)
    with caplog.at_level("INFO"):
        assert (encoder.encode(shown) * theirs).sum(axis=1).min() > 0.9999
    assert encoder.device == "CPU, float32"
    assert "no blocks for which int8 is implemented" in caplog.text
    assert "exact" not in caplog.text


def test_a_network_that_torch_cannot_quantize_runs_in_float32(
    clip_options, torch, int8, monkeypatch, caplog
):
    quantized = Mock(side_effect=RuntimeError("no such packing"))
    monkeypatch.setattr(int8, "quantized", quantized)
    encoder = load("open_clip", clip_options)
    with caplog.at_level("INFO"):
        for _ in range(2):
            assert encoder.encode(pictures(*SIZES)).shape == (4, 48)
    assert encoder.device == "CPU, float32" and quantized.call_count == 1
    assert "no such packing" in caplog.text


def test_too_little_memory_to_quantize_halves_the_batch(clip_options, int8, monkeypatch):
    encoder = load("open_clip", clip_options)
    short = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")
    with monkeypatch.context() as full:
        full.setattr(int8, "quantized", Mock(side_effect=short))
        with pytest.raises(KnownError, match="not enough memory"):
            encoder.encode(pictures(*SIZES))
    assert encoder.encode(pictures(*SIZES)).shape == (4, 48)
    assert encoder.device == "CPU, int8"


@pytest.mark.parametrize("lacking", ["_is_avx2_supported", "_is_vnni_supported"])
def test_a_torch_without_probes_of_the_cpu_still_runs(clip_options, torch, monkeypatch, lacking):
    monkeypatch.delattr(torch.cpu, lacking)
    monkeypatch.setattr(torch_network, "cpu_bf16", lambda: "")
    encoder = load("open_clip", clip_options)
    assert encoder.encode(pictures(*SIZES)).shape == (4, 48)


def test_the_vector_of_a_word_is_the_mean_of_its_sentences(clip_options, torch):
    import open_clip

    from curator.encoders import zero_shot

    encoder = load("open_clip", clip_options)
    vocabulary = zero_shot.parse("dog\nthe sea: open sea\n")
    found = zero_shot.word_vectors(encoder, vocabulary.sentences())
    assert found.shape == (2, 48)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    model = open_clip.create_model("curator-tiny", load_weights=False)
    open_clip.load_checkpoint(model, str(clip_options.checkpoint))
    said = [template.format("open sea") for template in zero_shot.TEMPLATES]
    with torch.inference_mode():
        theirs = model.eval().encode_text(open_clip.get_tokenizer("curator-tiny")(said))
        mean = torch.nn.functional.normalize(theirs).mean(0)
    assert float(found[1] @ (mean / mean.norm()).numpy()) > 0.9999
    assert encoder.scale == pytest.approx(float(model.logit_scale.detach().exp()))


def test_pictures_are_preprocessed_as_the_weights_were_trained(torch):
    import open_clip

    model = open_clip.create_model("ViT-S-32-alt", load_weights=False)
    usual = clip_module._preprocessing(model, EncoderOptions(pretrained=""))
    trained = clip_module._preprocessing(model, EncoderOptions())  # laion2b_s32b_b82k of ViT-L-14
    assert tuple(trained.transforms[-1].mean) == (0.5, 0.5, 0.5)
    assert tuple(usual.transforms[-1].mean) != (0.5, 0.5, 0.5)


def test_safetensors_load_and_other_weights_have_another_key(clip_options, torch, tmp_path):
    from dataclasses import replace

    from safetensors.torch import save_file

    state = torch.load(clip_options.checkpoint, weights_only=True)["state_dict"]
    save_file(state, tmp_path / "tiny.safetensors")
    one = load("open_clip", clip_options)
    other = load("open_clip", replace(clip_options, checkpoint=tmp_path / "tiny.safetensors"))
    np.testing.assert_allclose(one.encode(pictures(*SIZES)), other.encode(pictures(*SIZES)))
    assert one.key != other.key
    assert one.key == load("open_clip", clip_options).key


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code ran')",))


def write_bad_weights(kind: str, good, folder, torch):
    """Write one of the bad files people end up with; return its path."""
    path = folder / ("weights.safetensors" if kind == "cut safetensors" else "weights.pt")
    if kind == "cut off":
        path.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    elif kind == "cut safetensors":
        path.write_bytes(b'\x10\x00\x00\x00\x00\x00\x00\x00{"a":')
    elif kind == "empty":
        path.touch()
    elif kind == "code":
        torch.save({"state_dict": {"x": Evil()}}, path)
    elif kind == "plain pickle":
        import pickle

        path.write_bytes(pickle.dumps(Evil()))
    elif kind == "text":
        path.write_text("<html>404 not found</html>")
    elif kind == "other model":
        torch.save({"conv.weight": torch.zeros(3, 3)}, path)
    elif kind == "not numbers":
        found = torch.load(good, weights_only=True)
        found = dict(found.get("state_dict", found))
        first = next(name for name, value in found.items() if value.is_floating_point())
        found[first] = torch.full_like(found[first], float("nan"))
        torch.save(found, path)
    elif kind == "a list":
        torch.save([torch.zeros(2)], path)
    elif kind == "gone":
        pass
    return path


BAD = ("cut off", "cut safetensors", "empty", "code", "plain pickle", "text", "other model",
       "not numbers", "a list", "gone")  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_clip_weights_are_refused_with_a_remedy(kind, clip_options, torch, tmp_path):
    from dataclasses import replace

    path = write_bad_weights(kind, clip_options.checkpoint, tmp_path, torch)
    with pytest.raises(KnownError) as refusal:
        load("open_clip", replace(clip_options, checkpoint=path))
    assert refusal.value.remedy
    assert "weights" in str(refusal.value)


def test_code_in_weights_is_named_as_the_reason(clip_options, torch, tmp_path):
    from dataclasses import replace

    path = write_bad_weights("code", clip_options.checkpoint, tmp_path, torch)
    with pytest.raises(KnownError, match="may contain code"):
        load("open_clip", replace(clip_options, checkpoint=path))


def test_an_unknown_model_or_device_is_refused(clip_options):
    from dataclasses import replace

    with pytest.raises(KnownError, match="has no model"):
        load("open_clip", replace(clip_options, model="ViT-XXL-99"))
    with pytest.raises(KnownError, match="no device"):
        load("open_clip", replace(clip_options, device="tpu"))


def test_batches_shrink_when_memory_runs_out(clip_options, torch, monkeypatch):
    monkeypatch.setattr(torch_network, "_precision", lambda device: "float32")  # int8 runs one
    encoder = load("open_clip", clip_options)
    network = encoder._network
    shown = pictures(*SIZES * 3)
    expected = encoder.encode(shown)
    real, sizes = network._run, []

    def short_of_memory(model, given):
        sizes.append(len(given))
        if len(given) > 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")
        return real(model, given)

    monkeypatch.setattr(network, "_run", short_of_memory)
    assert (encoder.encode(shown) * expected).sum(axis=1).min() > 0.9999
    assert encoder.batch == 2 and max(sizes) == 8


def test_too_little_memory_for_even_one_picture_is_an_error(clip_options, torch, monkeypatch):
    encoder = load("open_clip", clip_options)

    def never(model, given):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(encoder._network, "_run", never)
    with pytest.raises(KnownError, match="not enough memory"):
        encoder.encode(pictures((50, 60)))


def test_another_runtime_error_is_not_taken_for_lack_of_memory(clip_options, monkeypatch):
    encoder = load("open_clip", clip_options)

    def broken(model, given):
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(encoder._network, "_run", broken)
    with pytest.raises(RuntimeError, match="multiplied"):
        encoder.encode(pictures((50, 60)))


def test_a_vector_of_nan_is_an_error(clip_options, monkeypatch):
    encoder = load("open_clip", clip_options)
    monkeypatch.setattr(encoder._network, "_run", lambda model, given: given.mean((2, 3)) * np.nan)
    with pytest.raises(KnownError, match="no numbers") as failed:
        encoder.encode(pictures((50, 60)))
    assert failed.value.remedy == "", "it runs on the CPU already"

    class OnGpu:
        device = Device("cuda", "float16")

        def __call__(self, given):
            return np.full((len(given), 48), np.nan, np.float32)

    monkeypatch.setattr(encoder, "_network", OnGpu())
    with pytest.raises(KnownError, match=r"encoder\.device\) to cpu"):
        encoder.encode(pictures((50, 60)))


def test_a_download_is_described_without_using_the_network(tmp_path):
    pytest.importorskip("open_clip")
    plan = clip_module.download_plan(EncoderOptions(folder=tmp_path))
    assert "1.7 GB" in plan.sentence
    assert "huggingface.co/laion/CLIP-ViT-L-14-laion2B-s32B-b82K" in plan.sentence
    assert str(tmp_path) in plan.sentence
    with pytest.raises(KnownError, match="Downloading weights is off"):
        clip_module.download_plan(EncoderOptions(folder=tmp_path, downloads_allowed=False))
    with pytest.raises(KnownError, match="no weights"):
        clip_module.download_plan(EncoderOptions(folder=tmp_path, pretrained="nonsense"))
