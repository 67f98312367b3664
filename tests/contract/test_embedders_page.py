"""The backend that ``docs/embedders.md`` adds as an example works as it stands there."""

from __future__ import annotations

import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from worker.config.read import Plugins, Surroundings, read_connector
from worker.embed.port import Purpose
from worker.errors import FatalError, LimitedError, RecordError, RetriableError
from worker.plugins import EMBEDDERS, Registry
from worker.provider_local.vectors import vectors_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "embedders.md"
BLOCK = re.compile(r"^`([^`\n]+)`[^\n]*:\n\n```\w+\n(.*?)```", re.DOTALL | re.MULTILINE)


def files() -> dict[str, str]:
    """What the page says should stand in which file."""
    return dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))


class Service(BaseHTTPRequestHandler):
    """The service of the example."""

    protocol_version = "HTTP/1.1"
    status = 200

    def do_POST(self) -> None:
        asked = orjson.loads(self.rfile.read(int(self.headers["content-length"])))
        texts = asked["texts"]
        rows = vectors_of(texts, model="m", length=8, input_type="").tolist() if texts else []
        body = orjson.dumps({"vectors": rows})
        self.send_response(type(self).status)
        self.send_header("retry-after", "7")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        """Say nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def loaded(name: str, file: str) -> ModuleType:
    """A file of the page as a module, importable under this name."""
    module = sys.modules[name] = ModuleType(name)
    exec(compile(files()[file], str(PAGE), "exec"), module.__dict__)
    return module


plain = loaded("worker.embed.plain", "worker/embed/plain.py")
TestPlainEmbedder = loaded(
    "test_embedder_plain", "tests/contract/test_embedder_plain.py"
).TestPlainEmbedder


def test_the_entry_point_of_the_page_makes_it_a_backend() -> None:
    name, value = files()["pyproject.toml"].replace('"', "").split(" = ")
    point = EntryPoint(name=name, value=value.strip(), group=EMBEDDERS)
    around = Surroundings(plugins=Plugins(embedders=Registry(EMBEDDERS, [point])))
    reading = read_connector({"embedder": "plain", "embedder.dimensions": "many"}, around)
    assert Registry(EMBEDDERS, [point]).load("plain") is plain.PlainEmbedder
    assert "embedder.dimensions" in {problem.key for problem in reading.problems}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, LimitedError), (503, RetriableError), (401, FatalError), (400, RecordError)],
)
def test_its_errors_say_how_to_recover(service: str, status: int, kind: type[Exception]) -> None:
    keys = {"embedder.model": "m", "embedder.dimensions": "8", "embedder.base.url": service}
    embedder = plain.PlainEmbedder(plain.PlainConfig.model_validate(keys))
    Service.status = status
    with pytest.raises(kind):
        embedder.embed(["x"], Purpose.DOCUMENT)
    Service.status = 200
    embedder.close()
