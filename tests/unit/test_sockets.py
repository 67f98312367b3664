"""A wait for somebody who has stopped to answer comes to an end."""

from __future__ import annotations

import socket
import time

from worker.sockets import ended_after


def test_a_wait_that_is_too_long_ends_as_if_the_other_side_had_gone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ended_after(ours.fileno(), 0.1):
        assert ours.recv(1) == b""


def test_what_ends_in_time_keeps_its_connection() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for _ in range(2):
            with ended_after(ours.fileno(), 0.1):
                theirs.send(b"x")
                assert ours.recv(1) == b"x"
        time.sleep(1.2)
        theirs.send(b"y")
        assert ours.recv(1) == b"y"
