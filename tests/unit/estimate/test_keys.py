"""The table of rows against a plain dictionary."""

from __future__ import annotations

import random

from worker.estimate.keys import RowTexts, digest_of


def test_it_remembers_what_a_dictionary_would_also_while_it_grows() -> None:
    draw, table, plain = random.Random(1), RowTexts(), dict[int, int]()
    for number in range(300):
        rows = {digest_of(str(draw.randrange(5000))) for _ in range(50)}
        for row, place in zip(rows, table.places(rows), strict=True):
            assert table.text(place) == plain.get(row)
            plain[row] = digest_of(f"text {number}")
            table.put(place, plain[row], 1)
    assert table.rows == len(plain)
    assert all(table.has(row) for row in plain)
    assert not table.has(digest_of("unheard of"))


def test_rows_that_meet_at_one_place_are_told_apart() -> None:
    table = RowTexts()
    rows = [1, 1 + (1 << 20), 1 + (1 << 30), 2]
    places = table.places(rows)
    assert len(set(places)) == 4
    assert list(table.places(rows)) == list(places)


def test_equal_texts_and_texts_that_the_index_holds_are_not_paid_for() -> None:
    table = RowTexts()
    same, other, held, gone = (digest_of(name) for name in ("same", "other", "held", "gone"))
    texts = ((same, 10), (same, 10), (other, 5), (held, 0), (gone, 7))
    for place, (text, tokens) in zip(table.places(range(1, 6)), texts, strict=True):
        table.put(place, text, tokens)
    table.put(table.places([5])[0], 0, 0)
    assert table.newest() == (2, 15)
