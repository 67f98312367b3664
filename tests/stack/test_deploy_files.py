"""What ``docker-compose.debezium.yml`` mounts works on the same servers without Docker."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pinecone import Pinecone

from tests.stack.home import REPOSITORY
from tests.stack.ports import HOST
from worker.pinecone_local.server import PineconeLocal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.stack import Stack

DEPLOY = REPOSITORY / "deploy"
RUN = f"deploy_{uuid4().hex[:8]}"
TABLES = {"shop": "public.products", "helpdesk": "helpdesk.articles"}
ROWS = {"shop": 12, "helpdesk": 6}


@pytest.fixture
def databases(stack: Stack) -> Iterator[None]:
    """Both databases, made by the scripts that the images run at their first start."""
    stack.postgres.create_database(RUN)
    with stack.postgres.connect(RUN) as connection:
        connection.execute((DEPLOY / "postgres" / "init.sql").read_text())
    with stack.mysql.connect() as mysql, mysql.cursor() as cursor:
        for statement in _statements(DEPLOY / "mysql" / "init.sql"):
            cursor.execute(statement)
    yield
    stack.postgres.drop_replication(RUN, _name("shop"), "vecsink")
    with stack.postgres.connect(RUN) as connection:
        connection.execute("DROP OWNED BY debezium")
        connection.execute("DROP ROLE debezium")
    stack.postgres.drop_database(RUN)
    stack.mysql.drop_database("helpdesk")


@pytest.fixture
def pinecone() -> Iterator[PineconeLocal]:
    with PineconeLocal() as local:
        yield local


def test_the_setup_makes_connectors_that_run_and_an_index_and_may_run_again(
    stack: Stack, databases: None, pinecone: PineconeLocal, tmp_path: Path
) -> None:
    script = _setup_for(stack, tmp_path)
    for _ in range(2):
        _run(script, CONNECT_URL=stack.connect.url, PINECONE_URL=pinecone.url)
    try:
        for name, table in TABLES.items():
            stack.connect.wait_running(_name(name))
            stack.kafka.topics.wait_for(f"{_name(name)}.{table}", ROWS[name])
    finally:
        for name in TABLES:
            stack.connect.remove(_name(name))
    with Pinecone(api_key="local", host=pinecone.url) as client:
        assert client.describe_index("shop").dimension == 384


def _setup_for(stack: Stack, folder: Path) -> Path:
    """The setup as it is, with the addresses and names of this machine in the connectors."""
    shutil.copy(DEPLOY / "setup.sh", folder)
    (folder / "debezium").mkdir()
    ours: dict[str, dict[str, Any]] = {
        "shop": {
            "database.port": str(stack.ports.postgres),
            "database.dbname": RUN,
            "slot.name": _name("shop"),
        },
        "helpdesk": {
            "database.port": str(stack.ports.mysql),
            "schema.history.internal.kafka.bootstrap.servers": stack.kafka.bootstrap,
            "schema.history.internal.kafka.topic": f"{_name('helpdesk')}.schema-history",
        },
    }
    for name, changes in ours.items():
        config = json.loads((DEPLOY / "debezium" / f"{name}.json").read_text())
        config |= {"database.hostname": HOST, "topic.prefix": _name(name), **changes}
        (folder / "debezium" / f"{_name(name)}.json").write_text(json.dumps(config))
    return folder / "setup.sh"


def _run(script: Path, **environment: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the setup script needs curl")
    variables = {"PATH": "/usr/bin:/bin", "PINECONE_API_KEY": "local", **environment}
    done = subprocess.run(
        ["sh", script], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _statements(file: Path) -> list[str]:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("--")]
    return [part for part in "\n".join(lines).split(";\n") if part.strip()]


def _name(connector: str) -> str:
    return f"{RUN}_{connector}"
