"""The SDK's answers, prepared so that several threads may read their first one at the same time.

msgspec works out how to decode a class when that is first asked for. Two threads that ask first at
the same time end the process with SIGSEGV (seen with msgspec 0.22.0 on Python 3.11), and a worker
with two connectors, or with two batches in flight, does just that.
"""

from __future__ import annotations

import msgspec
from pinecone._internal.adapters.indexes_adapter import _IndexListEnvelope
from pinecone.models.indexes.index import IndexModel
from pinecone.models.namespaces.models import ListNamespacesResponse, NamespaceDescription
from pinecone.models.vectors.responses import (
    DescribeIndexStatsResponse,
    FetchResponse,
    ListResponse,
    QueryResponse,
    UpsertResponse,
)

ANSWERS = (
    IndexModel,
    _IndexListEnvelope,
    DescribeIndexStatsResponse,
    UpsertResponse,
    FetchResponse,
    QueryResponse,
    ListResponse,
    ListNamespacesResponse,
    NamespaceDescription,
)
"""What the calls of the store return."""

for _answer in ANSWERS:
    msgspec.json.Decoder(_answer)  # what it works out stays with the class
