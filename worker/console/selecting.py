"""Which letters a request means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from worker.errors import ConfigError
from worker.immutable import immutable
from worker.runtime.refusals import BadRequestError
from worker.triage.selection import OPEN_STATES, Selection, Stretch, states_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.datastructures import QueryParams

_LISTS = ("classes", "stages", "tables", "states", "at")
_FIELDS = frozenset({*_LISTS, "per_s", "force", "reason", "all"})


@immutable
class Wish:
    """Letters, and how they are to be treated."""

    selection: Selection
    per_s: float | None = None
    """Letters a second; None: no limit of its own."""
    force: bool = False
    """Those in quarantine, too."""
    reason: str = ""
    """Of a discard."""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """What a body asks for; all open letters are meant only by ``"all": true``.

        Raises:
            BadRequestError: it cannot be understood, or chooses nothing.
        """
        unknown = sorted(body.keys() - _FIELDS)
        if unknown:
            raise BadRequestError(f"Unrecognized field {', '.join(unknown)}")
        selection = _selection({name: _texts(body, name) for name in _LISTS})
        if not selection.has_filter and body.get("all") is not True:
            raise BadRequestError('Say which letters, or "all": true')
        return cls(
            selection, _rate(body.get("per_s")), body.get("force") is True,
            str(body.get("reason") or "").strip(),
        )  # fmt: skip


def selection_of_query(query: QueryParams) -> Wish:
    """The letters that a list shows.

    Raises:
        BadRequestError: a filter cannot be understood.
    """
    return Wish(_selection({name: query.getlist(name) for name in _LISTS}))


def _selection(lists: Mapping[str, Sequence[str]]) -> Selection:
    try:
        return Selection(
            kinds=frozenset(lists["classes"]),
            stages=frozenset(lists["stages"]),
            tables=frozenset(lists["tables"]),
            states=states_of(lists["states"]) if lists["states"] else OPEN_STATES,
            stretches=tuple(Stretch.parse(place) for place in lists["at"]),
        )
    except ConfigError as error:
        raise BadRequestError(str(error)) from error


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    given = body.get(name, [])
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise BadRequestError(f"{name} is not a list of text")
    return given


def _rate(given: object) -> float | None:
    """Numbers come as they were written."""
    if given is None or given == "":
        return None
    try:
        rate = float(str(given))
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise BadRequestError("per_s is no number above 0")
    return rate
