"""What each SQL literal of the recorded samples is as a decoded value.

Taken from a run and then reviewed against the literals. NULL is None unless said otherwise
(Confluent's converter puts a column's default in place of null).
"""

# ruff: noqa: DTZ001, E501 - columns without a zone are naive, and literals are as long as they are

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

INF = float("inf")
NAN = float("nan")

POSTGRES_TYPES: dict[str, dict[str, Any]] = {
    "c_smallint": {"12": 12, "-32768": -32768},
    "c_int": {"123456": 123456, "2147483647": 2147483647},
    "c_bigint": {
        "9007199254740993": 9007199254740993,
        "-9223372036854775808": -9223372036854775808,
    },
    "c_numeric_10_2": {"1234.50": Decimal("1234.50"), "-99999999.99": Decimal("-99999999.99")},
    "c_numeric_3_0": {"120": Decimal(120), "-1": Decimal(-1)},
    "c_numeric": {
        "3.14159265358979323846": Decimal("3.14159265358979323846"),
        "-12345678901234567890.0000000001": Decimal("-12345678901234567890.0000000001"),
    },
    "c_numeric_whole": {"1000": Decimal(1000), "0": Decimal(0)},
    "c_real": {"0.1": 0.1, "'Infinity'": INF},
    "c_double": {"0.1": 0.1, "'NaN'": NAN},
    "c_money": {"'12.34'": Decimal("12.34"), "'-0.05'": Decimal("-0.05")},
    "c_bool": {"true": True, "false": False},
    "c_text": {
        "'rain jacket'": "rain jacket",
        "'tab\tquote\" ''apostrophe'' 雨 🌂 \\ ünï'": "tab\tquote\" 'apostrophe' 雨 🌂 \\ ünï",
    },
    "c_varchar": {"'varchar'": "varchar", "''": ""},
    "c_char": {"'abc'": "abc   ", "''": "      "},
    "c_bytea": {"'\\xdeadbeef'": b"\xde\xad\xbe\xef", "''": b""},
    "c_date": {"'2024-02-29'": date(2024, 2, 29), "'1500-01-01'": date(1500, 1, 1)},
    "c_date_infinite": {"'2024-02-29'": date(2024, 2, 29), "'infinity'": "infinity"},
    "c_time": {"'13:14:15.123456'": time(13, 14, 15, 123456), "'24:00:00'": timedelta(days=1)},
    "c_time_0": {"'13:14:15'": time(13, 14, 15), "'00:00:00'": time(0, 0)},
    "c_time_3": {
        "'13:14:15.123'": time(13, 14, 15, 123000),
        "'23:59:59.999'": time(23, 59, 59, 999000),
    },
    "c_timetz": {
        "'13:14:15.123456+02'": time(11, 14, 15, 123456, tzinfo=UTC),
        "'00:00:00-12:30'": time(12, 30, tzinfo=UTC),
    },
    "c_timestamp": {
        "'2024-02-29 13:14:15.123456'": datetime(2024, 2, 29, 13, 14, 15, 123456),
        "'1969-12-31 23:59:59.5'": datetime(1969, 12, 31, 23, 59, 59, 500000),
    },
    "c_timestamp_0": {
        "'2024-02-29 13:14:15'": datetime(2024, 2, 29, 13, 14, 15),
        "'0001-01-01 00:00:00'": datetime(1, 1, 1, 0, 0),
    },
    "c_timestamp_3": {
        "'2024-02-29 13:14:15.123'": datetime(2024, 2, 29, 13, 14, 15, 123000),
        "'9999-12-31 23:59:59'": datetime(9999, 12, 31, 23, 59, 59),
    },
    "c_timestamp_6": {
        "'2024-02-29 13:14:15.123456'": datetime(2024, 2, 29, 13, 14, 15, 123456),
        "'infinity'": "infinity",
    },
    "c_timestamp_minus": {
        "'2024-02-29 13:14:15'": datetime(2024, 2, 29, 13, 14, 15),
        "'-infinity'": "-infinity",
    },
    "c_timestamptz": {
        "'2024-02-29 13:14:15.123456+02'": datetime(2024, 2, 29, 11, 14, 15, 123456, tzinfo=UTC),
        "'infinity'": "infinity",
    },
    "c_timestamptz_0": {
        "'2024-02-29 13:14:15+02'": datetime(2024, 2, 29, 11, 14, 15, tzinfo=UTC),
        "'-infinity'": "-infinity",
    },
    "c_interval": {
        "'1 year 2 mons 3 days 4:05:06.789'": timedelta(
            days=429, seconds=25506, microseconds=789000
        ),
        "'-1 day'": timedelta(days=-1),
    },
    "c_uuid": {
        "'0b0e7a4c-5d1f-4a57-9a39-6c1d2f3e4a5b'": "0b0e7a4c-5d1f-4a57-9a39-6c1d2f3e4a5b",
        "'00000000000000000000000000000000'": "00000000-0000-0000-0000-000000000000",
    },
    "c_json": {
        '\'{"b": 1, "a": [1.50, null, "x"], "b2": {"z": 0, "y": true}}\'': '{"a":[1.5,null,"x"],"b":1,"b2":{"y":true,"z":0}}',
        "'\"only text\"'": '"only text"',
    },
    "c_jsonb": {
        '\'{"b": 1, "a": [1.50, null, "x"], "b2": {"z": 0, "y": true}}\'': '{"a":[1.5,null,"x"],"b":1,"b2":{"y":true,"z":0}}',
        "'null'": "null",
    },
    "c_inet": {"'192.168.1.7/24'": "192.168.1.7/24", "'::1'": "::1"},
    "c_cidr": {"'10.0.0.0/8'": "10.0.0.0/8", "'2001:db8::/32'": "2001:db8::/32"},
    "c_macaddr": {
        "'08:00:2b:01:02:03'": "08:00:2b:01:02:03",
        "'ff:ff:ff:ff:ff:ff'": "ff:ff:ff:ff:ff:ff",
    },
    "c_enum": {"'content'": "content", "'very sad'": "very sad"},
    "c_text_array": {"'{hiking,\"two words\",NULL}'": ["hiking", "two words", None], "'{}'": []},
    "c_int_array": {"'{1,2,NULL}'": [1, 2, None], "'{{1,2},{3,4}}'": [None, None]},
    "c_bigint_array": {"'{1,9007199254740993}'": [1, 9007199254740993], "'{}'": []},
    "c_bool_array": {"'{t,f}'": [True, False], "'{}'": []},
    "c_double_array": {"'{0.1,2}'": [0.1, 2.0], "'{}'": []},
    "c_uuid_array": {
        "'{0b0e7a4c-5d1f-4a57-9a39-6c1d2f3e4a5b}'": ["0b0e7a4c-5d1f-4a57-9a39-6c1d2f3e4a5b"],
        "'{}'": [],
    },
    "c_numeric_array": {"'{1.50,-2}'": [Decimal("1.50"), Decimal("-2.00")], "'{}'": []},
    "c_date_array": {
        "'{2024-02-29,1970-01-01}'": [date(2024, 2, 29), date(1970, 1, 1)],
        "'{}'": [],
    },
    "c_timestamp_array": {
        "'{2024-02-29 13:14:15.123456}'": [datetime(2024, 2, 29, 13, 14, 15, 123456)],
        "'{}'": [],
    },
    "c_timestamptz_array": {
        "'{2024-02-29 13:14:15.123456+02}'": [
            datetime(2024, 2, 29, 11, 14, 15, 123456, tzinfo=UTC)
        ],
        "'{}'": [],
    },
    "c_jsonb_array": {"ARRAY['{\"a\": 1}'::jsonb]": ['{"a":1}'], "'{}'": []},
    "c_point": {"'(1.5,-2)'": {"x": 1.5, "y": -2.0}, "'(0,0)'": {"x": 0.0, "y": 0.0}},
    "c_bit": {"B'1'": True, "B'0'": False},
    "c_bit_8": {"B'10000001'": "10000001", "B'00000000'": "00000000"},
    "c_bit_varying": {"B'101'": "000000000101", "B''": "000000000000"},
    "c_tsvector": {"'rain jacket'::tsvector": "'jacket' 'rain'", "''": ""},
    "c_int4range": {"'[1,5)'": "[1,5)", "'empty'": "empty"},
    "c_daterange": {"'[2024-02-29,2024-03-02)'": "[2024-02-29,2024-03-02)", "'(,)'": "(,)"},
    "c_tstzrange": {"'[2024-02-29 00:00+00,)'": '["2024-02-29 00:00:00+00",)', "'empty'": "empty"},
    "c_vector": {"'[1,2.5,-3]'": [1.0, 2.5, -3.0], "'[0,0,0]'": [0.0, 0.0, 0.0]},
    "c_halfvec": {"'[1,2.5,-3]'": [1.0, 2.5, -3.0], "'[0,0,0]'": [0.0, 0.0, 0.0]},
    "c_default_int": {"1": 1, "NULL": 7, "8": 8},
    "c_default_text": {"'given'": "given", "NULL": "none given", "''": ""},
}

