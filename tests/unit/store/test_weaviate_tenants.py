"""Names of tenants: valid ones, and back again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import FatalError
from worker.store.weaviate_tenants import namespace_of, tenant_of

VALID = re.compile(r"[A-Za-z0-9_-]{1,64}")
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(NAMES)
def test_a_namespace_comes_back_from_its_tenant(namespace: str) -> None:
    tenant = tenant_of(namespace)
    assert VALID.fullmatch(tenant)
    assert namespace_of(tenant) == namespace


@given(st.from_regex(VALID, fullmatch=True))
def test_a_tenant_of_others_has_one_namespace(tenant: str) -> None:
    namespace = namespace_of(tenant)
    assert namespace == tenant or tenant_of(namespace) == tenant


def test_the_names_of_topics_can_be_read() -> None:
    assert tenant_of("shop.public.order_lines") == "shop_2epublic_2eorder_5flines"


@pytest.mark.parametrize("namespace", ["x" * 65, "." * 22, "\ud800"])
def test_what_cannot_be_a_tenant_is_fatal(namespace: str) -> None:
    with pytest.raises(FatalError, match=r"store\.namespace"):
        tenant_of(namespace)
