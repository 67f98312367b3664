"""Voyage's ``/v1/embeddings``, as https://docs.voyageai.com/reference/embeddings-api has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.provider_local.dialect import bearer
from worker.provider_local.job import Bounds, Encoding, Job, Refusal, billed, choice_of, texts_of
from worker.provider_local.openai import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from worker.provider_local.job import Call

CALL_TOKENS: Final[Mapping[str, int]] = {
    "voyage-4-large": 120_000,
    "voyage-4": 320_000,
    "voyage-4-lite": 1_000_000,
    "voyage-3-large": 120_000,
    "voyage-3.5": 320_000,
    "voyage-3.5-lite": 1_000_000,
    "voyage-code-3": 120_000,
    "voyage-finance-2": 120_000,
    "voyage-law-2": 120_000,
}
"""By model: tokens of all texts of a call."""
_FIXED: Final = {"voyage-finance-2": 32_000, "voyage-law-2": 16_000}
"""Models that make 1024 numbers and nothing else, and the tokens of their texts."""
_LENGTHS = (1024, 256, 512, 2048)
_TEXTS = 1000
_TEXT_TOKENS = 32_000


class VoyageDialect:
    """Like OpenAI's in form; errors are a ``detail`` and nothing else."""

    name = "voyage"

    def key(self, headers: Mapping[str, str]) -> str:
        """From the bearer token."""
        return bearer(headers)

    def read(self, call: Call) -> Job:
        """Texts are cut unless ``truncation`` is false."""
        body = call.body
        model = str(body.get("model"))
        if model not in CALL_TOKENS:
            raise Refusal(400, f"Model {model} is not supported.")
        texts = texts_of(body, "input", _TEXTS)
        bounds = Bounds(_TEXTS, _FIXED.get(model, _TEXT_TOKENS), CALL_TOKENS[model])
        return Job(
            model=model,
            length=_length(model, body.get("output_dimension")),
            input_type=choice_of(body, "input_type", ("document", "query"), ""),
            texts=texts,
            encoding=Encoding(choice_of(body, "encoding_format", ("base64",), Encoding.FLOAT)),
            tokens=billed(texts, bounds, cut=body.get("truncation", True) is True, name="input"),
        )

    def answer(self, job: Job, vectors: NDArray[np.float32], order: Sequence[int]) -> bytes:
        """Each vector says by ``index`` whose it is."""
        return listed(job, vectors, order, {"total_tokens": job.tokens})

    def failure(self, refusal: Refusal) -> object:
        """No code: Voyage has none."""
        return {"detail": refusal.message}

    def models(self) -> object:
        """Voyage has no such list; this is for people."""
        return {"data": [{"id": name} for name in CALL_TOKENS]}


def _length(model: str, wanted: object) -> int:
    if wanted is None:
        return _LENGTHS[0]
    allowed = _LENGTHS[:1] if model in _FIXED else _LENGTHS
    if not isinstance(wanted, int) or wanted not in allowed:
        raise Refusal(400, f"output_dimension has to be one of {list(allowed)}")
    return wanted