MYSQL_TYPES: dict[str, dict[str, Any]] = {
    "c_tinyint": {"12": 12, "-128": -128},
    "c_tinyint_1": {"1": 1, "0": 0},
    "c_boolean": {"true": 1, "false": 0},
    "c_tinyint_unsigned": {"255": 255, "0": 0},
    "c_smallint": {"12": 12, "-32768": -32768},
    "c_smallint_unsigned": {"65535": 65535, "0": 0},
    "c_mediumint": {"12": 12, "-8388608": -8388608},
    "c_mediumint_unsigned": {"16777215": 16777215, "0": 0},
    "c_int": {"12": 12, "-2147483648": -2147483648},
    "c_int_unsigned": {"4294967295": 4294967295, "0": 0},
    "c_bigint": {
        "9007199254740993": 9007199254740993,
        "-9223372036854775808": -9223372036854775808,
    },
    "c_bigint_unsigned": {"42": 42, "9223372036854775807": 9223372036854775807},
    "c_decimal_10_2": {"1234.50": Decimal("1234.50"), "-99999999.99": Decimal("-99999999.99")},
    "c_decimal_5_0": {"120": Decimal(120), "-1": Decimal(-1)},
    "c_float": {"0.1": 0.1, "-1.5": -1.5},
    "c_double": {"0.1": 0.1, "-1e300": -1e300},
    "c_char": {"'abc'": "abc", "''": ""},
    "c_varchar": {
        "'rain jacket'": "rain jacket",
        "'tab\\t ''q'' 雨 🌂 ünï'": "tab\t 'q' 雨 🌂 ünï",
    },
    "c_text": {"'some text'": "some text", "''": ""},
    "c_blob": {"x'deadbeef'": b"\xde\xad\xbe\xef", "''": b""},
    "c_binary": {"x'0102'": b"\x01\x02\x00\x00", "x'ffffffff'": b"\xff\xff\xff\xff"},
    "c_varbinary": {"x'0102'": b"\x01\x02", "''": b""},
    "c_date": {"'2024-02-29'": date(2024, 2, 29), "'1000-01-01'": date(1000, 1, 1)},
    "c_time": {"'13:14:15'": time(13, 14, 15), "'-838:59:59'": timedelta(days=-35, seconds=3601)},
    "c_time_6": {
        "'13:14:15.123456'": time(13, 14, 15, 123456),
        "'838:59:58.000001'": timedelta(days=34, seconds=82798, microseconds=1),
    },
    "c_datetime": {
        "'2024-02-29 13:14:15'": datetime(2024, 2, 29, 13, 14, 15),
        "'1000-01-01 00:00:00'": datetime(1000, 1, 1, 0, 0),
    },
    "c_datetime_3": {
        "'2024-02-29 13:14:15.123'": datetime(2024, 2, 29, 13, 14, 15, 123000),
        "'9999-12-31 23:59:59.999'": datetime(9999, 12, 31, 23, 59, 59, 999000),
    },
    "c_datetime_6": {
        "'2024-02-29 13:14:15.123456'": datetime(2024, 2, 29, 13, 14, 15, 123456),
        "'1969-12-31 23:59:59.5'": datetime(1969, 12, 31, 23, 59, 59, 500000),
    },
    "c_timestamp": {
        "'2024-02-29 13:14:15'": datetime(2024, 2, 29, 13, 14, 15, tzinfo=UTC),
        "'1970-01-01 00:00:01'": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
    },
    "c_timestamp_6": {
        "'2024-02-29 13:14:15.123456'": datetime(2024, 2, 29, 13, 14, 15, 123456, tzinfo=UTC),
        "'2038-01-19 03:14:07.999999'": datetime(2038, 1, 19, 3, 14, 7, 999999, tzinfo=UTC),
    },
    "c_year": {"2024": 2024, "1901": 1901},
    "c_enum": {"'content'": "content", "'very happy'": "very happy"},
    "c_set": {"'red,blue'": ["red", "blue"], "''": []},
    "c_json": {
        '\'{"b": 1, "a": [1.50, null, "x"], "b2": {"z": 0, "y": true}}\'': '{"a":[1.5,null,"x"],"b":1,"b2":{"y":true,"z":0}}',
        "'\"only text\"'": '"only text"',
    },
    "c_bit_1": {"b'1'": True, "b'0'": False},
    "c_bit_12": {"b'100000000001'": "100000000001", "b'0'": "000000000000"},
    "c_point": {
        "ST_GeomFromText('POINT(1.5 -2)')": {"x": 1.5, "y": -2.0},
        "ST_GeomFromText('POINT(0 0)')": {"x": 0.0, "y": 0.0},
    },
    "c_default_int": {"1": 1, "8": 8, "NULL": 7},
    "c_default_text": {"'given'": "given", "''": "", "NULL": "none given"},
}

