"""The openai_compatible provider with a real llama.cpp, if llama-cpp-python is installed.

The test writes its own model: 2 MB in which each letter depends only on the last one, so it can
spell one word; the server's grammar makes records of it. CURATOR_LLAMA_CPP names a Python with
``llama-cpp-python[server]`` and ``gguf``; the default is the Python that runs the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from curator import vision
from curator.vision import VisionOptions

pytestmark = pytest.mark.slow

PYTHON = os.environ.get("CURATOR_LLAMA_CPP", sys.executable)

WRITE = """
import sys

import gguf
import numpy as np

tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
count, width = len(tokens), 288
out = np.zeros((count, width), np.float32)
for last, following in zip('"harbo', 'harbor', strict=True):
    out[3 + ord(following), 3 + ord(last)] = 9
out[3 + ord('"'), 3 + ord("r")] = 12
tensors = {"token_embd": np.eye(count, width, dtype=np.float32), "output": out}
tensors |= dict.fromkeys(("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"), np.ones(width))
for name in ("q", "k", "v", "output"):
    tensors[f"blk.0.attn_{name}"] = np.zeros((width, width))
tensors |= dict.fromkeys(("blk.0.ffn_gate", "blk.0.ffn_up"), np.zeros((32, width)))
tensors["blk.0.ffn_down"] = np.zeros((width, 32))

file = gguf.GGUFWriter(sys.argv[1], "llama")
file.add_context_length(8192)
file.add_embedding_length(width)
file.add_block_count(1)
file.add_feed_forward_length(32)
file.add_head_count(4)
file.add_head_count_kv(4)
file.add_layer_norm_rms_eps(1e-5)
file.add_rope_dimension_count(72)
file.add_vocab_size(count)
file.add_tokenizer_model("llama")
file.add_token_list(tokens)
file.add_token_scores([0.0] * count)
file.add_token_types([2, 3, 3, *[6] * 256])
file.add_bos_token_id(1)
file.add_eos_token_id(2)
file.add_unk_token_id(0)
file.add_chat_template("{% for message in messages %}{{ message.role }}{% endfor %}")
for name, values in tensors.items():
    file.add_tensor(f"{name}.weight", values.astype(np.float32))
file.write_header_to_file()
file.write_kv_data_to_file()
file.write_tensors_to_file()
file.close()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A llama.cpp server with that model, on a free port."""
    has = [PYTHON, "-c", "import gguf, llama_cpp.server.app"]
    if subprocess.run(has, capture_output=True, check=False).returncode:
        pytest.skip("no llama-cpp-python[server] with gguf here (CURATOR_LLAMA_CPP names one)")
    model = tmp_path / "tiny.gguf"
    subprocess.run([PYTHON, "-c", WRITE, model], check=True, capture_output=True)
    command = [PYTHON, "-m", "llama_cpp.server", "--model", model, "--model_alias", "tiny"]
    command += ["--host", "127.0.0.1", "--port", "0", "--n_ctx", "8192"]
    log = tmp_path / "log"
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as running:
        try:
            yield _address(log, running)
        finally:
            running.terminate()


def _address(log: Path, running: subprocess.Popen[bytes]) -> str:
    """Wait for the line in the log with the server's address."""
    while running.poll() is None:
        for line in log.read_text("utf-8").splitlines():
            if "running on http" in line:
                return next(word for word in line.split() if word.startswith("http"))
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.1)
    pytest.fail(f"llama.cpp did not start: {log.read_text('utf-8')[-500:]}")


def test_llama_cpp_describes_a_picture(server: str) -> None:
    options = VisionOptions("openai_compatible", server, "tiny", timeout_s=100)
    health = vision.check(options, vision.sample_picture())
    assert health.ok, health
    assert health.models == ("tiny",) and health.description is not None
    assert "har" in health.description.subject and health.description.suggested_tags
