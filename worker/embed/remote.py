"""What the providers' settings have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import httpx
from pydantic import Field, SecretStr, field_validator

from worker.config.section import Section
from worker.embed.known_model import KnownModel
from worker.embed.port import Limits, Price, Terms
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from pydantic import ValidationInfo

_ADDRESS = re.compile(r"https?://[^\s/?#@]+[^\s?#@]*")
_MILLISECOND = 0.001
_DIGEST_BYTES = 8
_HIGHEST_PORT = 65_535


class RemoteConfig(Section):
    """Settings of a provider over HTTP. Each provider sets the class variables."""

    MODELS: ClassVar[Mapping[str, KnownModel]] = MappingProxyType({})
    PRICES_AS_OF: ClassVar[str] = ""
    MOST_TEXTS: ClassVar[int] = 1
    """Texts that the provider takes in a call."""

    model: str = Field(alias="embedder.model", min_length=1, description="Name of the model.")
    dimensions: int | None = Field(
        default=None,
        alias="embedder.dimensions",
        ge=1,
        validate_default=True,
        description="Length of the vectors; by default the model's own. Has to be said for a "
        "model that this version does not know: the length that it makes.",
    )
    base_url: str | None = Field(
        default=None,
        alias="embedder.base.url",
        description="Address of another server with the same interface, such as a proxy or "
        "`vecsink provider-local`.",
    )
    api_key: SecretStr | None = Field(
        default=None,
        alias="embedder.api.key",
        validate_default=True,
        description="API key. May be left out where embedder.base.url is a server without keys.",
    )
    requests_per_minute: float | None = Field(
        default=None,
        alias="embedder.requests.per.minute",
        ge=0,
        description="Calls per minute, shared by all connectors with this key; 0 is no limit. By "
        "default what the provider publishes for its smallest paying account, and no limit with "
        "embedder.base.url.",
    )
    inputs_per_minute: float | None = Field(
        default=None,
        alias="embedder.inputs.per.minute",
        ge=0,
        description="Texts per minute, likewise.",
    )
    tokens_per_minute: float | None = Field(
        default=None,
        alias="embedder.tokens.per.minute",
        ge=0,
        description="Tokens per minute, likewise.",
    )
    max_in_flight: int = Field(
        default=16, alias="embedder.max.in.flight", ge=1, description="Calls side by side."
    )
    texts_per_call: int = Field(
        default=96, alias="embedder.texts.per.call", ge=1, description="Texts in one call, at most."
    )
    timeout_ms: int = Field(
        default=30_000,
        alias="embedder.timeout.ms",
        ge=1,
        description="How long to wait for an answer, in milliseconds.",
    )
    usd_per_million_tokens: float | None = Field(
        default=None,
        alias="embedder.price.usd.per.million.tokens",
        ge=0,
        description="Your price, for budgets and estimates; by default the provider's list price "
        "as far as it is known.",
    )

    @field_validator("dimensions")
    @classmethod
    def _is_made_by_the_model(cls, value: int | None, info: ValidationInfo) -> int | None:
        model = info.data.get("model")
        known = cls.MODELS.get(model or "")
        if known is not None and value is not None and value not in known.lengths:
            raise ValueError(f"{known.choices} for {model}")
        if model and known is None and value is None:
            raise ValueError(
                f"the length of the vectors that {model} makes, as this version does not know the "
                f"model (it knows {', '.join(cls.MODELS)})"
            )
        return value

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not _is_address(value):
            raise ValueError("an http:// or https:// address without user, query and fragment")
        return value

    @field_validator("api_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("base_url", "wrong") is None:
            raise ValueError("a key, or embedder.base.url of a server without keys")
        # httpx would quote a key that is no header value in its error.
        if value is not None and not _is_header_value(value.get_secret_value()):
            raise ValueError("a key without blanks, line breaks and letters beyond ASCII")
        return value

    @field_validator("texts_per_call")
    @classmethod
    def _is_taken_by_the_provider(cls, value: int) -> int:
        if value > cls.MOST_TEXTS:
            raise ValueError(f"at most {cls.MOST_TEXTS}")
        return value

    @property
    def known(self) -> KnownModel | None:
        """What the table says about the model."""
        return self.MODELS.get(self.model)

    @property
    def length(self) -> int:
        """Of the vectors."""
        if self.dimensions is not None:
            return self.dimensions
        return self.MODELS[self.model].default

    @property
    def shortened_to(self) -> int | None:
        """The length to ask for; None where the model makes only one, or is not known."""
        known = self.known
        return self.length if known is not None and known.is_shortened else None

    @property
    def key(self) -> str:
        """The API key, or nothing."""
        return "" if self.api_key is None else self.api_key.get_secret_value()

    @property
    def timeout_s(self) -> float:
        """Seconds to wait for an answer."""
        return self.timeout_ms * _MILLISECOND

    def terms(self, provider: str, url: str) -> Terms:
        """Account, rates and price of this provider at this address."""
        digest = blake2b(self.key.encode(), digest_size=_DIGEST_BYTES).hexdigest()
        return Terms(f"{provider} {url} {digest}", self._rates(), self._price())

    def limits(self, text_tokens: int | None = None) -> Limits:
        """Limits of one call; without ``text_tokens`` the provider cuts texts by itself."""
        known = self.known
        return Limits(
            texts=self.texts_per_call,
            in_flight=self.max_in_flight,
            tokens=None if known is None else known.call_tokens,
            text_tokens=text_tokens,
            longest_text=text_tokens or (None if known is None else known.text_tokens),
        )

    def _rates(self) -> Rates:
        known = self.known
        published = Rates() if known is None or self.base_url is not None else known.rates
        return Rates(
            requests=_chosen(self.requests_per_minute, published.requests),
            inputs=_chosen(self.inputs_per_minute, published.inputs),
            tokens=_chosen(self.tokens_per_minute, published.tokens),
        )

    def _price(self) -> Price | None:
        if self.usd_per_million_tokens is not None:
            return Price(self.usd_per_million_tokens, as_of="")
        return None if self.known is None else self.known.price(self.PRICES_AS_OF)


def _is_address(value: str) -> bool:
    """Whether calls can go there, as far as httpx can tell; sockets take ports modulo 2^16."""
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        return False
    return bool(_ADDRESS.fullmatch(value) and url.host) and (url.port or 0) <= _HIGHEST_PORT


def _chosen(configured: float | None, published: float | None) -> float | None:
    if configured is None:
        return published
    return configured or None


def _is_header_value(key: str) -> bool:
    return key.isascii() and key.isprintable() and " " not in key and key != ""
