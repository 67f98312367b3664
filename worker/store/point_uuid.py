"""UUIDs for stores whose points have no other names.

The same row has the same UUID for ever, in every process, and readers can work it out:
``uuid5(NAMESPACE_OID, "vecsink:<length of namespace>:<namespace>:<id>")``. The length keeps
("a", "b:c") and ("a:b", "c") apart.
"""

from __future__ import annotations

from hashlib import sha1
from typing import Final
from uuid import NAMESPACE_OID

_SPACE: Final = NAMESPACE_OID.bytes
_VARIANTS: Final = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def point_uuid(namespace: str, point_id: str) -> str:
    """The UUID of a point, in its usual form with hyphens.

    Written here, as ``uuid5`` makes an object on the way, for three times the time.
    """
    name = f"vecsink:{len(namespace)}:{namespace}:{point_id}".encode()
    made = sha1(_SPACE + name, usedforsecurity=False).hexdigest()
    variant = _VARIANTS[made[16]]
    return f"{made[:8]}-{made[8:12]}-5{made[13:16]}-{variant}{made[17:20]}-{made[20:32]}"


def is_text(text: str) -> bool:
    """Whether it has a character, and none that UTF-8 cannot write (half a surrogate pair)."""
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False
