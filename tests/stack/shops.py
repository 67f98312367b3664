"""The same two tables in Postgres and in MySQL, with what the index should say of their rows."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.stack.connect import Connector
    from tests.stack.stack import Stack

PRODUCTS = """CREATE TABLE products (
    id int PRIMARY KEY, name varchar(100) NOT NULL, category varchar(50),
    price decimal(10,2), description text)"""
STOCK = """CREATE TABLE stock (
    shop int, sku varchar(20), note varchar(200), quantity int, PRIMARY KEY (shop, sku))"""

FIELDS = {
    "products": "Product: name, Category: category, description",
    "stock": "note",
}
METADATA = {"products": "name, category, price", "stock": "shop, quantity as items"}


@dataclass(frozen=True, slots=True)
class Expected:
    """What the index should hold for a row."""

    text: str
    metadata: dict[str, object]


class Shop(Protocol):
    """One of the two databases."""

    kind: str
    table_prefix: str
    """What stands before the table in the topic: the schema, or MySQL's database."""

    def sql(self, statement: str, *args: object) -> Sequence[tuple[Any, ...]]:
        """Execute, each statement its own transaction; rows, if it returns any."""
        ...


class PostgresShop:
    """A database of the real Postgres."""

    kind = "postgresql"
    table_prefix = "public"

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack, self.name = stack, name
        stack.postgres.create_database(name)
        self._connection = stack.postgres.connect(name)

    def sql(self, statement: str, *args: object) -> Sequence[tuple[Any, ...]]:
        cursor = self._connection.execute(statement, args or None)
        return cursor.fetchall() if cursor.description else []

    def capture(self, table: str, **config: str) -> Connector:
        return self._stack.connect.register_postgres(
            self._stack.postgres,
            name=f"source-{self.name}",
            database=self.name,
            topic_prefix=self.name,
            tables=[f"public.{table}"],
            config=config,
        )

    def close(self) -> None:
        self._connection.close()
        self._stack.postgres.drop_database(self.name)


class MySqlShop:
    """A database of the real MySQL (or MariaDB)."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack, self.name = stack, name
        self.kind = stack.mysql.flavour
        self.table_prefix = name
        stack.mysql.create_database(name)
        self._connection = stack.mysql.connect(name)

    def sql(self, statement: str, *args: object) -> Sequence[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, args or None)
            return list(cursor.fetchall()) if cursor.description else []

    def capture(self, table: str, **config: str) -> Connector:
        return self._stack.connect.register_mysql(
            self._stack.mysql,
            name=f"source-{self.name}",
            database=self.name,
            topic_prefix=self.name,
            tables=[f"{self.name}.{table}"],
            config=config,
        )

    def close(self) -> None:
        self._connection.close()
        self._stack.mysql.drop_database(self.name)


@contextmanager
def open_shop(stack: Stack, kind: str, name: str) -> Iterator[PostgresShop | MySqlShop]:
    """A fresh database, gone afterwards."""
    shop = PostgresShop(stack, name) if kind == "postgres" else MySqlShop(stack, name)
    try:
        yield shop
    finally:
        shop.close()


def insert_products(shop: Shop, first: int, last: int) -> None:
    """Rows of these ids, each with a text of its own, in one transaction of Postgres."""
    shop.sql(
        "INSERT INTO products SELECT n, 'thing ' || n, 'tools', n, 'Text of ' || n"
        " FROM generate_series(%s::int, %s::int) n",
        first,
        last,
    )


def expected_products(shop: Shop) -> dict[str, Expected]:
    """The index that the table ``products`` should make, by id."""
    rows = shop.sql("SELECT id, name, category, price, description FROM products")
    return {
        str(row[0]): Expected(
            "\n".join(
                line
                for line in (
                    f"Product: {row[1]}",
                    f"Category: {row[2]}" if row[2] else "",
                    row[4] or "",
                )
                if line
            ),
            {
                key: value
                for key, value in (
                    ("name", row[1]),
                    ("category", row[2]),
                    ("price", None if row[3] is None else float(row[3])),
                )
                if value is not None
            },
        )
        for row in rows
    }


def expected_stock(shop: Shop) -> dict[str, Expected]:
    """The index that the table ``stock`` should make, by id."""
    rows = shop.sql("SELECT shop, sku, note, quantity FROM stock")
    return {
        f"{row[0]}_{row[1]}": Expected(row[2], {"shop": row[0], "items": row[3]}) for row in rows
    }
