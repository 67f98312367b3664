"""A schema registry's answers and silences, and what each means for the worker."""

from __future__ import annotations

import base64
import json
import socket
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from worker.decode.local_registry import LocalRegistry
from worker.decode.registry import HttpRegistry, UnknownSchema
from worker.decode.registry_http import RegistrySettings
from worker.errors import ConfigError, FatalError, RetriableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SCHEMA = '"string"'


class Scripted:
    """A server that answers every GET as the test says, and remembers what was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = {"schema": SCHEMA}
        self.headers: dict[str, str] = {}
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""

    def answer(self, path: str) -> tuple[int, bytes]:
        body = self.answers.get(path, self.body)
        return self.status, body if isinstance(body, bytes) else json.dumps(body).encode()


@contextmanager
def serving(script: Scripted) -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.asked.append((self.path, self.headers.get("Authorization")))
            status, body = script.answer(self.path)
            self.send_response(status)
            for name, value in {**script.headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def script() -> Iterator[Scripted]:
    with serving(Scripted()) as running:
        yield running


@pytest.fixture
def client() -> Iterator[Callable[..., HttpRegistry]]:
    made: list[HttpRegistry] = []

    def make(*urls: str, **settings: Any) -> HttpRegistry:
        made.append(HttpRegistry(RegistrySettings(urls, **{"timeout_s": 5.0, **settings})))
        return made[-1]

    yield make
    for registry in made:
        registry.close()


@pytest.fixture
def silent() -> Iterator[str]:
    """An address where somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def test_a_schema_is_asked_for_by_id(script: Scripted, client: Callable[..., HttpRegistry]) -> None:
    found = client(script.url + "/").schema(5)
    assert (found.text, found.kind, found.references) == (SCHEMA, "AVRO", ())
    assert script.asked == [("/schemas/ids/5", None)]


