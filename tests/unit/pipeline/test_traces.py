"""A batch and what it calls are one trace."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.embedding import embedding_of
from tests.unit.pipeline.engine import TOPIC, Engine, entry, ledger
from worker.pipeline.embedding import Embedding
from worker.store.measured import MeasuredStore
from worker.store.place import Place
from worker.telemetry.calls import EMBEDDING_BOUNDS_S, STORE_BOUNDS_S, Calls, Kind
from worker.telemetry.spans import BatchSpans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

    from worker.pipeline.batch import BatchRunner

TEXT = "a text that nobody should see"


def traced(engine: Engine, tracer: Tracer) -> tuple[BatchRunner, MeasuredStore]:
    """The engine's runner with spans around all that it does."""
    store = MeasuredStore(engine.store, "memory", Place("products"), Calls(STORE_BOUNDS_S, tracer))
    caller = embedding_of(engine.embedder, engine.clock)._caller
    calls = Calls(EMBEDDING_BOUNDS_S, tracer)
    runner = replace(
        engine.runner,
        spans=BatchSpans("shop", "connect-shop", tracer),
        lookup=replace(engine.runner.lookup, store=store),
        writing=replace(engine.runner.writing, store=store),
        embedding=Embedding("shop", replace(caller, calls=calls)),
    )
    return runner, store


def test_fetch_embed_and_upsert_are_below_the_batch_that_they_serve() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    engine, ours = Engine(), ledger()
    runner, store = traced(engine, provider.get_tracer("test"))

    runner.run([engine.work(entry(ours, 7, name=TEXT))])

    spans = {span.name: span for span in exporter.get_finished_spans()}
    batch = spans.pop(f"process {TOPIC}")
    assert spans.keys() == {"fetch products", "embeddings fake", "upsert products"}
    assert all(is_below(span, batch) for span in spans.values())
    embedding = spans["embeddings fake"].attributes
    assert embedding is not None
    assert embedding["gen_ai.operation.name"] == "embeddings"
    assert embedding["gen_ai.provider.name"] == "fake"
    assert embedding["gen_ai.request.model"] == "fake"
    written = spans["upsert products"].attributes
    assert written is not None
    assert dict(written) == {
        "db.system.name": "memory",
        "db.operation.name": "upsert",
        "db.collection.name": "products",
        "vecsink.namespace": TOPIC,
        "vecsink.points": 1,
    }
    assert store.calls.durations[Kind("upsert", "")].count == 1
    assert not any(TEXT in span.to_json() for span in exporter.get_finished_spans())


def test_a_store_has_the_name_that_opentelemetry_knows() -> None:
    names = {name: MeasuredStore(Engine().store, name).system for name in ("pgvector", "pinecone")}
    assert names == {"pgvector": "postgresql", "pinecone": "pinecone"}


def is_below(span: ReadableSpan, parent: ReadableSpan) -> bool:
    return (
        span.parent is not None
        and parent.context is not None
        and span.parent.span_id == parent.context.span_id
    )
