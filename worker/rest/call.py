"""One request as a handler sees it, what it gives back, and how requests are refused."""

from __future__ import annotations

import json
import re
from dataclasses import field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from worker.config.load import is_text
from worker.immutable import immutable
from worker.runtime.refusals import BadRequestError, HerderError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import QueryParams

_INTEGER = re.compile("-?[0-9]{1,10}")
_INTEGER_MAX = 2**31 - 1


class RefusedError(HerderError):
    """What HTTP itself refuses; the wording is that of Connect's server (Jersey)."""

    def __init__(self, status: HTTPStatus, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"HTTP {status.value} {status.phrase}")
        self.status = status
        self.headers = headers or {}


@immutable
class Answer:
    """What a handler gives back."""

    status: HTTPStatus = HTTPStatus.OK
    body: object = None
    """For JSON; an answer without content has None."""
    location: str = ""
    """The path of what was made, percent-encoded."""


ACCEPTED = Answer(HTTPStatus.ACCEPTED)
NO_CONTENT = Answer(HTTPStatus.NO_CONTENT)


@immutable
class Call:
    """A request that found its handler."""

    arguments: Mapping[str, str]
    """The variable parts of the path, decoded."""
    query: QueryParams
    raw: bytes = field(default=b"", repr=False)

    @property
    def connector(self) -> str:
        """The name in the path."""
        return self.arguments["connector"]

    @property
    def task(self) -> int:
        """The task's number in the path.

        Raises:
            RefusedError: it is none, so there is no such path.
        """
        text = self.arguments["task"]
        if not _INTEGER.fullmatch(text) or abs(int(text)) > _INTEGER_MAX:
            raise RefusedError(HTTPStatus.NOT_FOUND)
        return int(text)

    def is_set(self, name: str) -> bool:
        """Whether a switch of the query is on, in capitals or not."""
        return self.query.get(name, "").lower() == "true"

    def json_object(self) -> dict[str, Any]:
        """The body, its numbers as they were written.

        Raises:
            BadRequestError: it is no JSON object.
        """
        try:
            body = json.loads(self.raw, parse_int=str, parse_float=str, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise BadRequestError("The body is not valid JSON") from None
        if not isinstance(body, dict):
            raise BadRequestError("The body is not a JSON object")
        if not is_text(body):
            raise BadRequestError("The body is not valid text: half of a surrogate pair")
        return body

    def config(self) -> dict[str, str | None]:
        """The body as a connector's config.

        Raises:
            BadRequestError: it is none.
        """
        return texts(self.json_object())


def texts(given: object) -> dict[str, str | None]:
    """A map of text, as Connect's configs are: booleans become text, null stays.

    Raises:
        BadRequestError: it is no map, or a value is a list or an object.
    """
    if not isinstance(given, dict):
        raise BadRequestError("The config is not a JSON object")
    nested = [key for key, value in given.items() if isinstance(value, (dict, list))]
    if nested:
        raise BadRequestError(f"The value of {', '.join(nested)} is not text")
    return {key: _text(value) for key, value in given.items()}


def _text(value: str | bool | None) -> str | None:  # noqa: FBT001 - any scalar of JSON
    return json.dumps(value) if isinstance(value, bool) else value


def _no_number(text: str) -> None:
    raise ValueError(text)
