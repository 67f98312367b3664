"""What goes over the wire: API versions, status codes, shapes of errors, headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from worker.pinecone_local.faults import HEALTHY, FaultRule, Faults
from worker.pinecone_local.server import PineconeLocal, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW, OLD = "2026-07", "2026-04"
SCHEMA = {"fields": {"_values": {"type": "dense_vector", "dimension": 2, "metric": "cosine"}}}
SERVERLESS = {"serverless": {"cloud": "aws", "region": "us-east-1"}}


class Api:
    """A client without any convenience."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(timeout=30)

    def call(
        self, method: str, path: str, body: object = None, *, version: str = NEW, key: str = "k"
    ) -> httpx.Response:
        headers = {"X-Pinecone-Api-Version": version} if version else {}
        if key:
            headers["Api-Key"] = key
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.http.request(method, self.url + path, headers=headers, **content)

    def post(self, path: str, body: object, *, version: str = NEW) -> httpx.Response:
        return self.call("POST", path, body, version=version)

    def get(self, path: str, *, version: str = NEW) -> httpx.Response:
        return self.call("GET", path, version=version)


@pytest.fixture(scope="module")
def server() -> Iterator[PineconeLocal]:
    with PineconeLocal() as running:
        yield running


@pytest.fixture(scope="module")
def control(server: PineconeLocal) -> Iterator[Api]:
    api = Api(server.url)
    yield api
    api.http.close()


@pytest.fixture(scope="module")
def data(control: Api) -> Iterator[Api]:
    made = control.post("/indexes", {"name": "wire", "schema": SCHEMA}).json()
    api = Api(made["host"])
    assert api.post("/vectors/upsert", {"vectors": [{"id": "a", "values": [1, 2]}]}).is_success
    yield api
    api.http.close()


