"""Whatever is written, reading a connector ends with settings or problems, and keeps secrets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.config.tiny_plugins import VALID, ShelfConfig, TinyConfig, surroundings
from worker.config.keys import OUR_PREFIXES, known_keys
from worker.config.read import read_connector

CANARY = "canary-7f3a9"

_KEYS = st.sampled_from(
    [
        *sorted(known_keys(ShelfConfig, TinyConfig)),
        "consumer.override.session.timeout.ms",
        "consumer.override.sasl.jaas.config",
        "producer.override.ssl.keystore.location",
        "admin.override.client.id",
    ]
) | st.builds(lambda prefix, rest: prefix + rest, st.sampled_from(OUR_PREFIXES), st.text())
_VALUES = st.text() | st.sampled_from(
    [
        "${env:CANARY}",
        "x ${env:CANARY} y",
        "http://me:${env:CANARY}@host",
        "${env:GONE}",
        "${file:/no/such/file:a}",
        "${file:\0}",
        "http://[",
        "all",
        "1",
    ]
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=8))
def test_any_values_give_settings_or_problems_without_secrets(changes: dict[str, str]) -> None:
    reading = read_connector({**VALID, **changes}, surroundings({"CANARY": CANARY}))
    assert (reading.config is None) == any(one.is_error for one in reading.problems)
    shown = f"{reading!r} {' '.join(map(str, reading.problems))}"
    assert CANARY not in shown
