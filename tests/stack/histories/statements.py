"""Random SQL on one table, each statement with the changes that it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.stack.histories.kinds import ODD_NAMES
from tests.stack.histories.rows import (
    COLUMNS,
    GRADE,
    Change,
    Emptied,
    Gone,
    Row,
    Written,
)
from tests.stack.histories.values import Values

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.stack.histories.kinds import Key, Keys, Odd

_SHOWN = 40
_FAR = 50
"""Beyond all keys, so that a whole range may move there."""
_BEGIN, _COMMIT, _ROLLBACK = "BEGIN", "COMMIT", "ROLLBACK"


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


@dataclass(frozen=True, slots=True)
class Terms:
    """What a table is like, and what may be done to it."""

    table: str
    keys: Keys
    odd: Odd
    is_postgres: bool
    sends_large: bool
    """Whether changes carry large columns that they left alone, or these are read from the source.
    If not, whoever changes another column of the text has to write the large one, too: from the
    topic and the index alone nobody could tell the new text."""
    truncates: bool

    @property
    def text_type(self) -> str:
        """Of long texts."""
        return "text" if self.is_postgres else "mediumtext"

    @property
    def create(self) -> str:
        """The statement that makes it."""
        key = [f"{name} {kind}" for name, kind in self.keys.columns.items()]
        odd = [f"{name} {kind}" for name, kind in self.odd.types.items()]
        columns = [
            *key,
            "name varchar(100)",
            f"body {self.text_type}",
            "price decimal(10,2)",
            "live boolean NOT NULL",
            "note varchar(100)",
            f"label {self.text_type}",
            f"{GRADE} int",
            "odd int NOT NULL",
            *odd,
        ]
        primary = f"PRIMARY KEY ({', '.join(self.keys.names)})"
        return f"CREATE TABLE {self.table} ({', '.join([*columns, primary])})"

    def retyped(self, column: str, kind: str) -> str:
        """The statement that gives a column another type."""
        if self.is_postgres:
            return f"ALTER TABLE {self.table} ALTER COLUMN {column} TYPE {kind}"
        return f"ALTER TABLE {self.table} MODIFY COLUMN {column} {kind}"

    def on_conflict(self, columns: Iterable[str]) -> str:
        """What stands after an INSERT that may meet existing keys."""
        if not self.is_postgres:
            values = ", ".join(f"{name} = VALUES({name})" for name in columns)
            return f"ON DUPLICATE KEY UPDATE {values}"
        values = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns)
        return f"ON CONFLICT ({', '.join(self.keys.names)}) DO UPDATE SET {values}"


class Author:
    """Writes the history of one table and knows its rows at every moment."""

    def __init__(self, draw: random.Random, terms: Terms) -> None:
        """Begin with an empty table; ``draw`` makes all chance."""
        self.rows: dict[Key, Row] = {}
        self.has_grade = True
        self._draw, self.terms = draw, terms
        self._table = terms.table
        self._values = Values(draw, terms.table, terms.odd)
        self._has_extra = False
        self._types = {"name": ("varchar(100)", "varchar(200)"), "note": ("varchar(100)", "text")}
        self._types["price"] = ("decimal(10,2)", "decimal(12,2)")
        self._statements: list[Statement] = []
        self._changes: list[Change] = []
        self._kinds: dict[Callable[[], None], int] = {
            self._insert: 12,
            self._update_apart_from_text: 40,
            self._update_nothing: 6,
            self._update_all: 2,
            self._update_text: 8,
            self._update_body: 8,
            self._update_label: 3,
            self._update_live: 5,
            self._rewrite: 4,
            self._delete: 5,
            self._delete_and_insert: 4,
            self._move: 8,
            self._move_on: 2,
            self._move_and_change: 3,
            self._swap: 3,
            self._upsert_some: 4,
            **({self._shift: 3} if len(terms.keys.names) == 1 else {}),
        }
        self._alone: dict[Callable[[], None], int] = {
            self._alter_extra: 2,
            self._alter_type: 2,
            self._alter_grade: 2,
            self._delete_all: 1,
        }
        if terms.truncates:
            self._alone |= {self._truncate: 1, self._truncate_and_insert: 1}

    def first(self, rows: int) -> Transaction:
        """The rows that are there before anybody looks."""
        keys = self._draw.sample(self.terms.keys.values, rows)
        self._add([self._fresh(key) for key in keys])
        return self._collected()

    def next(self) -> Transaction:
        """The next transaction: of one statement or of a few, kept or rolled back."""
        dice = self._draw.random()
        if dice < 0.05:
            self._one_of(self._alone)
            return self._collected()
        if dice < 0.72:
            self._one_of(self._kinds)
            return self._collected()
        before = dict(self.rows)
        self._say(_BEGIN)
        for _ in range(self._draw.choice([2, 3, 4, 5, 12])):
            self._one_of(self._kinds)
        if dice < 0.92:
            self._say(_COMMIT)
        else:
            self._say(_ROLLBACK)
            self.rows = before
            self._changes.clear()
        return self._collected()

    def retype_key(self) -> Transaction:
        """A number of the key becomes a wider one, so that Debezium writes keys by a new schema."""
        self._say(self.terms.retyped(self.terms.keys.names[0], "bigint"))
        return self._collected()

    def _one_of(self, kinds: Mapping[Callable[[], None], int]) -> None:
        (kind,) = self._draw.choices(list(kinds), list(kinds.values()))
        kind()

    def _collected(self) -> Transaction:
        transaction = Transaction(tuple(self._statements), tuple(self._changes))
        self._statements.clear()
        self._changes.clear()
        return transaction

    # Rows -----------------------------------------------------------------------------------

    def _insert(self) -> None:
        free = self._free
        wanted = self._draw.choice([1, 1, 1, 2, 5])
        keys = self._draw.sample(free, min(wanted, len(free)))
        if keys:
            self._add([self._fresh(key) for key in keys])

    def _upsert_some(self) -> None:
        keys = self._draw.sample(self.terms.keys.values, 3)
        rows = [self._fresh(key) for key in keys]
        self._add(rows, self.terms.on_conflict(self._expanded(_columns(rows[0]))))

    def _update_apart_from_text(self) -> None:
        columns: dict[str, Any] = {
            "price": self._values.price(),
            "note": self._values.note(),
            "odd": self._values.odd(),
        }
        if self.has_grade:
            columns[GRADE] = self._values.grade()
        if dropped := self._draw.choice([*columns, None]):
            del columns[dropped]
        self._update(self._some(), columns)

    def _update_nothing(self) -> None:
        """Values are written that are there already."""
        keys = self._some()
        if not keys:
            return
        again = "body || ''" if self.terms.is_postgres else "concat(body, '')"
        same = self._draw.choice(["name = name", "body = body", f"body = {again}"])
        key, values = self._is_one_of(keys)
        note = self._values.note()
        self._say(f"UPDATE {self._table} SET {same}, note = %s WHERE {key}", note, *values)
        self._put([replace(self.rows[key], note=note) for key in keys])

    def _update_all(self) -> None:
        price = self._values.price()
        self._say(f"UPDATE {self._table} SET price = %s", price)
        self._put([replace(row, price=price) for row in self.rows.values()])

    def _update_text(self) -> None:
        self._update(self._some(), {"name": self._values.name()})

    def _update_body(self) -> None:
        for key in self._some():
            edited = self._values.edited(self.rows[key].body)
            body = self._draw.choice([self._values.body(), edited, edited])
            self._update([key], {"body": body})

    def _update_label(self) -> None:
        self._update(self._some(), {"label": self._values.label()})

    def _update_live(self) -> None:
        self._update(self._some(), {"live": self._draw.random() < 0.5})

    def _rewrite(self) -> None:
        self._update(self._some(), _columns(self._fresh(self.terms.keys.spare)))

    def _delete(self) -> None:
        self._remove(self._some())

    def _delete_all(self) -> None:
        self._remove(list(self.rows))

    def _delete_and_insert(self) -> None:
        for row in [self.rows[key] for key in self._some()]:
            self._remove([row.key])
            self._add([row if self._draw.random() < 0.5 else self._fresh(row.key)])

    # Keys -----------------------------------------------------------------------------------

    def _move(self) -> None:
        for key in self._some():
            if free := self._free:
                self._change_key(key, self._draw.choice(free))

    def _move_on(self) -> None:
        """Twice, or there and back."""
        if not self.rows or len(self._free) < 2:
            return
        key = self._draw.choice(sorted(self.rows))
        one, other = self._draw.sample(self._free, 2)
        self._change_key(key, one)
        self._change_key(one, self._draw.choice([other, key]))

    def _move_and_change(self) -> None:
        if not (self.rows and self._free):
            return
        key = self._draw.choice(sorted(self.rows))
        columns: dict[str, Any] = self._draw.choice(
            [
                {"price": self._values.price(), "odd": self._values.odd()},
                {"name": self._values.name()},
                {"body": self._values.body()},
                {"live": self._draw.random() < 0.5},
                {"label": self._values.label(), "note": self._values.note()},
            ]
        )
        self._change_key(key, self._draw.choice(self._free), columns)

    def _swap(self) -> None:
        if len(self.rows) < 2:
            return
        one, other = self._draw.sample(sorted(self.rows), 2)
        spare = self.terms.keys.spare
        begun = bool(self._statements)  # in a transaction already
        if not begun:
            self._say(_BEGIN)
        self._change_key(one, spare)
        self._change_key(other, one)
        self._change_key(spare, other)
        if not begun:
            self._say(_COMMIT)

    def _shift(self) -> None:
        """Many keys by one statement; in MySQL also each to the place of the next."""
        numbers = sorted(number for key in self.rows for number in key if isinstance(number, int))
        if not numbers:
            return
        first = self._draw.choice(numbers)
        by = _FAR if first <= _FAR else -_FAR
        some = [number for number in numbers if first <= number < first + 4]
        order = ""
        if not self.terms.is_postgres and self._draw.random() < 0.5:
            by, order = 1, " ORDER BY id DESC"
        if {number + by for number in some} & set(numbers) - (set(some) if order else set()):
            return
        marks = _marks(some)
        self._say(f"UPDATE {self._table} SET id = id + {by} WHERE id IN ({marks}){order}", *some)
        for number in reversed(some):
            self._moved((number,), (number + by,), {})

    # The table ------------------------------------------------------------------------------

    def _alter_extra(self) -> None:
        """A column that nobody uses."""
        change = "DROP COLUMN extra" if self._has_extra else "ADD COLUMN extra int DEFAULT 7"
        self._say(f"ALTER TABLE {self._table} {change}")
        self._has_extra = not self._has_extra

    def _alter_type(self) -> None:
        column = self._draw.choice(list(self._types))
        now, other = self._types[column]
        self._types[column] = other, now
        if other == "varchar(100)":  # what has become longer may not fit
            return
        self._say(self.terms.retyped(column, other))

    def _alter_grade(self) -> None:
        """A column of the metadata goes, by one of two ways, or comes; then all rows are written.

        A database sends no row because a column goes.
        """
        if not self.has_grade:
            self._say(f"ALTER TABLE {self._table} ADD COLUMN {GRADE} int")
        elif self._draw.random() < 0.5:
            self._say(f"ALTER TABLE {self._table} DROP COLUMN {GRADE}")
        else:
            new = f"{GRADE}_{self._values.note()[5:]}"
            self._say(f"ALTER TABLE {self._table} RENAME COLUMN {GRADE} TO {new}")
        self.has_grade = not self.has_grade
        note = self._values.note()
        self._say(f"UPDATE {self._table} SET note = %s", note)
        self._put([replace(row, note=note, grade=None) for row in self.rows.values()])

    def _truncate(self) -> None:
        self._say(f"TRUNCATE TABLE {self._table}")
        self.rows.clear()
        self._changes.append(Emptied())

    def _truncate_and_insert(self) -> None:
        """In one transaction, where a TRUNCATE can be a part of one."""
        keys = self._draw.sample(sorted(self.rows), len(self.rows) // 2)
        if self.terms.is_postgres:
            self._say(_BEGIN)
        self._truncate()
        if keys:
            self._add([self._fresh(key) for key in keys])
        if self.terms.is_postgres:
            self._say(_COMMIT)

    # What they are made of ------------------------------------------------------------------

    def _say(self, sql: str, *args: object) -> None:
        self._statements.append(Statement(sql, args))

    def _add(self, rows: Sequence[Row], ending: str = "") -> None:
        expanded = [self._expanded(_columns(row)) for row in rows]
        names = [*self.terms.keys.names, *expanded[0]]
        values = ", ".join([f"({_marks(names)})"] * len(rows))
        args = [
            value
            for row, columns in zip(rows, expanded, strict=True)
            for value in (*row.key, *columns.values())
        ]
        columns = ", ".join(names)
        self._say(f"INSERT INTO {self._table} ({columns}) VALUES {values} {ending}".strip(), *args)
        self._put(rows)

    def _update(self, keys: Sequence[Key], columns: Mapping[str, Any]) -> None:
        if not keys:
            return
        rows = [self.rows[key] for key in keys]
        columns = self._completing(rows, columns)
        expanded = self._expanded(columns)
        settings = ", ".join(f"{name} = %s" for name in expanded)
        key, values = self._is_one_of(keys)
        self._say(f"UPDATE {self._table} SET {settings} WHERE {key}", *expanded.values(), *values)
        self._put([replace(row, **columns) for row in rows])

    def _change_key(self, old: Key, new: Key, columns: Mapping[str, Any] | None = None) -> None:
        columns = self._completing([self.rows[old]], columns or {})
        expanded = self._expanded(columns)
        settings = ", ".join(f"{name} = %s" for name in (*self.terms.keys.names, *expanded))
        key, values = self._is_one_of([old])
        self._say(
            f"UPDATE {self._table} SET {settings} WHERE {key}", *new, *expanded.values(), *values
        )
        self._moved(old, new, columns)

    def _moved(self, old: Key, new: Key, columns: Mapping[str, Any]) -> None:
        row = replace(self.rows.pop(old), key=new, **columns)
        self._changes.append(Gone(old, moves=True))
        self.rows[new] = row
        self._changes.append(Written(row, moved_from=old))

    def _remove(self, keys: Sequence[Key]) -> None:
        for one in keys:
            del self.rows[one]
            self._changes.append(Gone(one))
        if keys:
            key, values = self._is_one_of(keys)
            self._say(f"DELETE FROM {self._table} WHERE {key}", *values)

    def _put(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.rows[row.key] = row
            self._changes.append(Written(row))

    def _completing(self, rows: Iterable[Row], columns: Mapping[str, Any]) -> Mapping[str, Any]:
        """With the large columns without which nobody could tell the document."""
        lacking = {name for row in rows for name in self._lacking(row, columns)}
        new = {"body": self._values.body, "label": self._values.label}
        return {**columns, **{name: new[name]() for name in sorted(lacking - columns.keys())}}

    def _lacking(self, row: Row, columns: Mapping[str, Any]) -> frozenset[str]:
        after = replace(row, **columns)
        if self.terms.sends_large or after.text is None:
            return frozenset()
        if row.text is None:
            return row.large
        return row.large & {"body"} if after.name != row.name else frozenset()

    def _expanded(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """As they are in SQL: with the odd columns, without what is not there."""
        there = {name: value for name, value in columns.items() if name != GRADE or self.has_grade}
        if "odd" in there:
            values = self.terms.odd.choices[there["odd"]].values
            there |= dict(zip(ODD_NAMES, values, strict=True))
        return there

    def _is_one_of(self, keys: Sequence[Key]) -> tuple[str, list[object]]:
        """A condition and its arguments."""
        names = self.terms.keys.names
        marks = ", ".join([f"({_marks(names)})"] * len(keys))
        return f"({', '.join(names)}) IN ({marks})", [part for key in keys for part in key]

    @property
    def _free(self) -> list[Key]:
        return [key for key in self.terms.keys.values if key not in self.rows]

    def _some(self) -> list[Key]:
        """Keys that are there: one, or a few."""
        wanted = self._draw.choice([1, 1, 1, 2, 4])
        return self._draw.sample(sorted(self.rows), min(wanted, len(self.rows)))

    def _fresh(self, key: Key) -> Row:
        return self._values.row(key, has_grade=self.has_grade)


def _columns(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS}


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))