def control_error(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert set(body) == {"error", "status"}
    assert set(body["error"]) == {"code", "message"}
    assert body["status"] == response.status_code
    return response.status_code, body["error"]["code"]


def rpc_error(response: httpx.Response) -> tuple[int, int]:
    body = response.json()
    assert set(body) == {"code", "message", "details"}
    return response.status_code, body["code"]


def test_new_version_describes_by_schema(control: Api) -> None:
    response = control.post("/indexes", {"name": "by-schema", "schema": SCHEMA})

    body = response.json()
    assert response.status_code == 201
    assert body["deployment"] == {
        "deployment_type": "managed",
        "cloud": "aws",
        "region": "us-east-1",
    }
    assert body["schema"]["fields"]["_values"]["dimension"] == 2
    assert body["status"] == {"ready": True, "state": "Ready"}
    assert body["tags"] is None
    assert "dimension" not in body
    assert body["host"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("version", ["", "2024-07", "2025-01", OLD, "nonsense"])
def test_older_version_creates_and_describes_classically(control: Api, version: str) -> None:
    name = f"classic-{version or 'none'}"
    asked = {"name": name, "dimension": 3, "metric": "dotproduct", "spec": SERVERLESS}
    made = control.post("/indexes", asked, version=version)
    described = control.get(f"/indexes/{name}", version=version).json()

    assert made.status_code == 201
    assert made.json() == described
    assert described["dimension"] == 3
    assert described["metric"] == "dotproduct"
    assert described["vector_type"] == "dense"
    assert described["spec"]["serverless"]["region"] == "us-east-1"
    assert "schema" not in described
    assert ("read_capacity" in described["spec"]["serverless"]) is (version == OLD)
    assert "_values" in control.get(f"/indexes/{name}").json()["schema"]["fields"]


def test_classic_form_is_unprocessable_in_the_new_version(control: Api) -> None:
    asked = {"name": "mixed", "dimension": 3, "metric": "cosine", "spec": SERVERLESS}

    assert control_error(control.post("/indexes", asked)) == (422, "UNPROCESSABLE_ENTITY")
    response = control.post("/indexes", {"name": "mixed", "schema": SCHEMA}, version=OLD)
    assert control_error(response) == (422, "UNPROCESSABLE_ENTITY")


def test_classic_sparse_index_has_no_dimension(control: Api) -> None:
    asked = {"name": "thin", "vector_type": "sparse", "metric": "dotproduct", "spec": SERVERLESS}
    body = control.post("/indexes", asked, version=OLD).json()

    assert body["vector_type"] == "sparse"
    assert "dimension" not in body
    refused = control.post("/indexes", {**asked, "name": "t2", "dimension": 2}, version=OLD)
    assert control_error(refused) == (400, "INVALID_ARGUMENT")


def test_configure_answers_200_now_and_202_before(control: Api, data: Api) -> None:
    change = {"tags": {"a": "b"}}

    assert control.call("PATCH", "/indexes/wire", change).status_code == 200
    assert control.call("PATCH", "/indexes/wire", change, version=OLD).status_code == 202
    unknown = control.call("PATCH", "/indexes/wire", {"dimension": 3})
    assert control_error(unknown) == (422, "UNPROCESSABLE_ENTITY")


@pytest.mark.parametrize("name", ["Upper", "under_score", "-a", "a-", "a.b", "", "a" * 46, "ä"])
def test_bad_index_name_is_refused(control: Api, name: str) -> None:
    response = control.post("/indexes", {"name": name, "schema": SCHEMA})

    assert control_error(response) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "tags",
    [{"k" * 81: "v"}, {"k": "v" * 121}, {"k y": "v"}, {"k": "ü"}, {str(n): "v" for n in range(21)}],
)
def test_bad_tags_are_refused(control: Api, tags: dict[str, str]) -> None:
    response = control.post("/indexes", {"name": "tagged", "schema": SCHEMA, "tags": tags})

    assert control_error(response) == (400, "INVALID_ARGUMENT")


def test_errors_have_the_shape_of_their_plane(control: Api, data: Api) -> None:
    assert control_error(control.get("/indexes/absent")) == (404, "NOT_FOUND")
    duplicate = control.post("/indexes", {"name": "wire", "schema": SCHEMA})
    assert control_error(duplicate) == (409, "ALREADY_EXISTS")
    assert control_error(control.get("/elsewhere")) == (404, "NOT_FOUND")
    assert rpc_error(data.post("/vectors/upsert", {"vectors": []})) == (400, 3)
    assert rpc_error(data.post("/vectors/delete", {"namespace": "x", "ids": ["a"]})) == (404, 5)
    assert rpc_error(data.get("/namespaces/absent")) == (404, 5)
    assert rpc_error(data.post("/namespaces", {"name": "__default__"})) == (400, 3)
    document = data.post("/namespaces/n/documents/upsert", {"documents": [{"_id": "a"}]})
    assert control_error(document) == (400, "INVALID_ARGUMENT")
    records = data.call("POST", "/records/namespaces/n/upsert", b'{"_id":"a"}')
    assert control_error(records) == (400, "INVALID_ARGUMENT")


def test_missing_key_is_plain_text(control: Api, data: Api) -> None:
    for response in (
        control.call("GET", "/indexes", key=""),
        data.call("POST", "/query", {}, key=""),
    ):
        assert response.status_code == 401
        assert response.headers["content-type"].startswith("text/plain")
        assert response.text == "Unauthorized"
    older = control.call("GET", "/indexes", version=OLD, key="")
    assert control_error(older) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/vectors/upsert", b"{"),
        ("/vectors/upsert", b"[]"),
        ("/vectors/upsert", {"vectors": [1]}),
        ("/vectors/upsert", {"vectors": [{"values": [1, 2]}]}),
        ("/vectors/upsert", {"vectors": [{"id": "x"}]}),
        ("/vectors/upsert", {"vectors": [{"id": "x", "values": [1, 2], "metadata": "m"}]}),
        ("/vectors/upsert", {"vectors": [{"id": "x", "values": [1, 2]}], "namespace": 3}),
        ("/query", {"topK": 0, "vector": [1, 2]}),
        ("/query", {"topK": 10_001, "vector": [1, 2]}),
        ("/query", {"topK": 1.5, "vector": [1, 2]}),
        ("/query", {"vector": [1, 2]}),
        ("/query", {"topK": 1}),
        ("/query", {"topK": 1, "vector": [1, 2], "id": "a"}),
        ("/query", {"topK": 1, "vector": [1, None]}),
        ("/query", {"topK": 1, "vector": [1, 2], "scanFactor": 2}),
        ("/query", {"topK": 1, "vector": [1, 2], "filter": []}),
        ("/query", {"topK": 1, "vector": [1, 2], "includeValues": "yes"}),
        ("/query", {"topK": 1, "vector": [1, 2], "includeMetadata": 1}),
        ("/vectors/delete", {"deleteAll": "yes"}),
        ("/vectors/update", {"filter": {"x": 1}, "dryRun": 1}),
        ("/vectors/delete", {}),
        ("/vectors/delete", {"ids": []}),
        ("/vectors/delete", {"filter": {}}),
        ("/vectors/delete", {"deleteAll": True, "ids": ["a"]}),
        ("/vectors/delete", {"deleteAll": True, "filter": {"a": 1}}),
        ("/vectors/update", {}),
        ("/vectors/update", {"id": "a", "filter": {"x": 1}}),
        ("/vectors/update", {"filter": {}, "setMetadata": {"a": 1}}),
        ("/vectors/update", {"filter": {"x": 1}, "values": [1, 2]}),
        ("/vectors/update", {"filter": {"x": 1}}),
        ("/vectors/fetch_by_metadata", {}),
        ("/vectors/fetch_by_metadata", {"filter": {"a": 1}, "limit": 10_001}),
        ("/vectors/fetch_by_metadata", {"filter": {"a": 1}, "limit": 0}),
        ("/describe_index_stats", {"filter": {"a": 1}}),
        ("/namespaces", {}),
        ("/namespaces", {"name": "é"}),
    ],
)
def test_malformed_request_is_refused(data: Api, path: str, body: object) -> None:
    assert rpc_error(data.post(path, body)) == (400, 3)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=%C2%B2",
        "limit=--1",
        "limit=1.0",
        f"limit={'9' * 5000}",
        "prefix=%C3%A9",
    ],
    ids=lambda query: query[:20],
)
def test_bad_list_parameter_is_refused(data: Api, query: str) -> None:
    assert rpc_error(data.get(f"/vectors/list?{query}")) == (400, 3)
    assert rpc_error(data.get(f"/namespaces?{query}")) == (400, 3)