POSTGRES_DOUBLES: dict[str, dict[str, Any]] = {
    "c_numeric": {"1.5": 1.5, "'NaN'": NAN},
    "c_numeric_10_2": {"1234.50": 1234.5, "'NaN'": NAN},
    "c_numeric_plus": {"1000": 1000.0, "'Infinity'": INF},
    "c_numeric_minus": {"1e3": 1000.0, "'-Infinity'": -INF},
    "c_money": {"'12.34'": 12.34, "'-0.05'": -0.05},
    "c_double": {"0.1": 0.1, "'NaN'": NAN},
    "c_date": {"'2024-02-29'": date(2024, 2, 29), "'1500-01-01'": date(1500, 1, 1)},
    "c_time": {"'13:14:15.123456'": time(13, 14, 15, 123000), "'00:00:00'": time(0, 0)},
    "c_timestamp": {
        "'2024-02-29 13:14:15.123456'": datetime(2024, 2, 29, 13, 14, 15, 123000),
        "'1969-12-31 23:59:59.5'": datetime(1969, 12, 31, 23, 59, 59, 500000),
    },
    "c_timestamptz": {
        "'2024-02-29 13:14:15.123456+02'": datetime(2024, 2, 29, 11, 14, 15, 123456, tzinfo=UTC),
        "'1969-12-31 Z'": datetime(1969, 12, 31, 0, 0, tzinfo=UTC),
    },
    "c_interval": {
        "'1 year 2 mons 3 days 4:05:06.789'": timedelta(
            days=429, seconds=25506, microseconds=789000
        ),
        "'-1 day'": timedelta(days=-1),
    },
    "c_bytea": {"'\\xdeadbeef'": b"\xde\xad\xbe\xef", "''": b""},
    "c_numeric_array": {"'{1.50,-2}'": [1.5, -2.0], "'{}'": []},
    "c_date_array": {
        "'{2024-02-29,1970-01-01}'": [date(2024, 2, 29), date(1970, 1, 1)],
        "'{}'": [],
    },
}

