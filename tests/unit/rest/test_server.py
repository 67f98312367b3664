"""The REST API on real sockets: who may ask, over what, and what happens when it takes long."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.certificates import certificate
from tests.unit.rest.conftest import CONFIG
from tests.unit.rest.memory_herder import MemoryHerder
from worker.config.load_worker import load_worker
from worker.errors import ConfigError, RetriableError
from worker.rest.app import BODY_BYTES_MAX, RestApp
from worker.rest.guard import Guard
from worker.rest.root import Root
from worker.rest.router import Router
from worker.rest.server import RestServer
from worker.serving import serve
from worker.telemetry.exposition import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from worker.config.worker import WorkerConfig
    from worker.runtime.port import ConnectorInfo

USER = "operator:pässword"


def worker(**variables: str) -> WorkerConfig:
    environ = {"LISTENERS": "http://127.0.0.1:0", **variables}
    return load_worker(
        environ={f"CONNECT_{name}": value for name, value in environ.items()}
    ).require()


@contextmanager
def running(herder: MemoryHerder, **variables: str) -> Iterator[str]:
    with serve(
        herder, worker(**variables), {"/metrics": Page("text/plain", lambda: b"up 1\n")}
    ) as server:
        yield server.urls[0]


def test_it_answers_where_it_listens_until_it_stops(herder: MemoryHerder) -> None:
    with running(herder) as url:
        assert httpx.get(f"{url}/connectors").json() == []
        assert httpx.get(f"{url}/metrics").text == "up 1\n"
        raw = httpx.head(f"{url}/connectors")
        assert (raw.content, raw.headers["content-length"]) == (b"", "2")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/connectors")


def test_it_listens_on_several_addresses(herder: MemoryHerder) -> None:
    with serve(herder, worker(LISTENERS="http://localhost:0,http://:0")) as server:
        ports = [url.rpartition(":")[2] for url in server.urls]
        assert len(set(ports)) == 2
        for port in ports:
            assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200


def test_it_need_not_listen_at_all(herder: MemoryHerder) -> None:
    with serve(herder, worker(LISTENERS="")) as server:
        assert server.urls == []


def test_localhost_is_this_machine_alone(herder: MemoryHerder) -> None:
    with serve(herder, worker(LISTENERS="http://localhost:0")) as server:
        port = int(server.urls[0].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            assert connection.getpeername()[0] == "127.0.0.1"
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", port), timeout=5)


def test_a_port_that_is_taken_is_named(herder: MemoryHerder) -> None:
    with running(herder) as url:
        second = serve(herder, worker(LISTENERS=f"http://127.0.0.1:0,{url}"))
        with pytest.raises(
            RetriableError, match=f"listeners: {url} cannot be had: Address already"
        ):
            second.start()
        second.stop()


def test_who_does_not_know_the_password_is_turned_away(herder: MemoryHerder) -> None:
    with running(herder, REST_BASIC_AUTH_USER_INFO=USER) as url:
        assert httpx.get(f"{url}/connectors", auth=("operator", "pässword")).status_code == 200
        for auth in (None, ("operator", "password"), ("", "")):
            answer = httpx.get(f"{url}/connectors", auth=auth)
            assert answer.status_code == 401
            assert answer.json()["error_code"] == 401
            assert answer.headers["www-authenticate"].startswith("Basic ")
        for header in ("Basic", "Basic !!!", "Bearer abc"):
            answer = httpx.get(f"{url}/connectors", headers={"authorization": header})
            assert answer.status_code == 401
        assert httpx.get(f"{url}/metrics").status_code == 401
        for path in ("/nowhere", "/health/../connectors", "/health%2Fx", "/health/connectors"):
            assert httpx.get(url + path).status_code == 401
        for path in ("/health", "/health/live", "/health/ready"):
            assert httpx.get(url + path).status_code == 200, "probes have no password"


def test_a_page_of_another_site_changes_nothing(herder: MemoryHerder) -> None:
    with running(herder) as url:
        httpx.put(f"{url}/connectors/docs/config", json=CONFIG)
        foreign = {"sec-fetch-site": "cross-site"}
        restart = f"{url}/connectors/docs/restart"
        assert httpx.post(restart, headers=foreign).status_code == 403
        assert httpx.post(restart, headers={"sec-fetch-site": "same-origin"}).status_code == 204
        assert httpx.get(f"{url}/connectors", headers=foreign).status_code == 200
        assert herder.restarted == ["docs"]


def test_a_body_without_end_is_cut_off(herder: MemoryHerder) -> None:
    with running(herder) as url:
        headers = {"content-type": "application/json"}
        large = b'"' + b"x" * BODY_BYTES_MAX + b'"'
        answer = httpx.put(f"{url}/connectors/docs/config", content=large, headers=headers)
        assert (answer.status_code, answer.json()["error_code"]) == (413, 413)


class Slow(MemoryHerder):
    """Reads a config so slowly that another request comes between."""

    def connector(self, name: str) -> ConnectorInfo:
        found = super().connector(name)
        time.sleep(0.02)
        return found


def test_changes_that_come_together_are_all_kept() -> None:
    herder = Slow()
    with running(herder) as url:
        httpx.put(f"{url}/connectors/docs/config", json=CONFIG)
        path = f"{url}/connectors/docs/config"
        changing = [
            threading.Thread(target=partial(httpx.patch, path, json={f"x.{number}": "1"}))
            for number in range(6)
        ]
        for one in changing:
            one.start()
        for one in changing:
            one.join(30)
    assert {f"x.{number}" for number in range(6)} <= herder.connector("docs").config.keys()


def broken() -> bytes:
    raise ValueError("a secret row")


def test_a_page_that_cannot_be_made_says_nothing_of_why(herder: MemoryHerder) -> None:
    with serve(herder, worker(), {"/metrics": Page("text/plain", broken)}) as server:
        answer = httpx.get(f"{server.urls[0]}/metrics")
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert httpx.post(f"{server.urls[0]}/metrics").status_code == 405


def test_a_defect_says_nothing_about_itself(herder: MemoryHerder) -> None:
    herder._connectors["broken"] = None  # type: ignore[assignment]
    with running(herder) as url:
        answer = httpx.get(f"{url}/connectors/broken")
        message = "Internal Server Error"
        assert answer.status_code == 500
        assert answer.json() == {"error_code": 500, "message": message}


class Waiting(MemoryHerder):
    """Its Kafka never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Semaphore(0)
        self.answers = threading.Event()

    def kafka_cluster_id(self) -> str:
        self.asked.release()
        self.answers.wait(30)
        return ""


