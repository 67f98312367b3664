"""Tables with a column of every interesting type, and the literals that go into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """One column and what its rows hold, as SQL: row 1 ordinary, row 2 NULL, row 3 at the edge."""

    name: str
    sql_type: str
    ordinary: str
    edge: str

    @property
    def literals(self) -> tuple[str, str, str]:
        """Its literal in row 1, 2 and 3."""
        return (self.ordinary, "NULL", self.edge)


POSTGRES: Final = (
    Column("c_smallint", "smallint", "12", "-32768"),
    Column("c_int", "integer", "123456", "2147483647"),
    Column("c_bigint", "bigint", "9007199254740993", "-9223372036854775808"),
    Column("c_numeric_10_2", "numeric(10,2)", "1234.50", "-99999999.99"),
    Column("c_numeric_3_0", "numeric(3,0)", "120", "-1"),
    Column("c_numeric", "numeric", "3.14159265358979323846", "-12345678901234567890.0000000001"),
    Column("c_numeric_whole", "numeric", "1000", "0"),
    Column("c_real", "real", "0.1", "'Infinity'"),
    Column("c_double", "double precision", "0.1", "'NaN'"),
    Column("c_money", "money", "'12.34'", "'-0.05'"),
    Column("c_bool", "boolean", "true", "false"),
    Column("c_text", "text", "'rain jacket'", "'tab\tquote\" ''apostrophe'' 雨 🌂 \\ ünï'"),
    Column("c_varchar", "varchar(40)", "'varchar'", "''"),
    Column("c_char", "char(6)", "'abc'", "''"),
    Column("c_bytea", "bytea", "'\\xdeadbeef'", "''"),
    Column("c_date", "date", "'2024-02-29'", "'1500-01-01'"),
    Column("c_date_infinite", "date", "'2024-02-29'", "'infinity'"),
    Column("c_time", "time", "'13:14:15.123456'", "'24:00:00'"),
    Column("c_time_0", "time(0)", "'13:14:15'", "'00:00:00'"),
    Column("c_time_3", "time(3)", "'13:14:15.123'", "'23:59:59.999'"),
    Column("c_timetz", "timetz", "'13:14:15.123456+02'", "'00:00:00-12:30'"),
    Column("c_timestamp", "timestamp", "'2024-02-29 13:14:15.123456'", "'1969-12-31 23:59:59.5'"),
    Column("c_timestamp_0", "timestamp(0)", "'2024-02-29 13:14:15'", "'0001-01-01 00:00:00'"),
    Column("c_timestamp_3", "timestamp(3)", "'2024-02-29 13:14:15.123'", "'9999-12-31 23:59:59'"),
    Column("c_timestamp_6", "timestamp(6)", "'2024-02-29 13:14:15.123456'", "'infinity'"),
    Column("c_timestamp_minus", "timestamp", "'2024-02-29 13:14:15'", "'-infinity'"),
    Column("c_timestamptz", "timestamptz", "'2024-02-29 13:14:15.123456+02'", "'infinity'"),
    Column("c_timestamptz_0", "timestamptz(0)", "'2024-02-29 13:14:15+02'", "'-infinity'"),
    Column("c_interval", "interval", "'1 year 2 mons 3 days 4:05:06.789'", "'-1 day'"),
    Column("c_uuid", "uuid", "'0b0e7a4c-5d1f-4a57-9a39-6c1d2f3e4a5b'", "'" + "0" * 32 + "'"),
    Column(
        "c_json",
        "json",
        """'{"b": 1, "a": [1.50, null, "x"], "b2": {"z": 0, "y": true}}'""",
        "'\"only text\"'",
    ),
    Column(
        "c_jsonb",
        "jsonb",
        """'{"b": 1, "a": [1.50, null, "x"], "b2": {"z": 0, "y": true}}'""",
        "'null'",
    ),
    Column("c_inet", "inet", "'192.168.1.7/24'", "'::1'"),
    Column("c_cidr", "cidr", "'10.0.0.0/8'", "'2001:db8::/32'"),
    Column("c_macaddr", "macaddr", "'08:00:2b:01:02:03'", "'ff:ff:ff:ff:ff:ff'"),
    Column("c_enum", "mood", "'content'", "'very sad'"),
    Column("c_text_array", "text[]", "'{hiking,\"two words\",NULL}'", "'{}'"),
    Column("c_int_array", "int[]", "'{1,2,NULL}'", "'{{1,2},{3,4}}'"),
    Column("c_bigint_array", "bigint[]", "'{1,9007199254740993}'", "'{}'"),
    Column("c_bool_array", "boolean[]", "'{t,f}'", "'{}'"),
    Column("c_double_array", "double precision[]", "'{0.1,2}'", "'{}'"),
    Column("c_uuid_array", "uuid[]", "'{0b0e7a4c-5d1f-4a57-9a39-6c1d2f3e4a5b}'", "'{}'"),
    Column("c_numeric_array", "numeric(6,2)[]", "'{1.50,-2}'", "'{}'"),
    Column("c_date_array", "date[]", "'{2024-02-29,1970-01-01}'", "'{}'"),
    Column("c_timestamp_array", "timestamp[]", "'{2024-02-29 13:14:15.123456}'", "'{}'"),
    Column("c_timestamptz_array", "timestamptz[]", "'{2024-02-29 13:14:15.123456+02}'", "'{}'"),
    Column("c_jsonb_array", "jsonb[]", """ARRAY['{"a": 1}'::jsonb]""", "'{}'"),
    Column("c_point", "point", "'(1.5,-2)'", "'(0,0)'"),
    Column("c_bit", "bit(1)", "B'1'", "B'0'"),
    Column("c_bit_8", "bit(8)", "B'10000001'", "B'00000000'"),
    Column("c_bit_varying", "bit varying(12)", "B'101'", "B''"),
    Column("c_tsvector", "tsvector", "'rain jacket'::tsvector", "''"),
    Column("c_int4range", "int4range", "'[1,5)'", "'empty'"),
    Column("c_daterange", "daterange", "'[2024-02-29,2024-03-02)'", "'(,)'"),
    Column("c_tstzrange", "tstzrange", "'[2024-02-29 00:00+00,)'", "'empty'"),
    Column("c_vector", "vector(3)", "'[1,2.5,-3]'", "'[0,0,0]'"),
    Column("c_halfvec", "halfvec(3)", "'[1,2.5,-3]'", "'[0,0,0]'"),
    Column("c_default_int", "integer DEFAULT 7", "1", "8"),
    Column("c_default_text", "text DEFAULT 'none given'", "'given'", "''"),
)
"""``c_default_*`` are nullable with a default: Confluent's converter shows their NULL as it."""

