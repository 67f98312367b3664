"""Folders with sentence-transformers models that are small enough to be carried to a machine.

python -m benchmarks.models FOLDER half|minilm|base|large

``half`` is the packaged model with its weights as float16. The others are made up: sizes of well
known models with random weights and the packaged tokenizer, as speed does not depend on weights.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

from worker.embed.model_files import PACKAGED, path_of

_NO_WEIGHTS = shutil.ignore_patterns("*.safetensors", "*.bin", "README.md", "data_config.json")
HALF = "half"
SIZES = {
    "minilm": {"hidden_size": 384, "num_hidden_layers": 6, "intermediate_size": 1536},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24, "intermediate_size": 4096},
}
_WIDTH_OF_A_HEAD = {"minilm": 32}


def make(folder: Path, kind: str, like: str = PACKAGED) -> str:
    """Write a model of this kind, with tokenizer and settings of ``like``; gives its folder."""
    source = Path(path_of(like))
    shutil.copytree(source, folder, ignore=_NO_WEIGHTS, dirs_exist_ok=True)
    model = BertModel.from_pretrained(source) if kind == HALF else _random(folder, kind)
    model.half().save_pretrained(folder)
    return str(folder)


def _random(folder: Path, kind: str) -> BertModel:
    torch.manual_seed(1)
    sizes = SIZES[kind]
    heads = sizes["hidden_size"] // _WIDTH_OF_A_HEAD.get(kind, 64)
    known = json.loads((folder / "config.json").read_text())
    pooling = folder / "1_Pooling" / "config.json"
    settings = json.loads(pooling.read_text())
    pooling.write_text(json.dumps({**settings, "word_embedding_dimension": sizes["hidden_size"]}))
    return BertModel(BertConfig(**{**known, **sizes, "num_attention_heads": heads}))


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2])
