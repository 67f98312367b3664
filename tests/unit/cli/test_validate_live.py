"""``vecsink validate --live`` against servers of this process, and against nobody."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer

from worker.cli.errors import ExitCode
from worker.cli.validate_live import validate_live
from worker.decode.local_registry import LocalRegistry
from worker.pinecone_local.server import PineconeLocal
from worker.pinecone_local.server import Settings as PineconeSettings
from worker.provider_local.server import ProviderLocal, Settings
from worker.source.mock_cluster import MockCluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONNECTOR = {
    "name": "products",
    "connector.class": "EmbeddingSink",
    "topics": "products",
    "key.converter": "json",
    "value.converter": "json",
    "document.fields": "name",
    "embedder": "fake",
    "store": "memory",
}
NOBODY = "127.0.0.1:9"
THEY_HAVE = "they have body, id, name"


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    with MockCluster() as cluster:
        producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
        producer.produce("products", key=b'{"id":1}', value=b"{}")
        producer.flush()
        yield cluster.bootstrap_servers


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch, brokers: str) -> None:
    monkeypatch.setenv("CONNECT_BOOTSTRAP_SERVERS", brokers)


@pytest.fixture
def provider() -> Iterator[ProviderLocal]:
    with ProviderLocal(Settings(api_key="sk-good")) as server:
        yield server


def ask(folder: Path, **changes: str) -> tuple[ExitCode, list[str]]:
    file, out = folder / "products.json", io.StringIO()
    config = {**CONNECTOR, **{key.replace("_", "."): value for key, value in changes.items()}}
    file.write_text(json.dumps(config))
    code = validate_live([file], out=out)
    return code, out.getvalue().splitlines()


def as_json(folder: Path) -> tuple[ExitCode, dict[str, Any]]:
    out = io.StringIO()
    code = validate_live([folder / "products.json"], as_json=True, out=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return code, found


@pytest.mark.usefixtures("reached")
def test_each_question_has_a_line_and_all_good_ends_with_0(tmp_path: Path, brokers: str) -> None:
    code, lines = ask(tmp_path)
    assert lines == [
        f"{tmp_path}/products.json: OK",
        f"products: kafka: ok: {brokers}: 1 broker",
        "products: topics: ok: products, 4 partitions",
        "products: group: ok: connect-products has 1 records to read",
        "products: embedder: ok: fake/fake/384 works",
        "products: store: ok: takes 384 dimensions; namespaces: none written yet",
    ]
    assert code is ExitCode.OK


@pytest.mark.usefixtures("reached")
def test_a_topic_that_does_not_exist_is_away_and_the_nearest_is_named(tmp_path: Path) -> None:
    code, lines = ask(tmp_path, topics="product")
    assert "does not exist (did you mean products?)" in lines[2]
    assert code is ExitCode.ENVIRONMENT


@pytest.mark.usefixtures("reached")
def test_a_key_that_the_provider_refuses_is_wrong(tmp_path: Path, provider: ProviderLocal) -> None:
    settings = {
        "embedder": "openai",
        "embedder_base_url": f"{provider.url}/openai/v1",
        "embedder_api_key": "sk-bad",
    }
    code, lines = ask(tmp_path, **settings)
    assert "embedder.api.key is not valid" in lines[4]
    assert "sk-bad" not in "".join(lines)
    assert code is ExitCode.CONFIG
    code, lines = ask(tmp_path, **settings | {"embedder_api_key": "sk-good"})
    assert "openai/text-embedding-3-small/1536 works" in lines[4]
    assert code is ExitCode.OK


@pytest.mark.usefixtures("reached")
def test_an_index_that_the_first_run_makes_is_as_it_should_be(tmp_path: Path) -> None:
    with PineconeLocal(PineconeSettings(api_key="k")) as server:
        settings = {
            "store": "pinecone",
            "store_index": "second",
            "store_api_key": "k",
            "store_url": server.url,
        }
        code, lines = ask(tmp_path, **settings, store_create="true")
        assert lines[-1] == (
            "products: store: ok: the index 'second' will be made by the first run (384 "
            "dimensions, cosine)"
        )
        assert code is ExitCode.OK
        code, lines = ask(tmp_path, **settings)
        assert lines[-1] == (
            "products: store: wrong: Pinecone has no index 'second' (store.index); the project "
            "has: none. Make it with 384 dimensions (docs/stores.md), or set store.create=true"
        )
        assert code is ExitCode.CONFIG


@pytest.mark.usefixtures("reached")
def test_chunks_longer_than_the_model_takes_are_wrong(tmp_path: Path) -> None:
    settings = {"embedder": "openai", "embedder_api_key": "k", "document_chunk_tokens": "4100"}
    code, lines = ask(tmp_path, **settings)
    assert "embedder: wrong: document.chunk.tokens: the model takes" in lines[4]
    assert code is ExitCode.CONFIG


def avro(registry: LocalRegistry) -> dict[str, str]:
    return {
        f"{part}_converter{key}": value
        for part in ("key", "value")
        for key, value in (("", "avro"), ("_schema_registry_url", registry.url))
    }


def rows_with(*columns: str) -> str:
    fields = [{"name": name, "type": ["null", "string"], "default": None} for name in columns]
    return json.dumps({"type": "record", "name": "shop.products.Value", "fields": fields})


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize(
    ("fields", "said", "ends"),
    [
        ("name, body", "ok: rows of products have body, name", ExitCode.OK),
        ("name, price", "ok: rows of products have no price any more: null", ExitCode.OK),
        (
            "name, bodi",
            f"wrong: rows of products have no column bodi; did you mean body? ({THEY_HAVE})",
            ExitCode.CONFIG,
        ),
    ],
)
def test_a_column_that_rows_never_had_is_wrong(
    tmp_path: Path, fields: str, said: str, ends: ExitCode
) -> None:
    schemas = {1: rows_with("id", "name", "price"), 2: rows_with("id", "name", "body")}
    with LocalRegistry(schemas, {"products-value": [1, 2]}) as registry:
        code, lines = ask(tmp_path, **avro(registry), document_fields=fields)
    assert f"products: columns: {said}" in lines
    assert code is ends


@pytest.mark.usefixtures("reached")
def test_columns_are_not_known_before_the_first_row(tmp_path: Path) -> None:
    with LocalRegistry({}) as registry:
        code, lines = ask(tmp_path, **avro(registry))
    said = "not known, as the registry has no schema of rows of products (yet)"
    assert f"products: columns: ok: {said}" in lines
    assert code is ExitCode.OK


@pytest.mark.usefixtures("reached")
def test_a_registry_is_asked_once_where_keys_and_values_have_the_same(tmp_path: Path) -> None:
    with LocalRegistry({7: '"string"'}, {"products-value": [7]}) as registry:
        _, lines = ask(tmp_path, **avro(registry))
    assert [line for line in lines if ": registry: " in line] == [
        "products: registry: ok: products-value has 1 version"
    ]


def test_who_does_not_answer_is_away_and_what_depends_on_it_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECT_BOOTSTRAP_SERVERS", NOBODY)
    code, lines = ask(tmp_path)
    assert lines[1].startswith(f"products: kafka: away: Kafka at {NOBODY} does not answer")
    assert [line.split(": ")[1] for line in lines[1:]] == ["kafka", "embedder", "store"]
    assert code is ExitCode.ENVIRONMENT
    code, found = as_json(tmp_path)
    assert code is ExitCode.ENVIRONMENT
    assert found["valid"] is False
    assert found["live"][0]["verdict"] == "away"


def test_of_a_file_with_mistakes_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECT_BOOTSTRAP_SERVERS", NOBODY)
    code, lines = ask(tmp_path, tasks_max="none")
    assert code is ExitCode.CONFIG
    assert [line.split(": ")[0] for line in lines] == ["error", f"{tmp_path}/products.json"]
