"""What the journal keeps, also after a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.clock import FakeClock
from worker.pinecone_local.index import Index
from worker.pinecone_local.persistence import Entry, Journal, write_atomically
from worker.pinecone_local.records import Metric, Query
from worker.pinecone_local.replay import command_of
from worker.pinecone_local.shape import Shape

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = Shape(dense_field="_values", dimension=2, metric=Metric.DOTPRODUCT)
DOCUMENTS = Shape(
    dense_field="v",
    sparse_field="s",
    text_fields=frozenset({"t"}),
    dimension=2,
    metric=Metric.COSINE,
    documents=True,
)


def opened(path: Path, shape: Shape = SHAPE) -> Index:
    return Index(shape, clock=FakeClock(), visibility_s=lambda: 0.0, journal=Journal(path))


def write(index: Index, operation: str, namespace: str, body: object) -> None:
    entry = Entry(operation, namespace, orjson.dumps(body))
    index.write(command_of(index.shape, entry), entry)


def upsert(index: Index, namespace: str, *vectors: object) -> None:
    write(index, "upsert", namespace, {"namespace": namespace, "vectors": vectors})


ENTRIES = st.lists(
    st.builds(Entry, st.text(max_size=5), st.text(max_size=5), st.binary(max_size=50)), max_size=8
)


@given(ENTRIES, st.integers(0, 400))
def test_a_torn_file_keeps_every_whole_entry(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], cut: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    content = b"".join(entry.encoded() for entry in entries)
    path.write_bytes(content[: max(0, len(content) - cut)])
    journal = Journal(path)
    kept = list(journal.replay())
    journal.append(Entry("after", "", b"x"))
    journal.close()

    assert kept == entries[: len(kept)]
    assert sum(len(entry.encoded()) for entry in entries[: len(kept) + 1]) > len(content) - cut or (
        len(kept) == len(entries)
    )
    again = Journal(path)
    assert list(again.replay()) == [*kept, Entry("after", "", b"x")]
    again.close()


def test_a_damaged_entry_ends_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "j"
    first, second = Entry("a", "", b"one").encoded(), Entry("b", "", b"two").encoded()
    path.write_bytes(first + second[:-1] + b"?")
    journal = Journal(path)

    assert [entry.operation for entry in journal.replay()] == ["a"]
    journal.close()
    assert path.read_bytes() == first


def test_reopened_index_has_every_write(tmp_path: Path) -> None:
    index = opened(tmp_path / "j")
    upsert(
        index,
        "n",
        {"id": "a", "values": [1.0, 0.1], "metadata": {"k": 1}},
        {"id": "b", "values": [0, 1], "sparseValues": {"indices": [4], "values": [0.5]}},
        {"id": "c", "values": [1, 1]},
    )
    write(index, "update", "n", {"namespace": "n", "id": "a", "setMetadata": {"x": "y"}})
    write(index, "delete", "n", {"namespace": "n", "ids": ["c"]})
    write(index, "create_namespace", "m", {"schema": {"fields": {"k": {"filterable": True}}}})
    upsert(index, "gone", {"id": "z", "values": [1, 1]})
    write(index, "delete_namespace", "gone", {})
    index.close()

    again = opened(tmp_path / "j")
    assert again.visible.names() == ["m", "n"]
    assert again.visible.schema("m") == {"fields": {"k": {"filterable": True}}}
    assert again.committed_lsn == index.committed_lsn == 6
    assert again.exists("m")
    assert not again.exists("gone")
    namespace = again.visible.get("n")
    assert namespace is not None
    assert namespace.ids() == ["a", "b"]
    stored = namespace.get("a")
    assert stored is not None
    assert stored.values is not None
    assert stored.values.tolist() == [1.0, np.float32(0.1)]
    assert stored.metadata == {"k": 1, "x": "y"}
    again.close()


@pytest.mark.parametrize("shape", [SHAPE, DOCUMENTS], ids=["vectors", "documents"])
def test_rewritten_journal_makes_the_same_index(tmp_path: Path, shape: Shape) -> None:
    index = opened(tmp_path / "j", shape)
    for at in range(450):
        sparse = {"indices": [at], "values": [0.5]}
        if shape.documents:
            row = {"_id": f"r{at}", "v": [1.0, at / 7], "s": sparse, "t": "words", "n": at}
            write(index, "upsert_documents", "x", {"documents": [row]})
        else:
            upsert(index, "x", {"id": f"r{at}", "values": [1.0, at / 7], "sparseValues": sparse})
    size, lsn = (tmp_path / "j").stat().st_size, index.committed_lsn
    assert index._journal is not None
    index._compact(index._journal)
    assert (tmp_path / "j").stat().st_size < size
    index.close()

    again = opened(tmp_path / "j", shape)
    before, after = index.visible.get("x"), again.visible.get("x")
    assert before is not None
    assert after is not None
    assert after.ids() == before.ids()
    query = Query(np.array([1.0, 2.0], dtype=np.float32), None)
    assert after.search(query, Metric.COSINE, 500) == before.search(query, Metric.COSINE, 500)
    assert again.committed_lsn == lsn
    again.close()


def rewritten(path: Path, index: Index) -> Index:
    assert index._journal is not None
    index._compact(index._journal)
    index.close()
    return opened(path, index.shape)


def test_rewritten_journal_may_hold_more_than_a_request_brings(tmp_path: Path) -> None:
    """Many wide vectors exceed 2 MB together, and updates let metadata exceed 40 KB."""
    wide = Shape(dense_field="_values", dimension=3072, metric=Metric.COSINE)
    index = opened(tmp_path / "j", wide)
    for at in range(180):
        upsert(index, "x", {"id": f"r{at:03}", "values": [1.0] * 3072})
    for name in ("a", "b"):
        patch = {"namespace": "x", "id": "r000", "setMetadata": {name: "t" * 30_000}}
        write(index, "update", "x", patch)

    again = rewritten(tmp_path / "j", index)
    held = again.visible.get("x")
    assert held is not None
    assert len(held) == 180
    record = held.get("r000")
    assert record is not None
    assert record.metadata == {"a": "t" * 30_000, "b": "t" * 30_000}
    again.close()


def test_rewritten_journal_keeps_a_document_without_any_searchable_field(tmp_path: Path) -> None:
    index = opened(tmp_path / "j", Shape(text_fields=frozenset({"t"}), documents=True))
    write(index, "upsert_documents", "x", {"documents": [{"_id": "a", "t": "text", "n": 1}]})
    removal = {"documents": [{"_id": "a", "_remove_fields": ["t"]}]}
    write(index, "update_documents", "x", removal)

    again = rewritten(tmp_path / "j", index)
    held = again.visible.get("x")
    assert held is not None
    record = held.get("a")
    assert record is not None
    assert record.metadata == {"n": 1}
    again.close()


def test_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "catalog.json"
    write_atomically(path, b"one")
    write_atomically(path, b"two")

    assert path.read_bytes() == b"two"
    assert [item.name for item in path.parent.iterdir()] == ["catalog.json"]