POSTGRES_STRINGS: dict[str, dict[str, Any]] = {
    "c_numeric": {"'NaN'": "NAN", "1.5": "1.5"},
    "c_numeric_10_2": {"'NaN'": "NAN", "1234.50": "1234.50"},
    "c_numeric_plus": {"'Infinity'": "POSITIVE_INFINITY", "1000": "1000"},
    "c_numeric_minus": {"'-Infinity'": "NEGATIVE_INFINITY", "1e3": "1000"},
    "c_money": {"'-0.05'": "-0.05", "'12.34'": "12.34"},
    "c_double": {"'NaN'": NAN, "0.1": 0.1},
    "c_date": {"'1500-01-01'": date(1500, 1, 1), "'2024-02-29'": date(2024, 2, 29)},
    "c_time": {"'00:00:00'": time(0, 0), "'13:14:15.123456'": time(13, 14, 15, 123456)},
    "c_timestamp": {
        "'1969-12-31 23:59:59.5'": datetime(1969, 12, 31, 23, 59, 59, 500000),
        "'2024-02-29 13:14:15.123456'": datetime(2024, 2, 29, 13, 14, 15, 123456),
    },
    "c_timestamptz": {
        "'1969-12-31 Z'": datetime(1969, 12, 31, 0, 0, tzinfo=UTC),
        "'2024-02-29 13:14:15.123456+02'": datetime(2024, 2, 29, 11, 14, 15, 123456, tzinfo=UTC),
    },
    "c_interval": {"'-1 day'": "P-1D", "'1 year 2 mons 3 days 4:05:06.789'": "P1Y2M3DT4H5M6.789S"},
    "c_bytea": {"''": "", "'\\xdeadbeef'": "3q2+7w=="},
    "c_numeric_array": {"'{}'": [], "'{1.50,-2}'": ["1.50", "-2.00"]},
    "c_date_array": {
        "'{}'": [],
        "'{2024-02-29,1970-01-01}'": [date(2024, 2, 29), date(1970, 1, 1)],
    },
}

