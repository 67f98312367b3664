"""What tells a key's schema."""

from __future__ import annotations

import pytest

from worker.flow.key_schema import name_of, prefix_of

OLD = b'{"schema":{"fields":[{"type":"int32","field":"id"}]},"payload":{"id":1}}'
NEW = b'{"schema":{"fields":[{"type":"int64","field":"id"}]},"payload":{"id":1}}'


def test_avro_keys_begin_with_the_id_of_their_schema() -> None:
    assert prefix_of(b"\0\0\0\1\2\x02") == b"\0\0\0\1\2"
    assert name_of(b"\0\0\0\1\2") == "00000102"


def test_names_grow_with_the_ids() -> None:
    assert name_of(b"\0\0\0\0\x09") < name_of(b"\0\0\0\0\x0a") < name_of(b"\0\0\0\1\0")


def test_json_keys_with_schemas_have_all_of_it() -> None:
    assert OLD.startswith(prefix_of(OLD))
    assert name_of(prefix_of(OLD)) == name_of(prefix_of(OLD.replace(b":1}}", b":2}}")))
    assert name_of(prefix_of(OLD)) != name_of(prefix_of(NEW))


@pytest.mark.parametrize("key", [b'{"id":1}', b"1", b"", b'{"schema":"a","payload":1}'])
def test_other_keys_tell_none(key: bytes) -> None:
    assert prefix_of(key) == b""
    assert name_of(prefix_of(key)) == ""
