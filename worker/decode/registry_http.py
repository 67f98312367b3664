"""HTTP to a schema registry with several addresses, and what its answers mean for the worker."""

from __future__ import annotations

import ssl
from dataclasses import field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
import orjson

from worker.errors import ConfigError, FatalError, RetriableError, WorkerError
from worker.immutable import immutable
from worker.tls import late

_ACCEPT = "application/vnd.schemaregistry.v1+json, application/json"
_BUSY = frozenset({408, 425, 429})
_REFUSED = {401: "does not accept our credentials", 403: "does not allow us to read"}
_FIRST_SERVER_ERROR = 500
_NO_TLS = ("WRONG_VERSION_NUMBER", "CERTIFICATE_VERIFY_FAILED")
"""OpenSSL's words for what no waiting mends."""


@immutable
class RegistrySettings:
    """How to reach a registry; equal settings mean the same registry."""

    urls: tuple[str, ...]
    """Tried in this order; may hold ``user:password@``."""
    credentials: str | None = field(default=None, repr=False)
    """``user:password``; goes before what the URLs say."""
    bearer_token: str | None = field(default=None, repr=False)
    ssl_ca_location: str | None = None
    ssl_certificate_location: str | None = None
    ssl_key_location: str | None = None
    ssl_key_password: str | None = field(default=None, repr=False)
    timeout_s: float = 10.0
    """For connecting and for each wait for bytes."""


class NotFound(Exception):  # noqa: N818 - what it means depends on the question
    """A 404; ``code`` is the registry's own error code, 0 if the body has none."""

    def __init__(self, host: str, code: int) -> None:
        super().__init__(f"schema registry {host} answered 404")
        self.code = code


@immutable
class _Address:
    url: str
    host: str
    auth: httpx.BasicAuth | None


class RegistryHttp:
    """GET requests to the first address that answers."""

    def __init__(self, settings: RegistrySettings) -> None:
        """Prepare; no connection is opened yet.

        Raises:
            ConfigError: no URL, or a certificate cannot be read.
        """
        if not settings.urls:
            raise ConfigError("schema.registry.url is needed for Avro")
        self._addresses = [_address(url, settings.credentials) for url in settings.urls]
        headers = {"Accept": _ACCEPT}
        if settings.bearer_token is not None:
            headers["Authorization"] = f"Bearer {settings.bearer_token}"
        self._client = httpx.Client(
            headers=headers,
            timeout=settings.timeout_s,
            verify=_tls(settings),
            follow_redirects=True,
        )

    def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of an answer.

        Raises:
            NotFound: a 404.
            RetriableError: no address answers, or the registry is overloaded.
            FatalError: it refuses us, or answers what no registry answers.
        """
        failure: RetriableError | None = None
        for address in self._addresses:
            try:
                return self._ask(address, path)
            except RetriableError as error:
                failure = error
        raise failure or FatalError("no address")

    def close(self) -> None:
        """Drop connections."""
        self._client.close()

    def _ask(self, address: _Address, path: str) -> Any:  # noqa: ANN401
        auth = address.auth or httpx.USE_CLIENT_DEFAULT
        try:
            response = self._client.get(address.url + path, auth=auth)
        except httpx.TooManyRedirects as error:
            raise FatalError(f"schema registry {address.host} redirects without end") from error
        except httpx.HTTPError as error:
            raise _unanswered(error, address.host) from error
        return _meaning(response, address.host)


def _unanswered(error: httpx.HTTPError, host: str) -> WorkerError:
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if any(reason in said for reason in _NO_TLS):
        return FatalError(
            f"no TLS with schema registry {host} ({said}): check https:// in schema.registry.url, "
            "and schema.registry.ssl.ca.location"
        )
    return RetriableError(f"schema registry {host} does not answer: {said}")


def _meaning(response: httpx.Response, host: str) -> Any:  # noqa: ANN401
    status = response.status_code
    if response.is_success:
        return _json(response, host)
    if status == httpx.codes.NOT_FOUND:
        raise NotFound(host, _error_code(response))
    if status in _BUSY or status >= _FIRST_SERVER_ERROR:
        raise RetriableError(
            f"schema registry {host} answered {status}", retry_after_s=_retry_after_s(response)
        )
    what = _REFUSED.get(status, "refuses the request")
    raise FatalError(f"schema registry {host} {what} ({status})")


def _json(response: httpx.Response, host: str) -> Any:  # noqa: ANN401
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise FatalError(f"{host} answers, but not as a schema registry does") from error


def _error_code(response: httpx.Response) -> int:
    try:
        return int(orjson.loads(response.content)["error_code"])
    except (ValueError, TypeError, LookupError):
        return 0


def _retry_after_s(response: httpx.Response) -> float | None:
    """``Retry-After`` as seconds or as a date (RFC 9110, 10.2.3)."""
    text = response.headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - datetime.now(UTC)
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())


def _address(url: str, credentials: str | None) -> _Address:
    parts = urlsplit(url)
    user_info, _, host = parts.netloc.rpartition("@")
    bare = urlunsplit(parts._replace(netloc=host)).rstrip("/")
    user, _, password = (credentials or "").partition(":")
    if credentials is None and user_info:
        user, password = (unquote(text) for text in user_info.partition(":")[::2])
    return _Address(bare, host, httpx.BasicAuth(user, password) if user else None)


def _tls(settings: RegistrySettings) -> ssl.SSLContext:
    if settings.ssl_ca_location is None and settings.ssl_certificate_location is None:
        return late(ssl.create_default_context)
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca_location)
        if settings.ssl_certificate_location is not None:
            context.load_cert_chain(
                settings.ssl_certificate_location,
                settings.ssl_key_location,
                settings.ssl_key_password or "",  # None would ask at the terminal
            )
    except OSError as error:  # also ssl.SSLError and a missing file
        raise ConfigError(
            "schema.registry.ssl.*: the certificate authorities, the certificate or its key "
            f"cannot be read ({type(error).__name__})"
        ) from error
    return context