POSTGRES_NANOSECONDS: dict[str, dict[str, Any]] = {
    "c_numeric": {"1.5": 1.5, "'NaN'": NAN},
    "c_numeric_10_2": {"1234.50": 1234.5, "'NaN'": NAN},
    "c_numeric_plus": {"1000": 1000.0, "'Infinity'": INF},
    "c_numeric_minus": {"1e3": 1000.0, "'-Infinity'": -INF},
    "c_money": {"'12.34'": 12.34, "'-0.05'": -0.05},
    "c_double": {"0.1": 0.1, "'NaN'": NAN},
    "c_date": {"'2024-02-29'": date(2024, 2, 29), "'1500-01-01'": date(1500, 1, 1)},
    "c_time": {"'13:14:15.123456'": time(13, 14, 15, 123456), "'00:00:00'": time(0, 0)},
    "c_timestamp": {
        "'2024-02-29 13:14:15.123456'": datetime(2024, 2, 29, 13, 14, 15, 123456),
        "'1969-12-31 23:59:59.5'": datetime(1969, 12, 31, 23, 59, 59, 500000),
    },
    "c_timestamptz": {
        "'2024-02-29 13:14:15.123456+02'": datetime(2024, 2, 29, 11, 14, 15, 123456, tzinfo=UTC),
        "'1969-12-31 Z'": datetime(1969, 12, 31, 0, 0, tzinfo=UTC),
    },
    "c_interval": {
        "'1 year 2 mons 3 days 4:05:06.789'": timedelta(
            days=429, seconds=25506, microseconds=789000
        ),
        "'-1 day'": timedelta(days=-1),
    },
    "c_bytea": {"'\\xdeadbeef'": "deadbeef", "''": ""},
    "c_numeric_array": {"'{1.50,-2}'": [1.5, -2.0], "'{}'": []},
    "c_date_array": {
        "'{2024-02-29,1970-01-01}'": [date(2024, 2, 29), date(1970, 1, 1)],
        "'{}'": [],
    },
}

EXPECTED = {
    "postgres_types": POSTGRES_TYPES,
    "mysql_types": MYSQL_TYPES,
    "postgres_doubles": POSTGRES_DOUBLES,
    "postgres_strings": POSTGRES_STRINGS,
    "postgres_nanoseconds": POSTGRES_NANOSECONDS,
    "postgres_json_schema": POSTGRES_TYPES,
}