POSTGRES_NOT_A_NUMBER: Final = (
    Column("c_numeric", "numeric", "1.5", "'NaN'"),
    Column("c_numeric_10_2", "numeric(10,2)", "1234.50", "'NaN'"),
    Column("c_numeric_plus", "numeric", "1000", "'Infinity'"),
    Column("c_numeric_minus", "numeric", "1e3", "'-Infinity'"),
    Column("c_money", "money", "'12.34'", "'-0.05'"),
    Column("c_double", "double precision", "0.1", "'NaN'"),
    Column("c_date", "date", "'2024-02-29'", "'1500-01-01'"),
    Column("c_time", "time", "'13:14:15.123456'", "'00:00:00'"),
    Column("c_timestamp", "timestamp", "'2024-02-29 13:14:15.123456'", "'1969-12-31 23:59:59.5'"),
    Column("c_timestamptz", "timestamptz", "'2024-02-29 13:14:15.123456+02'", "'1969-12-31 Z'"),
    Column("c_interval", "interval", "'1 year 2 mons 3 days 4:05:06.789'", "'-1 day'"),
    Column("c_bytea", "bytea", "'\\xdeadbeef'", "''"),
    Column("c_numeric_array", "numeric(6,2)[]", "'{1.50,-2}'", "'{}'"),
    Column("c_date_array", "date[]", "'{2024-02-29,1970-01-01}'", "'{}'"),
)
"""For connectors with other handling modes: the default one fails at NaN."""

