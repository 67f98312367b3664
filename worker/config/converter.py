"""How the bytes of keys and values are read: Connect's converters and their schema registry."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from worker.config.section import Section


class ConverterFormat(StrEnum):
    """What the bytes are."""

    AVRO = "avro"
    """Avro behind Confluent's five-byte header."""
    JSON = "json"


CONVERTER_CLASSES = {
    "io.confluent.connect.avro.AvroConverter": ConverterFormat.AVRO,
    "org.apache.kafka.connect.json.JsonConverter": ConverterFormat.JSON,
}
"""Connect's class names, for connector files that were written for Connect."""


def _format(value: object) -> object:
    return CONVERTER_CLASSES.get(value, value) if isinstance(value, str) else value


class ConverterSettings(Section):
    """Settings of ``key.converter`` or ``value.converter``; the aliases lack ``key.``/``value.``.

    The names are Confluent's converter settings; certificates are PEM files, named as in
    Confluent's Python client, as Java key stores cannot be read here.
    """

    format: Annotated[ConverterFormat, BeforeValidator(_format)] = Field(
        ConverterFormat.AVRO,
        alias="converter",
        description="`avro` (or `io.confluent.connect.avro.AvroConverter`), or `json` "
        "(or `org.apache.kafka.connect.json.JsonConverter`).",
    )
    schemas_enable: bool = Field(
        default=True,
        alias="converter.schemas.enable",
        description="JSON only: whether every message is `{schema, payload}`.",
    )
    registry_url: SecretStr | None = Field(
        None,
        alias="converter.schema.registry.url",
        description="Avro only, required: URLs of the schema registry, comma-separated; "
        "may hold `user:password@`.",
        json_schema_extra={"kind": "text"},
    )
    credentials_source: Literal["USER_INFO", "URL"] | None = Field(
        None,
        alias="converter.basic.auth.credentials.source",
        description="Not needed: user info is used where it is given.",
    )
    user_info: SecretStr | None = Field(
        None,
        alias="converter.basic.auth.user.info",
        description="`user:password` for the schema registry "
        "(also as `….schema.registry.basic.auth.user.info`).",
    )
    bearer_token: SecretStr | None = Field(
        None,
        alias="converter.bearer.auth.token",
        description="Bearer token for the schema registry.",
    )
    ssl_ca_location: str | None = Field(
        None,
        alias="converter.schema.registry.ssl.ca.location",
        description="PEM file of the certificate authorities that the registry is checked with.",
    )
    ssl_certificate_location: str | None = Field(
        None,
        alias="converter.schema.registry.ssl.certificate.location",
        description="PEM file of our certificate, where the registry asks for one.",
    )
    ssl_key_location: str | None = Field(
        None,
        alias="converter.schema.registry.ssl.key.location",
        description="PEM file of our private key.",
    )
    ssl_key_password: SecretStr | None = Field(
        None,
        alias="converter.schema.registry.ssl.key.password",
        description="Password of the private key.",
    )

    @field_validator("registry_url")
    @classmethod
    def _check_urls(cls, given: SecretStr | None) -> SecretStr | None:
        for url in _split(given):
            if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
                raise ValueError("URLs that begin with http:// or https://")
        return given

    @field_validator("user_info")
    @classmethod
    def _check_user_info(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and ":" not in given.get_secret_value():
            raise ValueError("user:password")
        return given

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.credentials_source == "USER_INFO" and self.user_info is None:
            raise ValueError("basic.auth.user.info, as basic.auth.credentials.source is USER_INFO")
        if self.ssl_key_location and not self.ssl_certificate_location:
            raise ValueError("ssl.certificate.location beside ssl.key.location")
        return self

    @property
    def urls(self) -> tuple[str, ...]:
        """URLs of the registry without user information and trailing slash."""
        return tuple(_without_user(url) for url in _split(self.registry_url))

    @property
    def credentials(self) -> SecretStr | None:
        """``user:password`` for the registry, from its own setting or from the first URL."""
        if self.user_info is not None:
            return self.user_info
        for url in _split(self.registry_url):
            parts = urlsplit(url)
            if parts.username is not None:
                user, password = unquote(parts.username), unquote(parts.password or "")
                return SecretStr(f"{user}:{password}")
        return None


def _split(urls: SecretStr | None) -> list[str]:
    text = urls.get_secret_value() if urls else ""
    return [url.strip() for url in text.split(",") if url.strip()]


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host)).rstrip("/")
