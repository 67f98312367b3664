"""What the three interfaces have to say for themselves; the gateway does the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from worker.provider_local.job import Call, Job, Refusal


class Dialect(Protocol):
    """One provider's interface."""

    name: str

    def key(self, headers: Mapping[str, str]) -> str | None:
        """The key that a request carries; None where none is needed."""
        ...

    def read(self, call: Call) -> Job:
        """What is asked for.

        Raises:
            Refusal: the provider would not do it.
        """
        ...

    def answer(self, job: Job, vectors: NDArray[np.float32], order: Sequence[int]) -> bytes:
        """The JSON of an answer; ``order`` says at which place each vector comes."""
        ...

    def failure(self, refusal: Refusal) -> object:
        """The body of an error."""
        ...

    def models(self) -> object:
        """The body of the list of models."""
        ...


def bearer(headers: Mapping[str, str]) -> str:
    """The key of an ``Authorization: Bearer`` header, or nothing."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
