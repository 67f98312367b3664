"""Calls of the providers that speak JSON as OpenAI does: a list of texts in, ``data`` out."""

from __future__ import annotations

import json
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import httpx
import orjson

from worker.embed.failures import (
    Refusal,
    error_of,
    error_of_transport,
    name_of,
    retry_after_s,
)
from worker.embed.packed import unpacked, unreadable
from worker.embed.port import Embeddings
from worker.embed.usage import billed_tokens
from worker.errors import RecordError, Stage
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.embed.connections import Connections

    Body: TypeAlias = Mapping[str, Any]

_SUCCESS: Final = range(200, 300)


@immutable
class Endpoint:
    """Where the calls go."""

    provider: str
    """For people: ``OpenAI``."""
    url: str
    headers: Mapping[str, str] = field(repr=False)
    """With the key."""
    timeout_s: float


def embed(
    connections: Connections, endpoint: Endpoint, body: Body, *, texts: int, length: int
) -> Embeddings:
    """One call that asks for ``texts`` vectors of this length.

    See ``worker.embed.port.Embedder.embed`` for the errors.
    """
    answer = _post(connections, endpoint, body)
    rows = _rows(answer, texts, endpoint.provider)
    vectors = unpacked(rows, texts=texts, length=length, provider=endpoint.provider)
    return Embeddings(vectors, tokens=_tokens(answer))


def _post(connections: Connections, endpoint: Endpoint, body: Body) -> Body:
    try:
        content = orjson.dumps(body)
    except orjson.JSONEncodeError:
        # Not chained, as nothing is known about what the message quotes.
        raise RecordError(
            "the text is not valid Unicode", stage=Stage.EMBED, kind="TextRefused"
        ) from None
    try:
        response = connections.client.post(
            endpoint.url,
            content=content,
            headers={"content-type": "application/json", **endpoint.headers},
            timeout=endpoint.timeout_s,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise error_of_transport(endpoint.provider, error) from error
    if response.status_code not in _SUCCESS:
        raise error_of(_refusal(endpoint.provider, response))
    parsed = _parsed(response)
    if parsed is None:
        raise unreadable(endpoint.provider)
    return parsed


def _refusal(provider: str, response: httpx.Response) -> Refusal:
    said = (_parsed(response) or {}).get("error")
    error: Body = said if isinstance(said, dict) else {}
    return Refusal(
        provider=provider,
        status=response.status_code,
        code=name_of(error.get("code")) or name_of(error.get("type")),
        param=name_of(error.get("param")),
        retry_after_s=retry_after_s(response.headers),
    )


def _parsed(response: httpx.Response) -> Body | None:
    try:
        parsed = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        parsed = _parsed_with_nan(response.content)
    return parsed if isinstance(parsed, dict) else None


def _parsed_with_nan(content: bytes) -> object:
    """Servers in Python write NaN into their JSON; one such text must not spoil its neighbours."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _rows(answer: Body, texts: int, provider: str) -> Sequence[object]:
    """The vectors in the order of the texts, which ``index`` says and the list need not keep.

    A server that leaves ``index`` out keeps the order. Where one is there twice, or of no text,
    nobody knows which text a vector is of.
    """
    try:
        rows = [item["embedding"] for item in answer["data"]]
        places = [item.get("index", at) for at, item in enumerate(answer["data"])]
        if len(rows) != texts or places == list(range(texts)):
            return rows
        by_place = dict(zip(places, rows, strict=True))
        return [by_place[place] for place in range(texts)]
    except (AttributeError, KeyError, TypeError) as error:
        raise unreadable(provider) from error


def _tokens(answer: Body) -> int:
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return 0
    return billed_tokens(usage.get("total_tokens"), usage.get("prompt_tokens"))
