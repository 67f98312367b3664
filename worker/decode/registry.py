"""A client of Confluent's schema registry API: three calls, errors that say how to recover.

Apicurio (``/apis/ccompat/v7``), Karapace and Redpanda speak it as well.
Source: Confluent's "Schema Registry API Reference".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.decode.registry_http import NotFound, RegistryHttp
from worker.errors import FatalError
from worker.immutable import immutable

if TYPE_CHECKING:
    from worker.decode.registry_http import RegistrySettings

_SCHEMA_NOT_FOUND = 40403
_DEEPEST = 50
"""References deeper than this are a circle."""


class UnknownSchema(Exception):  # noqa: N818 - an answer, no failure
    """The registry answered that it has no schema of this id."""


@immutable
class RegisteredSchema:
    """A schema as registered."""

    text: str
    kind: str = "AVRO"
    references: tuple[str, ...] = ()
    """Texts of all schemas that it refers to, directly or not; what is needed first comes first."""


class SchemaRegistry(Protocol):
    """What the decoder needs of a registry."""

    def schema(self, schema_id: int) -> RegisteredSchema:
        """A schema by id.

        Raises:
            UnknownSchema: there is none.
            RetriableError: the registry is away or overloaded.
            FatalError: it refuses us, or is no registry.
        """
        ...

    def versions(self, subject: str) -> list[int] | None:
        """Numbers of a subject's versions; None if the registry does not know the subject."""
        ...

    def version(self, subject: str, number: int) -> RegisteredSchema | None:
        """One version of a subject; None if it is not there."""
        ...

    def close(self) -> None:
        """Drop connections."""
        ...


class _Reference(BaseModel):
    model_config = ConfigDict(frozen=True)

    subject: str
    version: int


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)

    text: str = Field(alias="schema")
    kind: str | None = Field(None, alias="schemaType")
    references: tuple[_Reference, ...] | None = None


class HttpRegistry:
    """The registry over HTTP. Safe to call from several threads at once."""

    def __init__(self, settings: RegistrySettings) -> None:
        """Prepare connections; none is opened yet.

        Raises:
            ConfigError: no URL, or a certificate cannot be read.
        """
        self._http = RegistryHttp(settings)

    def schema(self, schema_id: int) -> RegisteredSchema:
        """See the protocol."""
        try:
            answer = self._http.get(f"/schemas/ids/{schema_id}")
        except NotFound as error:
            if error.code == _SCHEMA_NOT_FOUND:
                raise UnknownSchema(str(schema_id)) from error
            raise FatalError(
                f"{error} for schema {schema_id}, without the code of an unknown schema: "
                "check the path in schema.registry.url"
            ) from error
        return self._registered(_parsed(answer))

    def versions(self, subject: str) -> list[int] | None:
        """See the protocol."""
        try:
            answer = self._http.get(f"/subjects/{quote(subject, safe='')}/versions")
        except NotFound:
            return None
        return [int(number) for number in answer] if isinstance(answer, list) else None

    def version(self, subject: str, number: int) -> RegisteredSchema | None:
        """See the protocol."""
        try:
            return self._registered(self._version(subject, number))
        except NotFound:
            return None

    def close(self) -> None:
        """See the protocol."""
        self._http.close()

    def _version(self, subject: str, number: int) -> _Answer:
        return _parsed(self._http.get(f"/subjects/{quote(subject, safe='')}/versions/{number}"))

    def _registered(self, answer: _Answer) -> RegisteredSchema:
        texts: dict[_Reference, str] = {}
        self._collect(answer, texts, _DEEPEST)
        return RegisteredSchema(answer.text, answer.kind or "AVRO", tuple(texts.values()))

    def _collect(self, answer: _Answer, texts: dict[_Reference, str], depth: int) -> None:
        for reference in answer.references or ():
            if reference in texts:
                continue
            try:
                found = self._version(reference.subject, reference.version)
            except NotFound as error:
                raise FatalError(
                    f"{error} for {reference.subject}, which a schema refers to"
                ) from error
            if depth == 0:
                raise FatalError(f"the references of {reference.subject} go in a circle")
            self._collect(found, texts, depth - 1)
            texts[reference] = found.text


def _parsed(answer: Any) -> _Answer:  # noqa: ANN401 - any JSON
    try:
        return _Answer.model_validate(answer)
    except ValidationError as error:
        raise FatalError(
            "schema.registry.url answers, but not as a schema registry does"
        ) from error
