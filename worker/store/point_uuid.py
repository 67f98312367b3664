"""UUIDs for stores whose points have no other names.

The same row has the same UUID for ever, in every process, and readers can work it out:
``uuid5(NAMESPACE_OID, "vecsink:<length of namespace>:<namespace>:<id>")``. The length keeps
("a", "b:c") and ("a:b", "c") apart.
"""

from __future__ import annotations

from uuid import NAMESPACE_OID, uuid5


def point_uuid(namespace: str, point_id: str) -> str:
    """The UUID of a point, in its usual form with hyphens."""
    return str(uuid5(NAMESPACE_OID, f"vecsink:{len(namespace)}:{namespace}:{point_id}"))


def is_text(text: str) -> bool:
    """Whether it has a character, and none that UTF-8 cannot write (half a surrogate pair)."""
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False
