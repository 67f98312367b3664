from __future__ import annotations

from worker.decode.avro_schema import column_type
from worker.decode.conversion import conversion
from worker.decode.key import key_reader


def test_a_set_column_of_mysql_may_be_part_of_a_key() -> None:
    schema = {
        "type": "record",
        "name": "Key",
        "fields": [
            {"name": "id", "type": "int"},
            {
                "name": "flags",
                "type": {"type": "string", "connect.name": "io.debezium.data.EnumSet"},
            },
        ],
    }
    key = key_reader(column_type(schema), conversion).key("shop.t", {"id": 1, "flags": "p,q"})
    assert key.columns == (("id", 1), ("flags", ("p", "q")))
    assert isinstance(hash(key), int)
