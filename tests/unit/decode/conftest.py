"""A registry that knows one table, and decoders that are closed after the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from tests.unit.decode.debezium import (
    KEY_ID,
    TOPIC,
    VALUE_ID,
    decoder_for,
    envelope_schema,
    optional,
    put,
    struct,
)
from worker.clock import FakeClock
from worker.decode.local_registry import LocalRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.decode.decoder import DebeziumDecoder

KEY = struct({"id": "int"}, "Key")
VALUE = envelope_schema({"id": "int", "name": "string", "note": optional("string")})


class NewDecoder(Protocol):
    def __call__(self, columns: frozenset[str] | None = None) -> DebeziumDecoder: ...


@pytest.fixture
def registry() -> Iterator[LocalRegistry]:
    with LocalRegistry({}) as running:
        put(running, KEY_ID, KEY, f"{TOPIC}-key")
        put(running, VALUE_ID, VALUE, f"{TOPIC}-value")
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def new_decoder(registry: LocalRegistry, clock: FakeClock) -> Iterator[NewDecoder]:
    made: list[DebeziumDecoder] = []

    def make(columns: frozenset[str] | None = None) -> DebeziumDecoder:
        made.append(decoder_for(registry, columns, clock))
        return made[-1]

    yield make
    for decoder in made:
        decoder.close()


@pytest.fixture
def decoder(new_decoder: NewDecoder) -> DebeziumDecoder:
    return new_decoder()
