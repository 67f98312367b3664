"""Calls of the ``embed`` of Cohere's ``ClientV2``, without its retries; its errors in our words.

``ClientV2`` inherits that ``embed`` from ``V2Client``, which is what is built here: the other half
of its ancestors, for version 1 of the interface, took 0.12 s of CPU and 16 MiB at every start.

It is given ``Json`` for the ``httpx.Client`` that it asks for, so that the texts and vectors of a
call are written and read by orjson, and its models do not look at each of them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

import httpx
import orjson
from cohere.core.api_error import ApiError
from cohere.core.client_wrapper import SyncClientWrapper
from cohere.core.parse_error import ParsingError

from worker.embed.cohere_half import V2Client
from worker.embed.failures import Refusal, error_of, error_of_transport, retry_after_s
from worker.embed.packed import unpacked, unreadable
from worker.embed.port import Embeddings
from worker.embed.usage import billed_tokens
from worker.errors import FatalError, RecordError, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cohere import EmbedByTypeResponse
    from cohere.core.request_options import RequestOptions

    from worker.embed.remote import RemoteConfig
    from worker.errors import WorkerError

_NAME: Final = "Cohere"
_LIMITED: Final = 429
_MONTHLY: Final = "/ month"
"""In the message of a 429: a trial key's calls of the month are used up, so waiting is vain."""
_SUCCESS: Final = range(200, 300)
_NO_KEY: Final = "none"
"""The client insists on one."""


class CohereClient:
    """One model at one address. Thread-safe, as the client is."""

    def __init__(self, config: RemoteConfig, url: str, connections: httpx.Client) -> None:
        self._length = config.length
        self._client = V2Client(
            client_wrapper=SyncClientWrapper(
                token=config.key or _NO_KEY,
                base_url=url,
                httpx_client=cast("httpx.Client", Json(connections)),
            )
        )
        self._options: RequestOptions = {"max_retries": 0, "timeout": config.timeout_s}
        self._parameters: dict[str, Any] = {"model": config.model, "embedding_types": ["base64"]}
        if config.shortened_to is not None:
            self._parameters["output_dimension"] = config.shortened_to

    def embed(self, texts: Sequence[str], input_type: str, truncate: str) -> Embeddings:
        """One call. See ``worker.embed.port.Embedder.embed`` for the errors."""
        try:
            answer = self._client.embed(
                texts=list(texts),
                input_type=input_type,
                truncate=truncate,
                request_options=self._options,
                **self._parameters,
            )
        except (ApiError, ParsingError) as error:
            # Not chained: its text is the provider's answer, which may repeat the text of a row.
            raise _translated(error) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise error_of_transport(_NAME, error) from error
        except (AttributeError, TypeError):  # from its models, which expect a certain shape
            raise unreadable(_NAME) from None
        return self._read(answer, len(texts))

    def _read(self, answer: EmbedByTypeResponse, texts: int) -> Embeddings:
        # The client builds answers without checks, so any part of one may be missing or odd.
        embeddings = getattr(answer, "embeddings", None)
        rows: object = getattr(embeddings, "base64", None)
        if rows is None:  # some proxies answer with numbers, whatever is asked for
            rows = getattr(embeddings, "float_", None)
        if not isinstance(rows, list | tuple):
            raise unreadable(_NAME)
        vectors = unpacked(rows, texts=texts, length=self._length, provider=_NAME)
        units = getattr(getattr(answer, "meta", None), "billed_units", None)
        return Embeddings(vectors, tokens=billed_tokens(getattr(units, "input_tokens", None)))


class Json:
    """What Cohere's client uses of ``httpx.Client``, with a faster JSON: 8 µs less per text."""

    def __init__(self, connections: httpx.Client) -> None:
        self._connections = connections

    def request(self, *, method: str, url: str, json: object, **others: Any) -> Answer:  # noqa: ANN401 - handed on
        """One request.

        Raises:
            RecordError: a text is no Unicode.
        """
        for nothing in ("data", "files", "content"):
            others.pop(nothing, None)
        try:
            content = orjson.dumps(json)
        except orjson.JSONEncodeError:  # whose message may quote it
            raise RecordError(
                "the text is not valid Unicode", stage=Stage.EMBED, kind="TextRefused"
            ) from None
        return Answer(self._connections.request(method, url, content=content, **others))


class Answer:
    """What Cohere's client uses of ``httpx.Response``."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer
        self.status_code = answer.status_code
        self.headers = answer.headers

    @property
    def text(self) -> str:
        """The body."""
        return self._answer.text

    def json(self) -> object:
        """The body, parsed; without what was asked for, which Cohere repeats.

        Lists of vectors are tuples, which the client's models take as they are.
        """
        parsed = _parsed(self._answer.content)
        if isinstance(parsed, dict):
            parsed.pop("texts", None)
            vectors = parsed.get("embeddings")
            if isinstance(vectors, dict):
                parsed["embeddings"] = {
                    name: tuple(rows) if isinstance(rows, list) else rows
                    for name, rows in vectors.items()
                }
        return parsed


def _parsed(content: bytes) -> object:
    """Servers in Python write NaN into their JSON; one such text must not spoil its neighbours."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise json.JSONDecodeError("no JSON", "", 0) from None  # which the client expects


def _translated(error: ApiError | ParsingError) -> WorkerError:
    status = error.status_code or 0
    if status in _SUCCESS or status == 0:
        return unreadable(_NAME)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    refusal = Refusal(_NAME, status, retry_after_s=retry_after_s(headers))
    if status == _LIMITED and _MONTHLY in _message(error.body):
        return FatalError(
            f"{refusal.said}: the trial key in embedder.api.key has used up its calls of this "
            f"month; take a production key"
        )
    return error_of(refusal)


def _message(body: object) -> str:
    """For looking at, never for showing."""
    return str(cast("dict[str, object]", body).get("message")) if isinstance(body, dict) else ""
