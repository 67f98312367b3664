"""Confluent's wire format: a zero byte and the schema's id before the data.

Sources: Confluent's "Wire format" (Schema Registry, formatter and serializers), and
``SchemaId`` and ``HeaderSchemaIdSerializer`` of confluentinc/schema-registry for the GUIDs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.decode.part import Part
    from worker.errors import RecordError
    from worker.model import Headers

HEADER_BYTES = 5
"""Magic byte and a big-endian uint32."""

_ID_IN_PREFIX = 0
_GUID_IN_PREFIX = 1


def schema_id_of(data: bytes, part: Part, headers: Headers) -> int:
    """The id of the schema with which the data after ``HEADER_BYTES`` was written.

    Raises:
        RecordError: the data is not framed in this way; the message says which format it looks
            like and what to configure.
    """
    if len(data) > HEADER_BYTES and data[0] == _ID_IN_PREFIX:
        schema_id = int.from_bytes(data[1:HEADER_BYTES], "big")
        if schema_id:
            return schema_id
    raise _not_framed(data, part, headers)


def _not_framed(data: bytes, part: Part, headers: Headers) -> RecordError:
    if any(name == f"__{part}_schema_id" for name, _ in headers):
        return part.error(
            f"the {part}'s schema id is a GUID in a header; set {part}.schema.id.serializer of the "
            "source connector's converter to its default (PrefixSchemaIdSerializer)",
            kind="SchemaIdInHeader",
        )
    if any(name.startswith(f"apicurio.{part}.") for name, _ in headers):
        return part.error(
            f"the {part}'s schema id is in Apicurio's headers; set "
            "apicurio.registry.headers.enabled=false at the source connector's converter",
            kind="SchemaIdInHeader",
        )
    return _unreadable_prefix(data, part)


def _unreadable_prefix(data: bytes, part: Part) -> RecordError:
    if len(data) <= HEADER_BYTES:
        return part.error(
            f"the {part} has {len(data)} bytes, too few for a schema id and data", kind="TooShort"
        )
    if data[0] == _ID_IN_PREFIX:
        return part.error(
            f"the {part} begins with the schema id 0, as Apicurio's ids of 8 bytes do; set "
            "apicurio.registry.id-handler to Default4ByteIdHandler at the source connector",
            kind="UnknownFraming",
        )
    if data[0] == _GUID_IN_PREFIX:
        return part.error(
            f"the {part} names its schema by a GUID; set {part}.schema.id.serializer of the source "
            "connector's converter to its default (PrefixSchemaIdSerializer)",
            kind="UnknownFraming",
        )
    hint = f"; it looks like JSON: set {part}.converter=json" if data[:1] in (b"{", b"[") else ""
    return part.error(
        f"the {part} is not Avro in Confluent's wire format (first byte 0x{data[0]:02x}){hint}",
        kind="NotFramed",
    )
