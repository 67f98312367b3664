"""Changes of one row that wait together become one: the newest, completed from those before it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.model import Op

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.model import Change, Value


_OF_THE_SAME_ROW = (Op.UPDATE, Op.READ)


def fold(changes: Sequence[Change]) -> Change:
    """The newest of one key's changes (in order), with what it lacks taken from older ones.

    An update takes the columns that Debezium could not send (TOAST) from the change just before
    it, itself completed so. It inherits that one's link to an old key, and so does a row that is
    read again. Nothing is taken across a delete, a tombstone or a new row, as what stood there
    before was another row. A tombstone, which carries no source, gets that of the delete that it
    follows.
    """
    newest = changes[-1]
    if len(changes) == 1:
        return newest
    if newest.op is Op.TOMBSTONE and changes[-2].op is Op.DELETE:
        return replace(newest, origin=changes[-2].origin)
    if newest.op not in _OF_THE_SAME_ROW:
        return newest
    found, missing, link = _look_back(changes)
    if not found and link is newest:
        return newest
    return replace(
        newest,
        after={**newest.after, **found},
        unavailable=missing,
        moved_from=link.moved_from,
        linked_at=link.key_changed_at,
    )


def _look_back(
    changes: Sequence[Change],
) -> tuple[Mapping[str, Value], frozenset[str], Change]:
    """What was found, what is still missing, and the change that tells the old key."""
    link = changes[-1]
    missing = link.unavailable
    found: dict[str, Value] = {}
    for before in reversed(changes[:-1]):
        if before.op.removes:
            break
        found |= {column: before.after[column] for column in missing if column in before.after}
        missing = missing.difference(found)
        link = before if link.moved_from is None and before.moved_from is not None else link
        if before.op not in _OF_THE_SAME_ROW:
            break
    return found, missing, link
