"""A sentence-transformers model that is loaded, computing one call after the other.

Each call makes its tokens in its own thread, while the model's threads compute for another one: a
single one launches all batches on a GPU, and on the CPU each core has one and a batch of its own.
Cores that share a batch wait for each other after every operation, and for Python in between.
"""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from worker.embed.model_files import stable_name
from worker.embed.port import Purpose
from worker.embed.tokens import json_of, tokenizer_of
from worker.embed.transfer import Download, upload
from worker.errors import FatalError, RetriableError
from worker.immutable import immutable
from worker.model import ModelId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    from worker.embed.tokens import Tokens

_CORES = torch.get_num_threads()
"""That torch uses for one operation, before anything here changes it."""
_NO_LIMIT = 8192
"""Tokens of a text for models that do not say where they cut."""

_PROMPTS = {
    Purpose.DOCUMENT: ("document", "passage", "corpus"),
    Purpose.QUERY: ("query",),
}
"""Names of prompts by purpose, as ``encode_document`` and ``encode_query`` look for them."""


@immutable
class Wanted:
    """What a user of a model asks for."""

    name: str
    device: str


@immutable(eq=False)
class _Batch:
    """Texts of a call, by index, and what the network takes of them."""

    rows: Sequence[int]
    features: dict[str, Any]


@immutable(eq=False)
class _Launched:
    """A batch that the device computes."""

    rows: Sequence[int]
    download: Download


class LocalModel:
    """A loaded model. Safe to use from several threads at once."""

    def __init__(self, wanted: Wanted, network: SentenceTransformer, cores: int = _CORES) -> None:
        """``cores`` are those of the CPU, if it computes there."""
        self.wanted = wanted
        self._network = network
        self.device = str(self._network.device)
        self._cores = cores if self.on_cpu else 1
        self._own = threading.local()
        self._threads = ThreadPoolExecutor(
            self._cores, thread_name_prefix="local-model", initializer=self._begin
        )
        self.longest = int(self._network.max_seq_length or _NO_LIMIT)
        """Tokens after which the model cuts a text off."""
        self.id = ModelId(
            provider="local",
            name=stable_name(wanted.name),
            dimensions=_dimensions(self._network, wanted.name),
            document_mode=_prompt(self._network, Purpose.DOCUMENT)[0],
        )
        self.tokenizer = json_of(self._network)
        """See ``HasTokenizer``."""
        self._tokenizers = {
            purpose: tokenizer_of(
                self._network, _prompt(self._network, purpose)[1], purpose.value, self.longest
            )
            for purpose in Purpose
        }

    @property
    def on_cpu(self) -> bool:
        """Whether it computes on the CPU."""
        return self.device == "cpu"

    @property
    def longest_text(self) -> int:
        """Tokens that it takes of a row's text, beside the prompt and the marks around it."""
        empty = self._tokenizers[Purpose.DOCUMENT]([""])
        return self.longest - empty.counts[0]

    def close(self) -> None:
        """End its threads."""
        self._threads.shutdown(wait=False)

    def tokens(self, texts: Sequence[str], purpose: Purpose) -> Tokens:
        """The texts as tokens, their prompt included; computed in the caller's thread."""
        return self._tokenizers[purpose](texts)

    def compute(
        self, tokens: Tokens, batches: Iterable[Sequence[int]], purpose: Purpose
    ) -> tuple[NDArray[np.float32], int]:
        """Unit vectors, shape (all texts, dimensions), and the number of tokens computed.

        Texts in no batch get zeros. Halves a batch that the device's memory cannot hold.

        Raises:
            RetriableError: not even one text fits; somebody else may be using the GPU.
            FatalError: the model fails.
        """
        prepared = [_Batch(rows, tokens.features(rows)) for rows in batches]
        counted = sum(_counted(batch.features) for batch in prepared)
        launched = self._launch_all(tokens, prepared, purpose)
        vectors = np.zeros((len(tokens.counts), self.id.dimensions), dtype=np.float32)
        for batch in launched:
            vectors[batch.rows] = self._received(batch)
        return vectors, counted

    def _begin(self) -> None:
        """In each of the model's threads: some models change attributes while they compute."""
        self._own.network = self._network if self._cores == 1 else _twin(self._network)

    def _launch_all(
        self, tokens: Tokens, prepared: Sequence[_Batch], task: Purpose
    ) -> list[_Launched]:
        """In the model's threads; a GPU goes on computing after them."""
        cores = max(1, self._cores // max(1, len(prepared)))

        def launch(batch: _Batch) -> list[_Launched]:
            if self.on_cpu:
                torch.set_num_threads(cores)  # of the thread that calls it
            return self._launch(tokens, batch, task)

        return list(chain.from_iterable(self._threads.map(launch, prepared)))

    def _launch(self, tokens: Tokens, batch: _Batch, task: Purpose) -> list[_Launched]:
        try:
            return [_Launched(batch.rows, self._forward(batch.features, task))]
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise self._failure(error) from error
            if len(batch.rows) == 1:
                raise RetriableError(
                    f"the memory of {self.device} does not hold one text of {self.id.name}"
                ) from error
        middle = len(batch.rows) // 2
        halves = batch.rows[:middle], batch.rows[middle:]
        smaller = [_Batch(rows, tokens.features(rows)) for rows in halves]
        return [one for half in smaller for one in self._launch(tokens, half, task)]

    def _forward(self, features: dict[str, Any], task: Purpose) -> Download:
        """What ``encode`` does for one of its batches."""
        with torch.inference_mode():
            on_device = upload(features, self._network.device)
            vectors = self._own.network(on_device, task=task.value)["sentence_embedding"].float()
            return Download(torch.nn.functional.normalize(vectors, p=2, dim=1))

    def _received(self, launched: _Launched) -> NDArray[np.float32]:
        """What a GPU has to complain about comes only now."""
        try:
            return launched.download.result()
        except RuntimeError as error:
            raise self._failure(error) from error

    def _failure(self, error: RuntimeError) -> FatalError:
        """Without the library's words, which may quote a text."""
        return FatalError(
            f"the model {self.id.name} fails on {self.device}: {type(error).__name__}"
        )


def _twin(network: SentenceTransformer) -> SentenceTransformer:
    """Another one with the same weights and tokenizer."""
    shared = (*network.parameters(), getattr(network, "tokenizer", None))
    return copy.deepcopy(network, {id(one): one for one in shared})


def _dimensions(network: SentenceTransformer, name: str) -> int:
    dimensions = network.get_embedding_dimension()
    if dimensions is None:
        raise FatalError(f"the model {name!r} does not say how many dimensions it makes")
    return int(dimensions)


def _prompt(network: SentenceTransformer, purpose: Purpose) -> tuple[str, str]:
    """Name and text of the prompt for a purpose; both empty if the model has none."""
    prompts: dict[str, str | None] = network.prompts
    for name in (*_PROMPTS[purpose], network.default_prompt_name):
        if name and prompts.get(name):
            return name, str(prompts[name])
    return "", ""


def _is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA has a class for it; Apple's GPU says it in words."""
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()


def _counted(features: dict[str, Any]) -> int:
    """Tokens without padding."""
    if "attention_mask" in features:
        return int(features["attention_mask"].sum())
    return int(features["input_ids"].numel()) if "input_ids" in features else 0
