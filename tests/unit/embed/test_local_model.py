"""What the local model makes of a GPU that is full, and of models that say strange things."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import ValidationError

from worker.embed.port import Purpose
from worker.errors import FatalError, RetriableError, Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from worker.embed.local import LocalEmbedder
    from worker.embed.local_model import LocalModel

if not find_spec("sentence_transformers"):
    pytest.skip("sentence-transformers is not installed", allow_module_level=True)


class Network:
    """As much of a SentenceTransformer as is used; the vector of a text begins with its length."""

    device = "cpu"
    max_seq_length: int | None = 256
    default_prompt_name: str | None = None
    prompts: dict[str, str | None]

    def __init__(self, rule: Callable[[list[float]], None] = lambda lengths: None) -> None:
        self.rule = rule
        self.prompts = {}
        self.asked: list[tuple[str | None, str]] = []

    def get_embedding_dimension(self) -> int | None:
        return 3

    def parameters(self) -> list[object]:
        return []

    def preprocess(self, texts: list[str], prompt: str | None, task: str) -> dict[str, Any]:
        import torch  # noqa: PLC0415 - optional extra

        self.asked.append((prompt, task))
        lengths = torch.tensor([float(len(text)) for text in texts])
        return {"lengths": lengths, "attention_mask": torch.ones(len(texts), 2), "modality": "text"}

    def __call__(self, features: dict[str, Any], task: str) -> dict[str, Any]:
        import torch  # noqa: PLC0415 - optional extra

        lengths = features["lengths"]
        self.rule(lengths.tolist())
        vectors = torch.stack([lengths, torch.ones_like(lengths), 0 * lengths], dim=1)
        vectors[lengths == 4] = float("nan")
        return {"sentence_embedding": vectors}


def local_model(network: Network, cores: int = 2) -> LocalModel:
    from worker.embed import local_model as module  # noqa: PLC0415 - optional extra

    return module.LocalModel(module.Wanted("toy", "cpu"), network, cores)


def compute(network: Network, texts: list[str], purpose: Purpose) -> tuple[np.ndarray, int]:
    """All texts in one batch."""
    model = local_model(network)
    return model.compute(model.tokens(texts, purpose), [range(len(texts))], purpose)


def embedder(network: Network) -> LocalEmbedder:
    from worker.embed.local import LocalConfig, LocalEmbedder  # noqa: PLC0415 - optional extra

    opened = LocalEmbedder(LocalConfig.model_validate({}))
    opened._held = local_model(network)
    return opened


def full_beyond(rows: int, message: str | None = None) -> Callable[[list[float]], None]:
    def rule(lengths: list[float]) -> None:
        import torch  # noqa: PLC0415 - optional extra

        if len(lengths) > rows:
            raise RuntimeError(message) if message else torch.OutOfMemoryError("CUDA out of memory")

    return rule


@pytest.mark.parametrize("message", [None, "MPS backend out of memory (MPS allocated: 9 GB)"])
def test_a_batch_that_the_memory_cannot_hold_is_halved_in_order(message: str | None) -> None:
    texts = ["a" * length for length in (7, 6, 5, 3, 2)]
    vectors, tokens = compute(Network(full_beyond(2, message)), texts, Purpose.DOCUMENT)
    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1], [7, 6, 5, 3, 2], rtol=1e-5)
    assert tokens == 2 * len(texts)


def test_memory_that_holds_not_even_one_text_is_waited_for() -> None:
    with pytest.raises(RetriableError, match="memory"):
        compute(Network(full_beyond(0)), ["a", "b"], Purpose.DOCUMENT)


def test_a_failing_model_is_fatal_and_its_words_are_not_repeated() -> None:
    with pytest.raises(FatalError, match="toy fails on cpu: RuntimeError") as raised:
        compute(Network(full_beyond(0, "row content")), ["a"], Purpose.DOCUMENT)
    assert "content" not in str(raised.value)


def test_a_text_without_a_usable_vector_is_refused_and_its_neighbours_are_not() -> None:
    answer = embedder(Network()).embed(["fine", "good!", "also fine"], Purpose.DOCUMENT)
    assert set(answer.refused) == {0}
    assert answer.refused[0].stage is Stage.EMBED
    assert answer.vectors.shape == (3, 3)


def test_a_text_alone_is_refused_only_if_another_works() -> None:
    assert set(embedder(Network()).embed(["fine"], Purpose.DOCUMENT).refused) == {0}


def test_a_model_that_makes_nothing_usable_is_fatal() -> None:
    class Broken(Network):
        def __call__(self, features: dict[str, Any], task: str) -> dict[str, Any]:
            return {"sentence_embedding": features["lengths"][:, None].expand(-1, 3) * 0}

    with pytest.raises(FatalError, match=r"embedder\.device"):
        embedder(Broken()).embed(["fine", "good"], Purpose.DOCUMENT)


def test_a_call_makes_its_tokens_while_another_one_computes() -> None:
    prepared = threading.Event()

    class Waiting(Network):
        def preprocess(self, texts: list[str], prompt: str | None, task: str) -> dict[str, Any]:
            if texts == ["second"]:
                prepared.set()
            return super().preprocess(texts, prompt, task)

    def wait(lengths: list[float]) -> None:
        if lengths == [5]:
            assert prepared.wait(10)

    shared = embedder(Waiting(wait))
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda text: shared.embed([text], Purpose.DOCUMENT), ["first", "second"])
        assert [answer.refused for answer in answers] == [{}, {}]


def test_each_core_computes_a_batch_of_its_own() -> None:
    together = threading.Barrier(2, timeout=10)
    used: list[int] = []

    def rule(lengths: list[float]) -> None:
        import torch  # noqa: PLC0415 - optional extra

        together.wait()
        used.append(torch.get_num_threads())

    model = local_model(Network(rule))
    tokens = model.tokens(["first", "second"], Purpose.DOCUMENT)
    vectors, _ = model.compute(tokens, [[0], [1]], Purpose.DOCUMENT)
    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1], [5, 6], rtol=1e-5)
    assert used == [1, 1]


def test_a_batch_alone_has_all_cores() -> None:
    used: list[int] = []

    def rule(lengths: list[float]) -> None:
        import torch  # noqa: PLC0415 - optional extra

        used.append(torch.get_num_threads())

    model = local_model(Network(rule))
    for batches in ([[0], [1]], [[0, 1]]):
        model.compute(model.tokens(["one", "two"], Purpose.DOCUMENT), batches, Purpose.DOCUMENT)
    assert used == [1, 1, 2]


def test_batches_side_by_side_share_weights_and_nothing_that_a_model_changes() -> None:
    together = threading.Barrier(2, timeout=10)
    weights = object()
    seen: list[object] = []

    class Forgetful(Network):
        """Keeps what it computes in an attribute."""

        lengths: Any
        weights: object

        def parameters(self) -> list[object]:
            return [weights]

        def __call__(self, features: dict[str, Any], task: str) -> dict[str, Any]:
            self.lengths = features["lengths"]
            together.wait()
            seen.append(self.weights)
            return super().__call__({"lengths": self.lengths}, task)

    network = Forgetful()
    network.weights = weights
    model = local_model(network)
    tokens = model.tokens(["first", "second"], Purpose.DOCUMENT)
    vectors, _ = model.compute(tokens, [[0], [1]], Purpose.DOCUMENT)
    np.testing.assert_allclose(vectors[:, 0] / vectors[:, 1], [5, 6], rtol=1e-5)
    assert seen == [weights, weights]


def test_prompts_follow_the_purpose_and_name_the_mode() -> None:
    network = Network()
    network.prompts = {"query": "search: ", "passage": "text: ", "document": ""}
    compute(network, ["a"], Purpose.DOCUMENT)
    compute(network, ["a"], Purpose.QUERY)
    assert network.asked == [("text: ", "document"), ("search: ", "query")]
    assert str(local_model(network).id) == "local/toy/3/passage"


def test_a_default_prompt_counts_where_there_is_no_special_one() -> None:
    network = Network()
    network.prompts = {"general": "say: "}
    network.default_prompt_name = "general"
    compute(network, ["a"], Purpose.QUERY)
    assert network.asked == [("say: ", "query")]


def test_a_model_without_dimensions_is_fatal() -> None:
    class Silent(Network):
        def get_embedding_dimension(self) -> int | None:
            return None

    with pytest.raises(FatalError, match="dimensions"):
        local_model(Silent())


def test_a_folder_that_holds_no_model_is_fatal(tmp_path: Path) -> None:
    from worker.embed.local import LocalConfig, LocalEmbedder  # noqa: PLC0415 - optional extra

    keys = {"embedder.model": str(tmp_path), "embedder.device": "cpu"}
    with pytest.raises(FatalError, match=r"embedder\.model"):
        _ = LocalEmbedder(LocalConfig.model_validate(keys)).model


def test_an_unknown_device_is_refused_by_the_configuration() -> None:
    from worker.embed.local import LocalConfig  # noqa: PLC0415 - optional extra

    with pytest.raises(
        ValidationError, match=r"embedder\.device`\n.* auto, cpu, mps, cuda or cuda:N"
    ):
        LocalConfig.model_validate({"embedder.device": "tpu"})
    for device in ("auto", "cpu", "mps", "cuda", "cuda:1"):
        assert LocalConfig.model_validate({"embedder.device": device}).device == device
