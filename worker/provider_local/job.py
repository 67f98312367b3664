"""What a call asks for, read and checked; and how it is refused."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BYTES_PER_TOKEN = 4
"""Of UTF-8, rounded up: about what the providers' tokenizers make of English."""


class Encoding(StrEnum):
    """How the numbers of a vector travel."""

    BASE64 = "base64"
    FLOAT = "float"


class Refusal(Exception):  # noqa: N818 - it is an answer of the server, not a defect
    """A call that is answered with an error; ``code`` and ``param`` as OpenAI has them."""

    def __init__(self, status: int, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param


@immutable
class Call:
    """A request, read."""

    path: Mapping[str, str]
    """What stands in the variable parts of the path."""
    query: Mapping[str, str]
    body: Mapping[str, Any]


@immutable
class Job:
    """Texts to embed, after all checks."""

    model: str
    length: int
    """Of the vectors."""
    input_type: str
    texts: Sequence[str]
    encoding: Encoding
    tokens: int
    """What is billed."""


@immutable
class Bounds:
    """What one call takes."""

    texts: int
    text_tokens: int
    call_tokens: int | None = None


def tokens_of(text: str) -> int:
    """At least one; never more than the bytes."""
    return max(1, -(-len(text.encode()) // BYTES_PER_TOKEN))


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object of a body.

    Raises:
        Refusal: it is none.
    """
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "We could not parse the JSON body of your request.") from error
    if not isinstance(parsed, dict):
        raise Refusal(400, "The body has to be a JSON object.")
    return parsed


def texts_of(body: Mapping[str, Any], name: str, most: int) -> list[str]:
    """The texts in the field ``name``, from 1 to ``most`` of them.

    Raises:
        Refusal: they are none, too many, empty, or no texts.
    """
    found = body.get(name)
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, list) or not found or not all(isinstance(item, str) for item in found):
        raise Refusal(400, f"'{name}' has to be a list of texts", param=name)
    if len(found) > most:
        raise Refusal(400, f"'{name}' has {len(found)} texts, at most {most}", param=name)
    if not all(found):
        raise Refusal(400, f"'{name}' cannot hold an empty text", param=name)
    return found


def choice_of(body: Mapping[str, Any], name: str, choices: Sequence[str], default: str) -> str:
    """The field ``name``, one of ``choices``.

    Raises:
        Refusal: it is something else.
    """
    found = body.get(name)
    if found is None:
        return default
    if found not in choices:
        raise Refusal(400, f"'{name}' has to be one of {', '.join(choices)}", param=name)
    return str(found)


def billed(texts: Sequence[str], bounds: Bounds, *, cut: bool, name: str) -> int:
    """Tokens of all texts, where those that are too long are cut or refused.

    Raises:
        Refusal: a text, or all of them together, are too long. As the real ones do, it quotes.
    """
    counts = [tokens_of(text) for text in texts]
    if not cut and max(counts) > bounds.text_tokens:
        longest = texts[counts.index(max(counts))]
        raise Refusal(
            400,
            f"a text has {max(counts)} tokens, at most {bounds.text_tokens}: {longest[:80]}",
            param=name,
        )
    total = sum(min(count, bounds.text_tokens) for count in counts)
    if bounds.call_tokens is not None and total > bounds.call_tokens:
        raise Refusal(
            400,
            f"Requested {total} tokens, max {bounds.call_tokens} tokens per request",
            code="max_tokens_per_request",
        )
    return total