def test_health_answers_while_all_others_wait() -> None:
    herder = Waiting()
    with running(herder) as url:
        asking = [
            threading.Thread(target=httpx.get, args=(url,), kwargs={"timeout": 30})
            for _ in range(40)
        ]
        for one in asking:
            one.start()
        for _ in range(16):
            assert herder.asked.acquire(timeout=20)
        assert httpx.get(f"{url}/health/live", timeout=20).status_code == 200
        assert httpx.get(f"{url}/metrics", timeout=20).status_code == 200
        herder.answers.set()
        for one in asking:
            one.join(30)


def test_nobody_waits_for_ever() -> None:
    herder = Waiting()
    app = RestApp(Router(Root(herder).routes()), Guard(None), {}, timeout_s=0.05)
    with RestServer(app, worker().listeners, worker().settings) as server:
        answer = httpx.get(server.urls[0])
        assert answer.status_code == 500
        assert answer.json() == {"error_code": 500, "message": "Request timed out"}
        herder.answers.set()


def trusting(file: str, chain: Sequence[str] = ()) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=file)
    if chain:
        context.load_cert_chain(*chain)
    return context


def tls(certificate: str, key: str, **more: str) -> dict[str, str]:
    prefix = "LISTENERS_HTTPS_SSL_"
    return {
        "LISTENERS": "https://localhost:0",
        f"{prefix}CERTIFICATE_LOCATION": certificate,
        f"{prefix}KEY_LOCATION": key,
        **{prefix + name: value for name, value in more.items()},
    }


def test_it_speaks_tls(herder: MemoryHerder, tmp_path: Path) -> None:
    crt, key = certificate(tmp_path, "server", b"canary")
    with running(herder, **tls(crt, key, KEY_PASSWORD="canary")) as url:
        assert url.startswith("https://localhost:")
        made = httpx.put(f"{url}/connectors/docs/config", json=CONFIG, verify=trusting(crt))
        assert made.headers["location"] == f"{url}/connectors/docs"
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def test_a_client_needs_its_certificate_where_one_is_asked_for(
    herder: MemoryHerder, tmp_path: Path
) -> None:
    crt, key = certificate(tmp_path, "server")
    mine = certificate(tmp_path, "client")
    with running(herder, **tls(crt, key, CA_LOCATION=mine[0])) as url:
        assert httpx.get(url, verify=trusting(crt, mine)).status_code == 200
        with pytest.raises(httpx.TransportError):
            httpx.get(url, verify=trusting(crt))


@pytest.mark.parametrize("wrong", ["nothing there", "another password", "another key"])
def test_a_certificate_that_cannot_be_used_is_said(
    herder: MemoryHerder, tmp_path: Path, wrong: str
) -> None:
    crt, key = certificate(tmp_path, "server", b"canary")
    _, other = certificate(tmp_path, "other")
    variables = {
        "nothing there": tls("/nowhere.pem", key),
        "another password": tls(crt, key, KEY_PASSWORD="canary-2"),
        "another key": tls(crt, other),
    }[wrong]
    server = serve(herder, worker(**variables))
    with pytest.raises(ConfigError, match=r"^listeners\.https\.ssl\.\*: cannot be used: ") as error:
        server.start()
    assert "canary" not in str(error.value)
    server.stop()
