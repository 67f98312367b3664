"""OpenAI's ``/v1/embeddings``, Azure's way to it, and servers that only look like it.

See https://platform.openai.com/docs/api-reference/embeddings.
"""

from __future__ import annotations

import re
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

LENGTHS: Final[Mapping[str, int]] = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
_FIXED = frozenset({"text-embedding-ada-002"})
_BOUNDS = Bounds(texts=2048, text_tokens=8192, call_tokens=300_000)
_COMPATIBLE_LENGTH = 384
_LAST_NUMBER = re.compile(r"(\d+)$")
_INVALID_KEY = 401


class OpenAIDialect:
    """``input`` in, ``data`` with an index out; errors have type, code and param."""

    name = "openai"

    def key(self, headers: Mapping[str, str]) -> str | None:
        """From the bearer token, or Azure's ``api-key`` header."""
        return headers.get("api-key") or bearer(headers)

    def read(self, call: Call) -> Job:
        """Nothing is cut: a text that is too long is refused."""
        model = call.path.get("deployment") or str(call.body.get("model"))
        if "deployment" in call.path and not call.query.get("api-version"):
            raise Refusal(404, "Resource not found", code="404")
        if model not in LENGTHS:
            code = "DeploymentNotFound" if "deployment" in call.path else "model_not_found"
            raise Refusal(404, f"The model `{model}` does not exist", code=code)
        texts = texts_of(call.body, "input", _BOUNDS.texts)
        return Job(
            model=model,
            length=_length(model, call.body.get("dimensions")),
            input_type="",
            texts=texts,
            encoding=_encoding(call.body),
            tokens=billed(texts, _BOUNDS, cut=False, name="input"),
        )

    def answer(self, job: Job, vectors: NDArray[np.float32], order: Sequence[int]) -> bytes:
        """Each vector says by ``index`` whose it is."""
        return listed(
            job, vectors, order, {"prompt_tokens": job.tokens, "total_tokens": job.tokens}
        )

    def failure(self, refusal: Refusal) -> object:
        """As https://platform.openai.com/docs/guides/error-codes describes it."""
        code = refusal.code or ("invalid_api_key" if refusal.status == _INVALID_KEY else None)
        kind = code if code == "insufficient_quota" else "invalid_request_error"
        return {
            "error": {
                "message": refusal.message,
                "type": kind,
                "param": refusal.param or None,
                "code": code,
            }
        }

    def models(self) -> object:
        """As ``GET /v1/models``."""
        return {"object": "list", "data": [{"id": name, "object": "model"} for name in LENGTHS]}


class CompatibleDialect(OpenAIDialect):
    """As Ollama and its like: no key, any model, no ``dimensions``, always lists of numbers.

    The number at the end of a model's name is the length of its vectors, else that is 384.
    """

    name = "compatible"

    def key(self, headers: Mapping[str, str]) -> None:
        """None is needed."""
        del headers

    def read(self, call: Call) -> Job:
        """Whatever the model is called."""
        model = str(call.body.get("model"))
        if call.body.get("dimensions") is not None:
            raise Refusal(400, "dimensions is not supported", param="dimensions")
        number = _LAST_NUMBER.search(model)
        texts = texts_of(call.body, "input", _BOUNDS.texts)
        return Job(
            model=model,
            length=int(number[1]) if number else _COMPATIBLE_LENGTH,
            input_type="",
            texts=texts,
            encoding=Encoding.FLOAT,
            tokens=billed(texts, _BOUNDS, cut=True, name="input"),
        )


def listed(
    job: Job, vectors: NDArray[np.float32], order: Sequence[int], usage: Mapping[str, int]
) -> bytes:
    """An answer in the form that OpenAI and Voyage share."""
    rows: Sequence[Any] = list(vectors)
    if job.encoding is Encoding.BASE64:
        rows = [orjson.Fragment(row) for row in packed(vectors)]
    data = [{"object": "embedding", "index": at, "embedding": rows[at]} for at in order]
    body = {"object": "list", "data": data, "model": job.model, "usage": usage}
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def _length(model: str, wanted: object) -> int:
    longest = LENGTHS[model]
    if wanted is None:
        return longest
    if model in _FIXED:
        raise Refusal(400, "This model does not support specifying dimensions.", param="dimensions")
    if not isinstance(wanted, int) or not 0 < wanted <= longest:
        raise Refusal(400, f"dimensions has to be from 1 to {longest}", param="dimensions")
    return wanted


def _encoding(body: Mapping[str, Any]) -> Encoding:
    return Encoding(choice_of(body, "encoding_format", list(Encoding), Encoding.FLOAT))
