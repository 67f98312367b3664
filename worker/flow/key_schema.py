"""By which schema a key was written, as far as its bytes tell; they decide on its partition."""

from __future__ import annotations

from hashlib import blake2b

_AVRO = b"\0"
_FRAMING = 5
"""Bytes before an Avro key: magic byte and schema id."""
_JSON = b'{"schema":{'
_PAYLOAD = b'"payload":'
_NAME_BYTES = 8


def prefix_of(key: bytes) -> bytes:
    """What tells the schema before the columns; empty if the bytes of a key hold none."""
    if key.startswith(_AVRO):
        return key[:_FRAMING]
    if key.startswith(_JSON):
        schema, payload, _ = key.partition(_PAYLOAD)
        return schema + payload if payload else b""
    return b""


def name_of(prefix: bytes) -> str:
    """A short name of the schema: its id, or a hash where it stands there itself.

    Ids have one length, so names of newer schemas come after those of older ones.
    """
    if not prefix:
        return ""
    if prefix.startswith(_AVRO):
        return prefix[1:].hex()
    return blake2b(prefix, digest_size=_NAME_BYTES).hexdigest()
