"""How gRPC keeps its connections, which by itself it does for servers that never go away."""

from __future__ import annotations

from typing import Final

import grpc

OPTIONS: Final = {
    "grpc.max_send_message_length": -1,
    "grpc.max_receive_message_length": -1,
    "grpc.max_reconnect_backoff_ms": 1_000,
    "grpc.use_local_subchannel_pool": 1,
}
"""Of a channel: it looks for a server that was away every second, not every two minutes in the end,
and shares no connection with another channel, so that a new channel is a new connection."""


def is_silence(error: Exception) -> bool:
    """Whether the answer has not come in time, so that the connection may be dead.

    gRPC stays with a connection that the network has lost until the kernel gives it up, a quarter
    of an hour later: https://github.com/grpc/grpc/blob/master/doc/keepalive.md. Its own remedy are
    pings, for which servers by default end the connection of who sends more than one in 5 minutes.
    """
    return isinstance(error, grpc.RpcError) and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
