"""How far a run is, as lines for logs and pipes."""

from __future__ import annotations

import pytest

from worker.cli.progress import progress_line


@pytest.mark.parametrize(
    ("done", "total", "shown"),
    [
        (0, 0, "products: 0/0 rows, 0 rows/s, all there is"),
        (0, 1000, "products: 0/1,000 rows, 0 rows/s, waiting for the first row"),
        (250, 1000, "products: 250/1,000 rows, 50 rows/s, 15 s left"),
        (1000, 1000, "products: 1,000/1,000 rows, 200 rows/s, all there is"),
    ],
)
def test_a_line_says_what_is_done_and_what_is_left(done: int, total: int, shown: str) -> None:
    assert progress_line("products", done, total, seconds=5.0) == shown
