"""Confluent's wire format, and what operators are told about other formats."""

from __future__ import annotations

import pytest

from worker.decode.framing import schema_id_of
from worker.decode.part import Part
from worker.errors import RecordError, Stage


def test_the_schema_id_is_the_four_bytes_after_the_magic_byte() -> None:
    assert schema_id_of(b"\x00\x00\x00\x01\x02data", Part.VALUE, ()) == 258
    assert schema_id_of(b"\x00\xff\xff\xff\xffdata", Part.VALUE, ()) == 2**32 - 1


@pytest.mark.parametrize(
    ("data", "headers", "kind", "hint"),
    [
        (b"", (), "TooShort", "0 bytes"),
        (b"\x00\x00\x00\x00\x01", (), "TooShort", "5 bytes"),
        (b'{"id": 1}', (), "NotFramed", "value.converter=json"),
        (b"\x07abcdefgh", (), "NotFramed", "0x07"),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x05abc", (), "UnknownFraming", "Default4ByteIdHandler"),
        (b"\x01" + bytes(16) + b"abc", (), "UnknownFraming", "PrefixSchemaIdSerializer"),
        (b"\x02abcdef", (("__value_schema_id", b"\x01"),), "SchemaIdInHeader", "GUID"),
        (b"\x02abcdef", (("apicurio.value.globalId", b"\x01"),), "SchemaIdInHeader", "Apicurio"),
    ],
)
def test_other_framings_are_named_with_the_way_out(
    data: bytes, headers: tuple[tuple[str, bytes], ...], kind: str, hint: str
) -> None:
    with pytest.raises(RecordError, match=hint) as caught:
        schema_id_of(data, Part.VALUE, headers)
    assert (caught.value.kind, caught.value.stage) == (kind, Stage.VALUE_CONVERTER)


def test_a_header_about_the_value_says_nothing_about_the_key() -> None:
    with pytest.raises(RecordError) as caught:
        schema_id_of(b"\x02abcdef", Part.KEY, (("__value_schema_id", b"\x01"),))
    assert (caught.value.kind, caught.value.stage) == ("NotFramed", Stage.KEY_CONVERTER)