def test_a_path_before_the_api_is_kept(
    script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    client(script.url + "/apis/ccompat/v7").schema(5)
    assert script.asked[0][0] == "/apis/ccompat/v7/schemas/ids/5"


def test_40403_alone_says_that_the_schema_is_unknown(
    script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    script.status, script.body = 404, {"error_code": 40403, "message": "Schema 5 not found"}
    with pytest.raises(UnknownSchema):
        client(script.url).schema(5)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", {"error_code": 404}, {"error_code": 40401}, [], {"error_code": None}]
)
def test_any_other_404_stops_the_task(
    body: Any, script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    script.status, script.body = 404, body
    with pytest.raises(FatalError, match=r"check the path in schema\.registry\.url"):
        client(script.url).schema(5)


@pytest.mark.parametrize("status", [400, 401, 403, 406, 422])
def test_a_refusal_stops_the_task(
    status: int, script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    script.status = status
    with pytest.raises(FatalError, match=str(status)):
        client(script.url).schema(5)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_overload_and_failure_are_waited_for(
    status: int, script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    script.status = status
    with pytest.raises(RetriableError, match=str(status)) as caught:
        client(script.url).schema(5)
    assert caught.value.retry_after_s is None


def test_retry_after_is_passed_on(script: Scripted, client: Callable[..., HttpRegistry]) -> None:
    script.status, script.headers = 429, {"Retry-After": "7"}
    with pytest.raises(RetriableError) as caught:
        client(script.url).schema(5)
    assert caught.value.retry_after_s == 7.0
    at = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    script.headers = {"Retry-After": at}
    with pytest.raises(RetriableError) as caught:
        client(script.url).schema(5)
    assert caught.value.retry_after_s is not None
    assert 3000 < caught.value.retry_after_s <= 3600


@pytest.mark.parametrize("body", [b"<html>login</html>", b"", [1], {"id": 5}, {"schema": None}])
def test_an_answer_of_something_else_stops_the_task(
    body: Any, script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    script.body = body
    with pytest.raises(FatalError, match="not as a schema registry does"):
        client(script.url).schema(5)


def test_nobody_there_is_waited_for(nobody: str, client: Callable[..., HttpRegistry]) -> None:
    with pytest.raises(RetriableError, match="does not answer: ConnectError"):
        client(nobody).schema(5)


def test_https_to_a_server_without_it_stops_the_task(
    script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    with pytest.raises(FatalError, match="check https:// in"):
        client(script.url.replace("http://", "https://")).schema(1)


def test_silence_ends_at_the_time_out(silent: str, client: Callable[..., HttpRegistry]) -> None:
    with pytest.raises(RetriableError, match="does not answer: ReadTimeout"):
        client(silent, timeout_s=0.05).schema(5)


def test_there_is_a_time_out_by_default() -> None:
    assert RegistrySettings(("http://x",)).timeout_s == 10.0


def test_the_next_address_is_asked_where_one_is_away(
    nobody: str, silent: str, script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    assert client(nobody, silent, script.url, timeout_s=0.2).schema(5).text == SCHEMA


def test_the_next_address_is_asked_where_one_fails(
    script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    script.status = 503
    with serving(Scripted()) as healthy:
        assert client(script.url, healthy.url).schema(5).text == SCHEMA


def test_an_answer_is_an_answer_and_no_other_address_is_asked(
    script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    script.status = 401
    with serving(Scripted()) as other:
        with pytest.raises(FatalError):
            client(script.url, other.url).schema(5)
        assert other.asked == []


def basic(user_info: str) -> str:
    return "Basic " + base64.b64encode(user_info.encode()).decode()


def test_credentials_come_from_the_settings_or_the_url(
    script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    named = script.url.replace("//", "//url%40user:p%3Aw@")
    client(script.url, credentials="user:pass:word").schema(1)
    client(named).schema(1)
    client(named, credentials="user:x").schema(1)
    client(script.url, bearer_token="token").schema(1)
    assert [sent for _, sent in script.asked] == [
        basic("user:pass:word"),
        basic("url@user:p:w"),
        basic("user:x"),
        "Bearer token",
    ]


def test_secrets_are_in_no_message_and_no_representation(
    nobody: str, script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    script.status = 401
    secret: dict[str, Any] = {
        "credentials": "user:SECRET",
        "bearer_token": "SECRET",
        "ssl_key_password": "SECRET",
    }
    for url in (nobody, script.url):
        with pytest.raises((FatalError, RetriableError)) as caught:
            client(url.replace("//", "//me:SECRET@"), credentials="user:SECRET").schema(1)
        assert "SECRET" not in str(caught.value)
    assert "SECRET" not in repr(RegistrySettings(("http://x",), **secret))


@pytest.mark.parametrize("option", ["ssl_ca_location", "ssl_certificate_location"])
def test_a_certificate_that_cannot_be_read_is_a_mistake_in_the_settings(
    option: str, tmp_path: Path, client: Callable[..., HttpRegistry]
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for path in (tmp_path / "absent.pem", broken):
        with pytest.raises(ConfigError, match=r"schema\.registry\.ssl"):
            client("https://127.0.0.1", **{option: str(path)})


def test_no_address_is_a_mistake_in_the_settings(client: Callable[..., HttpRegistry]) -> None:
    with pytest.raises(ConfigError, match=r"schema\.registry\.url"):
        client()


def test_references_are_followed_and_what_is_needed_first_comes_first(
    script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    def needs(*subjects: str) -> list[dict[str, Any]]:
        return [{"name": each, "subject": each, "version": 1} for each in subjects]

    script.answers = {
        "/schemas/ids/1": {"schema": "whole", "references": needs("a/b", "c")},
        "/subjects/a%2Fb/versions/1": {"schema": "ab", "references": needs("c")},
        "/subjects/c/versions/1": {"schema": "c", "schemaType": "AVRO"},
    }
    found = client(script.url).schema(1)
    assert found.references == ("c", "ab")
    assert len(script.asked) == 3


def test_references_in_a_circle_stop_the_task(
    script: Scripted, client: Callable[..., HttpRegistry]
) -> None:
    script.body = {"schema": "x", "references": [{"name": "n", "subject": "s", "version": 1}]}
    with pytest.raises(FatalError, match="circle"):
        client(script.url).schema(1)


def test_the_local_registry_speaks_the_same_language(client: Callable[..., HttpRegistry]) -> None:
    with LocalRegistry({7: SCHEMA, 8: '"int"'}, {"t.a-value": [7, 8]}) as registry:
        asking = client(registry.url)
        assert asking.schema(7).text == SCHEMA
        with pytest.raises(UnknownSchema):
            asking.schema(9)
        assert asking.versions("t.a-value") == [1, 2]
        assert asking.versions("other-value") is None
        second, third = asking.version("t.a-value", 2), asking.version("t.a-value", 3)
        assert (second and second.text, third) == ('"int"', None)


def test_the_local_registry_ends_when_told_and_can_begin_again() -> None:
    registry = LocalRegistry({7: SCHEMA})
    with pytest.raises(RuntimeError):
        _ = registry.url
    with registry, closing(HttpRegistry(RegistrySettings((registry.url,)))) as asking:
        assert asking.schema(7).text == SCHEMA
    registry.stop()
    with registry, closing(HttpRegistry(RegistrySettings((registry.url,)))) as asking:
        assert asking.schema(7).text == SCHEMA
