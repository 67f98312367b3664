"""Cohere's ``/v2/embed``, as https://docs.cohere.com/reference/embed describes it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

import orjson

from worker.provider_local.dialect import bearer
from worker.provider_local.job import Bounds, Encoding, Job, Refusal, billed, choice_of, texts_of
from worker.provider_local.vectors import packed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from worker.provider_local.job import Call

_V5 = (2048, 1536, 1024, 768, 512, 256)
_V4 = (1536, 1024, 512, 256)

LENGTHS: Final[Mapping[str, tuple[int, ...]]] = {
    "embed-v5.0-pro": _V5,
    "embed-v5.0-fast": _V5,
    "embed-v4.0": _V4,
    "embed-english-v3.0": (1024,),
    "embed-multilingual-v3.0": (1024,),
    "embed-english-light-v3.0": (384,),
    "embed-multilingual-light-v3.0": (384,),
}
"""By model: the lengths it makes, its default first."""

_TEXTS = 96
_TEXT_TOKENS = 128_000
_TEXT_TOKENS_V3 = 512
_INPUT_TYPES = ("search_document", "search_query", "classification", "clustering")
_TRUNCATE = ("END", "START", "NONE")


class CohereDialect:
    """``texts`` in, ``embeddings`` by type out; errors are an id and a message."""

    name = "cohere"

    def key(self, headers: Mapping[str, str]) -> str:
        """From the bearer token."""
        return bearer(headers)

    def read(self, call: Call) -> Job:
        """Model, input type and lengths are checked as Cohere does."""
        body = call.body
        model = str(body.get("model"))
        if model not in LENGTHS:
            raise Refusal(
                404, f"model '{model}' not found, make sure the correct model ID was used"
            )
        if body.get("input_type") is None:
            raise Refusal(400, "invalid request: valid input_type must be provided")
        texts = texts_of(body, "texts", _TEXTS)
        bounds = Bounds(_TEXTS, _TEXT_TOKENS if len(LENGTHS[model]) > 1 else _TEXT_TOKENS_V3)
        cut = choice_of(body, "truncate", _TRUNCATE, "END") != "NONE"
        return Job(
            model=model,
            length=_length(model, body.get("output_dimension")),
            input_type=choice_of(body, "input_type", _INPUT_TYPES, ""),
            texts=texts,
            encoding=_encoding(body.get("embedding_types")),
            tokens=billed(texts, bounds, cut=cut, name="texts"),
        )

    def answer(self, job: Job, vectors: NDArray[np.float32], order: Sequence[int]) -> bytes:
        """Cohere has no index: the order of the texts is all there is, so ``order`` is unused."""
        del order
        rows: object = vectors
        if job.encoding is Encoding.BASE64:
            rows = [orjson.Fragment(row) for row in packed(vectors)]
        body = {
            "id": secrets.token_hex(8),
            "embeddings": {job.encoding.value: rows},
            "texts": job.texts,
            "meta": {
                "api_version": {"version": "2"},
                "billed_units": {"input_tokens": job.tokens},
            },
            "response_type": "embeddings_by_type",
        }
        return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)

    def failure(self, refusal: Refusal) -> object:
        """No code: Cohere has none."""
        return {"id": secrets.token_hex(8), "message": refusal.message}

    def models(self) -> object:
        """As ``GET /v1/models``."""
        return {"models": [{"name": name, "endpoints": ["embed"]} for name in LENGTHS]}


def _length(model: str, wanted: object) -> int:
    lengths = LENGTHS[model]
    if wanted is None:
        return lengths[0]
    if len(lengths) == 1:
        raise Refusal(400, f"invalid request: output_dimension is not supported by {model}")
    if not isinstance(wanted, int) or wanted not in lengths:
        raise Refusal(400, f"invalid request: output_dimension must be one of {list(lengths)}")
    return wanted


def _encoding(types: Any) -> Encoding:  # noqa: ANN401 - whatever stands in the body
    if not types:
        return Encoding.FLOAT
    if types not in (["base64"], ["float"]):
        raise Refusal(400, "this server makes embedding_types ['base64'] or ['float']")
    return Encoding(types[0])
