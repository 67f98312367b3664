"""What every reselector promises; its own test file brings the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

from worker.errors import FatalError, RecordError, RetriableError
from worker.model import Key, Origin
from worker.reselect.port import Missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.reselect.port import Reselector

DB = "reselected"
SOURCE = Origin("postgresql", DB, "public", "docs")
DOCS = {"id": "int", "body": "text", "title": "varchar(80)"}


class Cell(NamedTuple):
    """A value as SQL and as the decode step gives it; an exception: no way to give it."""

    sql: str
    value: Any


class Database(Protocol):
    """What a test file brings: an empty database called ``DB``."""

    @property
    def reselector(self) -> Reselector: ...

    def create(
        self, schema: str, table: str, columns: Mapping[str, str], unreadable: Sequence[str] = ()
    ) -> None:
        """Make a table with columns of these SQL types, the schema too if need be."""
        ...

    def insert(self, schema: str, table: str, row: Mapping[str, Cell]) -> None:
        """Add a row."""
        ...

    def delete(self, schema: str, table: str, key: Mapping[str, Cell]) -> None:
        """Remove a row."""
        ...

    def down(self) -> None:
        """From now on it takes no connection, and those that it had are gone."""
        ...

    def up(self) -> None: ...


def text(value: str) -> Cell:
    quoted = value.replace("'", "''")
    return Cell(f"'{quoted}'", value)


def number(value: int) -> Cell:
    return Cell(str(value), value)


def missing(
    *key: tuple[str, Any], columns: Sequence[str] = ("body",), table: str = "docs"
) -> Missing:
    return Missing(Key("topic", key), replace(SOURCE, table=table), frozenset(columns))


def doc(row: int, *columns: str) -> Missing:
    return missing(("id", row), columns=columns or ("body",))


class ReselectContract:
    """Inherit it and bring the fixture ``database``."""

    @pytest.fixture
    def docs(self, database: Database) -> Database:
        """A table with rows 1 to 3."""
        database.create("public", "docs", DOCS)
        for row in (1, 2, 3):
            cells = {"id": number(row), "body": text(f"body {row}"), "title": text(f"title {row}")}
            database.insert("public", "docs", cells)
        return database

    def test_rows_are_answered_in_their_order_also_twice(self, docs: Database) -> None:
        answers = docs.reselector.read([doc(3), doc(1), doc(2), doc(3)])
        assert answers == [{"body": f"body {row}"} for row in (3, 1, 2, 3)]

    def test_nothing_asked_is_nothing_answered(self, docs: Database) -> None:
        assert docs.reselector.read([]) == []

    def test_a_row_that_is_not_there_is_none_among_others_that_are(self, docs: Database) -> None:
        assert docs.reselector.read([doc(1), doc(99), doc(2)]) == [
            {"body": "body 1"},
            None,
            {"body": "body 2"},
        ]

    def test_a_row_that_was_deleted_is_none(self, docs: Database) -> None:
        assert docs.reselector.read([doc(2)]) == [{"body": "body 2"}]
        docs.delete("public", "docs", {"id": number(2)})
        assert docs.reselector.read([doc(2)]) == [None]

    def test_each_row_gets_the_columns_that_it_lacks(self, docs: Database) -> None:
        answers = docs.reselector.read([doc(1, "title"), doc(2, "body", "title"), doc(3)])
        assert answers == [
            {"title": "title 1"},
            {"body": "body 2", "title": "title 2"},
            {"body": "body 3"},
        ]

    def test_null_is_a_value(self, docs: Database) -> None:
        docs.insert("public", "docs", {"id": number(4), "title": text("no body")})
        assert docs.reselector.read([doc(4, "body", "title")]) == [
            {"body": None, "title": "no body"}
        ]

    def test_keys_of_several_columns_are_not_mixed_up(self, database: Database) -> None:
        database.create("public", "stock", {"sku": "varchar(20)", "shop": "int", "body": "text"})
        for shop, sku in ((1, "a"), (1, "b"), (2, "a")):
            cells = {"shop": number(shop), "sku": text(sku), "body": text(f"{shop}{sku}")}
            database.insert("public", "stock", cells)
        keys = [(2, "a"), (1, "b"), (2, "b"), (1, "a")]
        wanted = [missing(("shop", shop), ("sku", sku), table="stock") for shop, sku in keys]
        answers = database.reselector.read(wanted)
        assert answers == [{"body": "2a"}, {"body": "1b"}, None, {"body": "1a"}]

    def test_what_a_transform_added_to_keys_is_not_looked_for(self, docs: Database) -> None:
        key = (("id", 1), ("__dbz__physicalTableIdentifier", "shop.public.docs"))
        added = frozenset({"__dbz__physicalTableIdentifier"})
        (answer,) = docs.reselector.read([replace(missing(*key), added=added)])
        assert answer == docs.reselector.read([doc(1)])[0]
        assert answer is not None

    def test_a_key_of_nothing_that_the_table_has_is_its_rows_matter(self, docs: Database) -> None:
        wanted = replace(missing(("key", 1)), added=frozenset({"key"}))
        (answer,) = docs.reselector.read([wanted])
        assert isinstance(answer, RecordError)
        assert "key" in str(answer)

    def test_names_may_be_odd(self, database: Database) -> None:
        schema, table = 'Sch"e%ma', "Ta'ble; (%s) ünï"
        key, body = 'K"ey {0}', "select"
        database.create(schema, table, {key: "int", body: "text"})
        database.insert(schema, table, {key: number(1), body: text("found")})
        origin = Origin("postgresql", DB, schema, table)
        wanted = Missing(Key("topic", ((key, 1),)), origin, frozenset({body}))
        assert database.reselector.read([wanted]) == [{body: "found"}]

    @pytest.mark.parametrize(
        ("sql_type", "cell"),
        [
            ("numeric(6,2)", Cell("12.50", Decimal("12.50"))),
            ("numeric", Cell("12345678901234567890.1", Decimal("12345678901234567890.1"))),
            ("numeric(5,0)", Cell("120", Decimal("1.2E+2"))),
            ("bigint", number(-9223372036854775808)),
            ("uuid", text("0b0e7a4c-5d1f-4a57-9a39-6c1d2f3e4a5b")),
            ("date", Cell("'2024-02-29'", date(2024, 2, 29))),
            ("date", text("-infinity")),
            (
                "timestamp",
                Cell("'2024-02-29 13:14:15.123456'", datetime(2024, 2, 29, 13, 14, 15, 123456)),  # noqa: DTZ001
            ),
            (
                "timestamptz",
                Cell("'2024-02-29 13:14:15.5+02'", datetime(2024, 2, 29, 11, 14, 15, 500000, UTC)),
            ),
            ("text", text('it\'s "quoted", {braced}\\ and NULL')),
            ("text", text("")),
            ("char(6)", text("abc   ")),
            ("bytea", Cell("'\\x000aff'", b"\x00\x0a\xff")),
            ("boolean", Cell("true", True)),  # noqa: FBT003 - the value itself
            ("double precision", Cell("0.1", 0.1)),
        ],
    )
    def test_a_key_may_be_of_many_types(
        self, database: Database, sql_type: str, cell: Cell
    ) -> None:
        database.create("public", "docs", {"id": sql_type, "body": "text"})
        database.insert("public", "docs", {"id": cell, "body": text("found")})
        answers = database.reselector.read([missing(("id", cell.value))])
        assert answers == [{"body": "found"}]

    def test_several_tables_are_read_by_one_call(self, docs: Database) -> None:
        docs.create("public", "notes", {"id": "int", "body": "text"})
        docs.insert("public", "notes", {"id": number(1), "body": text("a note")})
        wanted = [doc(1), missing(("id", 1), table="notes"), doc(2)]
        assert docs.reselector.read(wanted) == [
            {"body": "body 1"},
            {"body": "a note"},
            {"body": "body 2"},
        ]

    def test_a_column_of_an_unknown_type_is_the_matter_of_its_rows(self, docs: Database) -> None:
        docs.create("public", "shapes", {"id": "int", "body": "polygon"}, unreadable=["body"])
        docs.insert("public", "shapes", {"id": number(1), "body": Cell("'((0,0),(1,1))'", "")})
        answers = docs.reselector.read([missing(("id", 1), table="shapes"), doc(1)])
        assert isinstance(answers[0], RecordError)
        assert answers[0].kind == "UnavailableColumn"
        assert answers[1] == {"body": "body 1"}

    def test_a_value_that_cannot_be_given_is_the_matter_of_its_row(
        self, database: Database
    ) -> None:
        database.create("public", "docs", {"id": "int", "body": "numeric"})
        nan = {"id": number(1), "body": Cell("'NaN'", ValueError())}
        database.insert("public", "docs", nan)
        database.insert("public", "docs", {"id": number(2), "body": Cell("1.50", Decimal("1.50"))})
        first, second = database.reselector.read([doc(1), doc(2)])
        assert isinstance(first, RecordError)
        assert second == {"body": Decimal("1.50")}

    def test_a_key_that_several_rows_have_finds_none(self, docs: Database) -> None:
        docs.insert("public", "docs", {"id": number(1), "body": text("another")})
        first, second = docs.reselector.read([doc(1), doc(2)])
        assert isinstance(first, RecordError)
        assert second == {"body": "body 2"}

    def test_a_record_that_does_not_name_its_table_is_its_own_matter(self, docs: Database) -> None:
        nameless = Missing(Key("topic", (("id", 1),)), Origin(), frozenset({"body"}))
        first, second = docs.reselector.read([nameless, doc(1)])
        assert isinstance(first, RecordError)
        assert second == {"body": "body 1"}

    def test_a_flattened_record_need_not_name_connector_and_database(self, docs: Database) -> None:
        origin = Origin(schema="public", table="docs")
        wanted = Missing(Key("topic", (("id", 1),)), origin, frozenset({"body"}))
        assert docs.reselector.read([wanted]) == [{"body": "body 1"}]

    @pytest.mark.parametrize(
        "wanted",
        [
            missing(("id", 1), table="dosc"),
            replace(doc(1), origin=replace(SOURCE, db="shop2")),
            replace(doc(1), origin=replace(SOURCE, schema="private")),
            replace(doc(1), origin=replace(SOURCE, connector="mysql")),
        ],
        ids=["table", "database", "schema", "connector"],
    )
    def test_what_the_database_does_not_have_fails_the_task(
        self, docs: Database, wanted: Missing
    ) -> None:
        with pytest.raises(FatalError):
            docs.reselector.read([wanted])

    @pytest.mark.parametrize(
        "wanted", [missing(("id", 1), columns=["bdoy"]), missing(("key", 1))], ids=["column", "key"]
    )
    def test_a_column_that_was_dropped_after_the_change_is_the_records_fault(
        self, docs: Database, wanted: Missing
    ) -> None:
        error, found = docs.reselector.read([wanted, doc(1)])
        assert isinstance(error, RecordError)
        assert found == {"body": "body 1"}

    def test_a_database_that_is_away_is_waited_for(self, docs: Database) -> None:
        assert docs.reselector.read([doc(1)]) == [{"body": "body 1"}]
        docs.down()
        with pytest.raises(RetriableError):
            docs.reselector.read([doc(1)])
        with pytest.raises(RetriableError):
            docs.reselector.read([doc(1)])
        docs.up()
        assert docs.reselector.read([doc(1)]) == [{"body": "body 1"}]

    def test_a_database_that_is_away_at_first_is_waited_for(self, docs: Database) -> None:
        docs.down()
        with pytest.raises(RetriableError):
            docs.reselector.read([doc(1)])
        docs.up()
        assert docs.reselector.read([doc(1)]) == [{"body": "body 1"}]

    def test_many_threads_may_ask_at_once(self, docs: Database) -> None:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda row: docs.reselector.read([doc(row)]), [1, 2, 3] * 20))
        assert answers == [[{"body": f"body {row}"}] for row in [1, 2, 3] * 20]