def test_value_nested_beyond_what_can_be_shown_is_refused(data: Api) -> None:
    deep = b"[" * 500 + b"]" * 500
    vector = b'{"vectors":[{"id":"x","values":[1,2],"metadata":{"a":%s}}]}' % deep

    assert rpc_error(data.call("POST", "/vectors/upsert", vector)) == (400, 3)


def test_dry_run_needs_nothing_to_set(data: Api) -> None:
    body = {"filter": {"absent": 1}, "dryRun": True}

    assert data.post("/vectors/update", body).json() == {"matchedRecords": 0}


def test_fetch_reads_repeated_ids(data: Api) -> None:
    assert set(data.get("/vectors/fetch?ids=a&ids=b&ids=a").json()["vectors"]) == {"a"}
    assert rpc_error(data.get("/vectors/fetch")) == (400, 3)


def test_numbers_of_namespaces_are_text_since_the_new_version(data: Api) -> None:
    data.post("/namespaces", {"name": "counted"})
    new = data.get("/namespaces/counted").json()
    old = data.get("/namespaces/counted", version=OLD).json()

    assert (new["record_count"], new["size_bytes"]) == ("0", "0")
    assert old == {"name": "counted", "record_count": 0}


def test_unnamed_namespace_has_its_old_name_in_old_statistics(data: Api) -> None:
    new = data.post("/describe_index_stats", {}).json()["namespaces"]
    old = data.post("/describe_index_stats", {}, version="2024-10").json()["namespaces"]

    assert new["__default__"] == old[""] == {"vectorCount": 1}


