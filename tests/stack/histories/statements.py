"""Random SQL on one table, each statement with the changes that it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.stack.histories.rows import COLUMNS, Change, Emptied, Gone, Row, Written, large_text

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping, Sequence

KEYS = range(1, 41)
"""Few, so that keys come back."""
SPARE_KEY = 9_999
"""For swaps."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its arguments."""

    sql: str
    args: tuple[object, ...] = ()

    def __str__(self) -> str:
        shown = (repr(arg) for arg in self.args)
        short = tuple(one if len(one) <= _SHOWN else f"{one[:_SHOWN]}…'" for one in shown)
        return self.sql % short if short else self.sql


@dataclass(frozen=True, slots=True)
class Transaction:
    """Statements that take effect together, with what they change: nothing if rolled back."""

    statements: tuple[Statement, ...]
    changes: tuple[Change, ...]

    def __str__(self) -> str:
        return "; ".join(map(str, self.statements))


class Author:
    """Writes the history of one table and knows its rows at every moment."""

    def __init__(
        self,
        draw: random.Random,
        table: str,
        *,
        opening: str,
        upsert: str,
        sends_large: bool,
        truncates: bool,
    ) -> None:
        """Begin with an empty table.

        Args:
            draw: all chance.
            table: its name in SQL.
            opening: how its texts begin, so that those of several tables differ.
            upsert: what stands after an INSERT that may meet existing keys.
            sends_large: whether changes carry large columns that they left alone. If not, whoever
                changes another column of the text has to write the large one, too: from the
                topic and the index alone nobody could tell the new text.
            truncates: whether the table may be truncated.
        """
        self.rows: dict[int, Row] = {}
        self._draw, self._table, self._opening, self._upsert = draw, table, opening, upsert
        self._sends_large = sends_large
        self._has_extra = False
        self._numbers = 0
        self._statements: list[Statement] = []
        self._changes: list[Change] = []
        self._kinds: dict[Callable[[], None], int] = {
            self._insert: 14,
            self._update_apart_from_text: 40,
            self._update_text: 10,
            self._update_body: 6,
            self._update_live: 5,
            self._rewrite: 4,
            self._delete: 6,
            self._delete_and_insert: 4,
            self._move: 8,
            self._swap: 3,
            self._upsert_some: 4,
        }
        self._alone: dict[Callable[[], None], int] = {self._alter: 2}
        if truncates:
            self._alone[self._truncate] = 1

    def first(self, rows: int) -> Transaction:
        """The rows that are there before anybody looks."""
        self._add([self._fresh(key) for key in self._draw.sample(KEYS, rows)])
        return self._collected()

    def next(self) -> Transaction:
        """The next transaction: of one statement or of a few, kept or rolled back."""
        dice = self._draw.random()
        if dice < 0.04:
            self._one_of(self._alone)
            return self._collected()
        if dice < 0.72:
            self._one_of(self._kinds)
            return self._collected()
        before = dict(self.rows)
        self._say("BEGIN")
        for _ in range(self._draw.randint(2, 5)):
            self._one_of(self._kinds)
        if dice < 0.92:
            self._say("COMMIT")
        else:
            self._say("ROLLBACK")
            self.rows = before
            self._changes.clear()
        return self._collected()

    def _one_of(self, kinds: Mapping[Callable[[], None], int]) -> None:
        (kind,) = self._draw.choices(list(kinds), list(kinds.values()))
        kind()

    def _collected(self) -> Transaction:
        transaction = Transaction(tuple(self._statements), tuple(self._changes))
        self._statements.clear()
        self._changes.clear()
        return transaction

    # The statements ------------------------------------------------------------------------

    def _insert(self) -> None:
        free = [key for key in KEYS if key not in self.rows]
        wanted = self._draw.choice([1, 1, 1, 2, 5])
        keys = self._draw.sample(free, min(wanted, len(free)))
        if keys:
            self._add([self._fresh(key) for key in keys])

    def _upsert_some(self) -> None:
        rows = [self._fresh(key) for key in self._draw.sample(KEYS, 3)]
        self._add(rows, self._upsert)

    def _update_apart_from_text(self) -> None:
        price, note = self._price(), f"note {self._number()}"
        columns: dict[str, Any] = {"price": price, "note": note}
        if dropped := self._draw.choice(["price", "note", None]):
            del columns[dropped]
        self._update(self._some(), columns)

    def _update_text(self) -> None:
        self._update(self._some(), {"name": self._name()})

    def _update_body(self) -> None:
        self._update(self._some(), {"body": self._body()})

    def _update_live(self) -> None:
        self._update(self._some(), {"live": self._draw.random() < 0.5})

    def _rewrite(self) -> None:
        row = self._fresh(0)
        columns = {name: getattr(row, name) for name in COLUMNS if name != "id"}
        self._update(self._some(), columns)

    def _delete(self) -> None:
        for key in (keys := self._some()):
            del self.rows[key]
            self._changes.append(Gone(key))
        if keys:
            self._say(f"DELETE FROM {self._table} WHERE id IN ({_marks(keys)})", *keys)

    def _delete_and_insert(self) -> None:
        for row in [self.rows[key] for key in self._some()]:
            del self.rows[row.id]
            self._changes.append(Gone(row.id))
            self._say(f"DELETE FROM {self._table} WHERE id = %s", row.id)
            self._add([row if self._draw.random() < 0.5 else self._fresh(row.id)])

    def _move(self) -> None:
        for key in self._some():
            free = [one for one in KEYS if one not in self.rows]
            if free:
                self._change_key(key, self._draw.choice(free))

    def _swap(self) -> None:
        if len(self.rows) < 2:
            return
        one, other = self._draw.sample(sorted(self.rows), 2)
        begun = bool(self._statements)  # in a transaction already
        if not begun:
            self._say("BEGIN")
        self._change_key(one, SPARE_KEY)
        self._change_key(other, one)
        self._change_key(SPARE_KEY, other)
        if not begun:
            self._say("COMMIT")

    def _alter(self) -> None:
        if self._has_extra:
            self._say(f"ALTER TABLE {self._table} DROP COLUMN extra")
        else:
            self._say(f"ALTER TABLE {self._table} ADD COLUMN extra varchar(20) DEFAULT 'more'")
        self._has_extra = not self._has_extra

    def _truncate(self) -> None:
        self._say(f"TRUNCATE TABLE {self._table}")
        self.rows.clear()
        self._changes.append(Emptied())

    # What they are made of -----------------------------------------------------------------

    def _say(self, sql: str, *args: object) -> None:
        self._statements.append(Statement(sql, args))

    def _add(self, rows: Sequence[Row], ending: str = "") -> None:
        values = ", ".join([f"({_marks(COLUMNS)})"] * len(rows))
        args = [getattr(row, name) for row in rows for name in COLUMNS]
        columns = ", ".join(COLUMNS)
        self._say(f"INSERT INTO {self._table} ({columns}) VALUES {values} {ending}".strip(), *args)
        self._put(rows)

    def _update(self, keys: Sequence[int], columns: dict[str, Any]) -> None:
        if not keys:
            return
        rows = [self.rows[key] for key in keys]
        if "body" not in columns and any(self._lacks_text(row, columns) for row in rows):
            columns = columns | {"body": self._body()}
        settings = ", ".join(f"{name} = %s" for name in columns)
        self._say(
            f"UPDATE {self._table} SET {settings} WHERE id IN ({_marks(keys)})",
            *columns.values(),
            *keys,
        )
        self._put(replace(row, **columns) for row in rows)

    def _lacks_text(self, row: Row, columns: Mapping[str, object]) -> bool:
        """Whether nobody could tell the text after this update: the large body is not sent."""
        if self._sends_large or not row.is_large:
            return False
        shows = bool(columns.get("live")) and not row.live
        return shows or ("name" in columns and columns["name"] != row.name)

    def _change_key(self, old: int, new: int) -> None:
        self._say(f"UPDATE {self._table} SET id = %s WHERE id = %s", new, old)
        row = replace(self.rows.pop(old), id=new)
        self._changes.append(Gone(old, moves=True))
        self.rows[new] = row
        self._changes.append(Written(row, moved_from=old))

    def _put(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.rows[row.id] = row
            self._changes.append(Written(row))

    def _some(self) -> list[int]:
        """Keys that are there: one, or a few."""
        wanted = self._draw.choice([1, 1, 1, 2, 4])
        return self._draw.sample(sorted(self.rows), min(wanted, len(self.rows)))

    def _fresh(self, key: int) -> Row:
        is_live = self._draw.random() < 0.85
        note = f"note {self._number()}"
        return Row(key, self._name(), self._body(), self._price(), is_live, note)

    def _name(self) -> str | None:
        number = self._number()
        return self._draw.choice(
            [
                f"{self._opening} new {number}",
                f"{self._opening} new {number}",
                f"{self._opening} common {number % 7}",
                f"  {self._opening} blanks {number % 50} ",
                f"{self._opening} Größe 雨 🌂 {number % 50}",
                "",
                None,
            ]
        )

    def _body(self) -> str | None:
        number = self._number()
        return self._draw.choice(
            [
                large_text(self._opening, number),
                large_text(self._opening, number),
                large_text(self._opening, number % 5),
                f"{self._opening} short {number}",
                f"{self._opening} short\nand common {number % 7}",
                "",
                None,
            ]
        )

    def _price(self) -> Decimal | None:
        return self._draw.choice([None, Decimal(self._draw.randrange(10**6)) / 100])

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))
