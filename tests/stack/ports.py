"""Free TCP ports of the loopback interface, and whether one answers."""

from __future__ import annotations

import random
import socket
from itertools import islice

HOST = "127.0.0.1"
SERVER_PORTS = (15_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on at this moment.

    They are below the range that Linux gives to outgoing connections, so that none of these
    takes the port of a server that is stopped for a while.
    """
    candidates = random.sample(range(*SERVER_PORTS), SERVER_PORTS[1] - SERVER_PORTS[0])
    free = (port for port in candidates if _can_bind(port))
    return list(islice(free, count))


def _can_bind(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0