def test_writes_and_queries_carry_log_positions(data: Api) -> None:
    write = data.post("/vectors/upsert", {"vectors": [{"id": "a", "values": [1, 2]}]})
    read = data.post("/query", {"topK": 1, "id": "a"})

    assert read.headers["x-pinecone-max-indexed-lsn"] == write.headers["x-pinecone-request-lsn"]
    assert write.headers["x-pinecone-request-id"].isdigit()


def test_floats_are_short(data: Api) -> None:
    data.post("/vectors/upsert", {"vectors": [{"id": "f", "values": [0.1, 0.7]}]})

    assert b'"values":[0.1,0.7]' in data.get("/vectors/fetch?ids=f").content


def test_too_many_requests_are_plain_text_with_retry_after(
    server: PineconeLocal, data: Api
) -> None:
    rule = FaultRule(operations=["query"], status=429, retry_after_s=1.5, count=1, message="slow")
    server.faults = Faults(rules=[rule])
    response = data.post("/query", {"topK": 1, "id": "a"})

    assert response.status_code == 429
    assert response.text == "slow"
    assert response.headers["retry-after"] == "1.5"
    assert data.post("/query", {"topK": 1, "id": "a"}).status_code == 200


def test_failing_call_has_the_shape_of_its_plane(
    server: PineconeLocal, control: Api, data: Api
) -> None:
    server.faults = Faults(rules=[FaultRule(status=503)])
    assert rpc_error(data.post("/query", {"topK": 1, "id": "a"})) == (503, 14)
    assert control_error(control.get("/indexes")) == (503, "SERVICE_UNAVAILABLE")
    server.faults = Faults(rules=[FaultRule(status=502)])
    assert rpc_error(data.post("/query", {"topK": 1, "id": "a"})) == (502, 13)
    server.faults = HEALTHY


def test_lost_answer_leaves_the_write(server: PineconeLocal, data: Api) -> None:
    server.faults = Faults(rules=[FaultRule(operations=["upsert"], applied=True)])
    lost = data.post("/vectors/upsert", {"vectors": [{"id": "kept", "values": [1, 2]}]})
    server.faults = HEALTHY

    assert lost.status_code == 503
    assert "kept" in data.get("/vectors/fetch?ids=kept").json()["vectors"]


def test_faults_are_set_over_http(control: Api, data: Api) -> None:
    faults: dict[str, Any] = {"rules": [{"operations": ["query"], "status": 500, "count": 1}]}
    set_to = control.call("PUT", "/_local/faults", faults, key="")

    assert set_to.json()["rules"][0]["status"] == 500
    assert data.post("/query", {"topK": 1, "id": "a"}).status_code == 500
    assert control.call("DELETE", "/_local/faults").json()["rules"] == []
    refused = control.call("PUT", "/_local/faults", {"latency": 3})
    assert control_error(refused) == (400, "INVALID_ARGUMENT")


def test_calls_are_counted(control: Api, data: Api) -> None:
    control.call("DELETE", "/_local/stats")
    body = b'{"vectors":[{"id":"a","values":[1,2]},{"id":"b","values":[1,2]}]}'
    answer = data.post("/vectors/upsert", body)
    data.post("/vectors/upsert", {})

    counted = control.get("/_local/stats").json()["upsert"]
    assert counted["calls"] == 2
    assert counted["errors"] == 1
    assert counted["records"] == 2
    assert counted["bytes_in"] == len(body) + 2
    assert counted["bytes_out"] > len(answer.content)
    assert control.get("/_local/health").json() == {"status": "ok"}


def test_settings_name_the_host_that_others_reach() -> None:
    assert Settings(host="0.0.0.0").url(5080) == "http://127.0.0.1:5080"
    assert Settings(host="0.0.0.0", advertise="pinecone.local").url(1) == "http://pinecone.local:1"
