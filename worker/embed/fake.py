"""An embedder that costs nothing: vectors from a hash of the text, and what tests need to say.

Equal texts get equal vectors, different texts different ones; near texts are not near.
"""

from __future__ import annotations

import threading
from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from worker.clock import Clock, SystemClock
from worker.config.section import Section
from worker.embed.port import Embeddings, Limits, Overlong, Purpose, Terms
from worker.errors import RecordError, Stage
from worker.model import ModelId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from worker.errors import WorkerError

_SEED = np.dtype("<i2")
_SEED_BYTES = 64
_SEED_NUMBERS = _SEED_BYTES // _SEED.itemsize


class FakeConfig(Section):
    """Settings of the fake embedder."""

    model: str = Field(
        default="fake",
        alias="embedder.model",
        description="Any name; another name is another model.",
    )
    dimensions: int = Field(
        default=384, alias="embedder.dimensions", ge=1, description="Length of the vectors."
    )
    latency_ms: float = Field(
        default=0.0, alias="embedder.latency.ms", ge=0, description="How long each call takes."
    )
    refuse: str = Field(
        default="", alias="embedder.refuse", description="Texts that contain this are refused."
    )
    max_in_flight: int = Field(
        default=8, alias="embedder.max.in.flight", ge=1, description="Calls side by side."
    )


class FakeEmbedder:
    """Hashes instead of a model. Thread-safe."""

    Config: ClassVar[type[Section]] = FakeConfig

    def __init__(self, config: FakeConfig, *, clock: Clock | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._errors: deque[WorkerError] = deque()
        self._lock = threading.Lock()
        self.calls = 0
        """Calls so far, failed ones included."""
        self.texts = 0
        """Texts in calls that did not fail."""

    def fail_next(self, *errors: WorkerError) -> None:
        """Let the next calls raise these, in order."""
        with self._lock:
            self._errors.extend(errors)

    @property
    def model(self) -> ModelId:
        """As configured."""
        return ModelId("fake", self._config.model, self._config.dimensions)

    @property
    def limits(self) -> Limits:
        """Like those of a usual provider."""
        return Limits(texts=96, in_flight=self._config.max_in_flight)

    @property
    def terms(self) -> Terms:
        """Costs nothing, and is never too fast."""
        return Terms(account="fake")

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        """Hash each text; documents and queries alike, so that a text finds itself."""
        del purpose, overlong
        self._begin(len(texts))
        if self._config.latency_ms:
            self._clock.wait(threading.Event(), self._config.latency_ms / 1000)
        return Embeddings(
            _hashed(texts, self._config.dimensions), tokens=0, refused=self._refused(texts)
        )

    def close(self) -> None:
        """Holds nothing."""

    def _begin(self, texts: int) -> None:
        with self._lock:
            self.calls += 1
            if self._errors:
                raise self._errors.popleft()
            self.texts += texts

    def _refused(self, texts: Sequence[str]) -> dict[int, RecordError]:
        part = self._config.refuse
        if not part:
            return {}
        return {
            index: RecordError("the text is refused", stage=Stage.EMBED, kind="TextRefused")
            for index, text in enumerate(texts)
            if part in text
        }


def _hashed(texts: Sequence[str], dimensions: int) -> NDArray[np.float32]:
    """Unit vectors, shape (texts, dimensions): each text's digest, repeated to the length."""
    digests = b"".join(
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_SEED_BYTES).digest()
        for text in texts
    )
    seeds = np.frombuffer(digests, _SEED).reshape(len(texts), _SEED_NUMBERS).astype(np.float32)
    seeds += 0.5  # so that no vector is zero
    vectors: NDArray[np.float32] = np.tile(seeds, (1, -(-dimensions // _SEED_NUMBERS)))[
        :, :dimensions
    ]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