MYSQL: Final = (
    Column("c_tinyint", "tinyint", "12", "-128"),
    Column("c_tinyint_1", "tinyint(1)", "1", "0"),
    Column("c_boolean", "boolean", "true", "false"),
    Column("c_tinyint_unsigned", "tinyint unsigned", "255", "0"),
    Column("c_smallint", "smallint", "12", "-32768"),
    Column("c_smallint_unsigned", "smallint unsigned", "65535", "0"),
    Column("c_mediumint", "mediumint", "12", "-8388608"),
    Column("c_mediumint_unsigned", "mediumint unsigned", "16777215", "0"),
    Column("c_int", "int", "12", "-2147483648"),
    Column("c_int_unsigned", "int unsigned", "4294967295", "0"),
    Column("c_bigint", "bigint", "9007199254740993", "-9223372036854775808"),
    Column("c_bigint_unsigned", "bigint unsigned", "42", "9223372036854775807"),
    Column("c_decimal_10_2", "decimal(10,2)", "1234.50", "-99999999.99"),
    Column("c_decimal_5_0", "decimal(5,0)", "120", "-1"),
    Column("c_float", "float", "0.1", "-1.5"),
    Column("c_double", "double", "0.1", "-1e300"),
    Column("c_char", "char(6)", "'abc'", "''"),
    Column("c_varchar", "varchar(80)", "'rain jacket'", "'tab\\t ''q'' 雨 🌂 ünï'"),
    Column("c_text", "text", "'some text'", "''"),
    Column("c_blob", "blob", "x'deadbeef'", "''"),
    Column("c_binary", "binary(4)", "x'0102'", "x'ffffffff'"),
    Column("c_varbinary", "varbinary(8)", "x'0102'", "''"),
    Column("c_date", "date", "'2024-02-29'", "'1000-01-01'"),
    Column("c_time", "time", "'13:14:15'", "'-838:59:59'"),
    Column("c_time_6", "time(6)", "'13:14:15.123456'", "'838:59:58.000001'"),
    Column("c_datetime", "datetime", "'2024-02-29 13:14:15'", "'1000-01-01 00:00:00'"),
    Column("c_datetime_3", "datetime(3)", "'2024-02-29 13:14:15.123'", "'9999-12-31 23:59:59.999'"),
    Column(
        "c_datetime_6", "datetime(6)", "'2024-02-29 13:14:15.123456'", "'1969-12-31 23:59:59.5'"
    ),
    Column("c_timestamp", "timestamp NULL", "'2024-02-29 13:14:15'", "'1970-01-01 00:00:01'"),
    Column(
        "c_timestamp_6",
        "timestamp(6) NULL",
        "'2024-02-29 13:14:15.123456'",
        "'2038-01-19 03:14:07.999999'",
    ),
    Column("c_year", "year", "2024", "1901"),
    Column("c_enum", "enum('sad','content','very happy')", "'content'", "'very happy'"),
    Column("c_set", "set('red','green','blue')", "'red,blue'", "''"),
    Column(
        "c_json",
        "json",
        """'{"b": 1, "a": [1.50, null, "x"], "b2": {"z": 0, "y": true}}'""",
        "'\"only text\"'",
    ),
    Column("c_bit_1", "bit(1)", "b'1'", "b'0'"),
    Column("c_bit_12", "bit(12)", "b'100000000001'", "b'0'"),
    Column("c_point", "point", "ST_GeomFromText('POINT(1.5 -2)')", "ST_GeomFromText('POINT(0 0)')"),
    Column("c_default_int", "int DEFAULT 7", "1", "8"),
    Column("c_default_text", "varchar(20) DEFAULT 'none given'", "'given'", "''"),
)


def create_table(table: str, columns: tuple[Column, ...]) -> str:
    """The statement that makes the table, with ``id`` as its key."""
    lines = ["id int PRIMARY KEY", *(f"{column.name} {column.sql_type}" for column in columns)]
    return f"CREATE TABLE {table} ({', '.join(lines)})"


def insert_rows(table: str, columns: tuple[Column, ...], first_id: int) -> list[str]:
    """The statements that insert rows 1 to 3 under three ids in a row."""
    rows = zip(*(column.literals for column in columns), strict=True)
    return [
        f"INSERT INTO {table} VALUES ({first_id + number}, {', '.join(row)})"
        for number, row in enumerate(rows)
    ]
