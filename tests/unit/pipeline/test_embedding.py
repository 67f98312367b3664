"""Texts to vectors with an embedder that refuses, limits, breaks and bills as a provider does."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.embedding import embedding_of
from worker.clock import FakeClock
from worker.embed.fake import FakeConfig, FakeEmbedder
from worker.embed.port import Embeddings, Limits, Overlong, Price, Purpose, Terms
from worker.errors import (
    BrokenAnswerError,
    FatalError,
    LimitedError,
    RecordError,
    RetriableError,
    Stage,
    UnansweredError,
)
from worker.pipeline import errand as asking
from worker.pipeline.errand import Errand
from worker.pipeline.patience import Interrupted, Patience
from worker.spend.amount import Budget, Limit
from worker.spend.limited import LimitedPurse
from worker.state.memory import MemoryLog, MemoryStateTopic
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.model import Vector
    from worker.pipeline.texts import Embedded

DIMENSIONS = 32
(PROBE,) = asking.PROBE.texts
TEXTS = [f"row {number}" for number in range(10)]


class Provider:
    """Four texts a call; one token for each byte; refuses a whole call for one poison text."""

    def __init__(self) -> None:
        self._inner = FakeEmbedder(FakeConfig(dimensions=DIMENSIONS))
        self._lock = threading.Lock()
        self.model = self._inner.model
        self.limits = Limits(texts=4, in_flight=3)
        self.terms = Terms("fake", price=Price(2.0, "2026-11-26"))
        self.answered: Counter[str] = Counter()
        """How often each text was embedded, and so billed."""
        self.calls: list[list[str]] = []
        self.before: Callable[[Sequence[str]], None] = lambda texts: None
        self.spoil: Callable[[Sequence[str], Embeddings], Embeddings] = lambda texts, one: one

    def fail_first(self, *errors: BaseException) -> None:
        """Let the next calls raise these."""
        left = list(errors)

        def before(texts: Sequence[str]) -> None:
            with self._lock:
                if left:
                    raise left.pop(0)

        self.before = before

    def embed(
        self, texts: Sequence[str], purpose: Purpose, overlong: Overlong = Overlong.TRUNCATE
    ) -> Embeddings:
        with self._lock:
            self.calls.append(list(texts))
        self.before(texts)
        if any("poison" in text for text in texts):
            raise RecordError("fake answers 400", stage=Stage.EMBED, kind="TextRefused")
        with self._lock:
            self.answered.update(texts)
        vectors = self._inner.embed(texts, purpose).vectors
        tokens = sum(len(text) for text in texts)
        return self.spoil(texts, Embeddings(vectors, tokens))

    def close(self) -> None:
        self._inner.close()


class Scene:
    def __init__(
        self,
        rates: Rates | None = None,
        overlong: Overlong = Overlong.TRUNCATE,
        *,
        in_flight: int = 3,
        budget: int | None = None,
    ) -> None:
        self.provider = Provider()
        self.provider.limits = Limits(texts=4, in_flight=in_flight)
        self.clock = FakeClock()
        self.abort = threading.Event()
        self.is_needed: Callable[[], None] = lambda: None
        purse = None
        if budget is not None:
            topic, limit = MemoryStateTopic(MemoryLog()), Budget(Limit(tokens=budget))
            purse = LimitedPurse(topic, limit, connector="products", clock=self.clock)
        self.embedding = embedding_of(
            self.provider, self.clock, purse=purse, rates=rates, overlong=overlong
        )

    def embed(self, texts: Sequence[str], timeout_s: float | None = None) -> Embedded:
        patience = Patience(abort=self.abort, clock=self.clock, timeout_s=timeout_s)
        errand = Errand(patience, self.is_needed)
        return self.embedding(texts, ["products"] * len(texts), errand)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def expected(texts: Sequence[str]) -> list[Vector]:
    return list(
        FakeEmbedder(FakeConfig(dimensions=DIMENSIONS)).embed(texts, Purpose.DOCUMENT).vectors
    )


def assert_vectors(found: Sequence[Vector | None], texts: Sequence[str]) -> None:
    for vector, wanted in zip(found, expected(texts), strict=True):
        assert vector is not None
        np.testing.assert_array_equal(vector, wanted)


def refuse_unless(passes: Callable[[Sequence[str]], bool]) -> Callable[[Sequence[str]], None]:
    def before(texts: Sequence[str]) -> None:
        if not passes(texts):
            raise RecordError("fake answers 400", stage=Stage.EMBED, kind="TextRefused")

    return before


def void(_: object) -> None:
    """Whatever it is, nothing."""


def test_each_text_gets_its_own_vector_over_calls_that_are_full(scene: Scene) -> None:
    embedded = scene.embed(TEXTS)
    assert_vectors(embedded.vectors, TEXTS)
    assert sorted(len(call) for call in scene.provider.calls) == [2, 4, 4]
    assert embedded.failure is None


def test_the_bill_adds_up(scene: Scene) -> None:
    bill = scene.embed(TEXTS).bill
    assert (bill.requests, bill.texts, bill.tokens) == (3, 10, 50)
    assert bill.usd == pytest.approx(50 * 2.0 / 1e6)


def test_where_the_provider_names_no_tokens_the_bill_is_an_estimate(scene: Scene) -> None:
    scene.provider.spoil = lambda _, answer: replace(answer, tokens=0)
    embedded = scene.embed(TEXTS)
    assert 0 < embedded.bill.tokens == embedded.bill.estimated
    assert embedded.tokens_by_table == {"products": embedded.bill.tokens}
    assert embedded.bill.usd == pytest.approx(embedded.bill.tokens * 2.0 / 1e6)


def test_where_it_does_nothing_is_an_estimate(scene: Scene) -> None:
    assert scene.embed(TEXTS).bill.estimated == 0


def test_an_unusable_answer_and_the_short_text_after_it_are_on_the_bill() -> None:
    scene, left = Scene(in_flight=1), [True]

    def spoil(_: Sequence[str], answer: Embeddings) -> Embeddings:
        return replace(answer, vectors=answer.vectors[:-1]) if left and left.pop() else answer

    scene.provider.spoil = spoil
    bill = scene.embed(TEXTS[:4]).bill
    assert (bill.requests, bill.texts) == (3, 4)
    assert bill.tokens == 4 * len("row 0") + len(PROBE) + bill.estimated
    assert bill.estimated > 0, "nobody can read what an unusable answer says"


def test_what_was_paid_in_vain_is_on_the_bill_of_a_batch_that_fails(scene: Scene) -> None:
    scene.provider.spoil = lambda _, answer: replace(answer, vectors=answer.vectors[:-1])
    bill = scene.embed(TEXTS[:4]).bill
    assert (bill.requests, bill.texts) == (len(scene.provider.calls), 0)
    assert bill.tokens == bill.estimated > 0


def test_tokens_are_divided_among_the_tables_without_a_rest(scene: Scene) -> None:
    patience = Patience(abort=scene.abort, clock=scene.clock)
    tables = ["a", "b", "c", "a", "b", "c", "a", "b", "c", "a"]
    embedded = scene.embedding(TEXTS, tables, Errand(patience, lambda: None))
    assert embedded.tokens_by_table.total() == 50
    assert embedded.tokens_by_table.keys() == {"a", "b", "c"}


def test_calls_of_one_batch_run_side_by_side(scene: Scene) -> None:
    together = threading.Barrier(3, timeout=10)
    scene.provider.before = lambda _: void(together.wait())
    assert_vectors(scene.embed(TEXTS).vectors, TEXTS)


def test_a_poison_text_is_found_and_no_other_is_paid_twice(scene: Scene) -> None:
    texts = [*TEXTS[:6], "poison", *TEXTS[6:]]
    embedded = scene.embed(texts)
    assert set(embedded.refused) == {6}
    assert embedded.refused[6].kind == "TextRefused"
    assert_vectors([one for one in embedded.vectors if one is not None], TEXTS)
    assert set(scene.provider.answered.values()) == {1}


def test_a_poison_text_among_many_is_found_without_a_probe(scene: Scene) -> None:
    scene.provider.limits = Limits(texts=1000, in_flight=3)
    texts = [f"row {number}" for number in range(1000)]
    texts[618] = "poison"
    assert set(scene.embed(texts).refused) == {618}
    assert scene.provider.answered.total() == 999


def test_a_provider_that_begins_to_refuse_everything_drains_nothing(scene: Scene) -> None:
    scene.provider.limits = Limits(texts=100, in_flight=1)
    scene.provider.before = refuse_unless(lambda texts: "row 0" in texts)
    embedded = scene.embed([f"row {number}" for number in range(300)])
    assert embedded.refused == {}
    assert isinstance(embedded.failure, FatalError)
    assert "refuses every text" in str(embedded.failure)
    assert sum(vector is not None for vector in embedded.vectors) == 100
    assert len(scene.provider.calls) < 100, "and not two for each text"


def test_the_last_texts_of_a_batch_are_not_at_fault_where_a_probe_is_refused(scene: Scene) -> None:
    scene.provider.before = refuse_unless(lambda texts: "row 0" in texts)
    scene.provider.limits = Limits(texts=4, in_flight=1)
    embedded = scene.embed(TEXTS[:7])
    assert embedded.refused == {}
    assert isinstance(embedded.failure, FatalError)


def test_no_text_is_at_fault_where_the_batch_failed_before_another_one_passed(scene: Scene) -> None:
    def before(texts: Sequence[str]) -> None:
        if "poison" not in texts:
            raise FatalError("fake answers 401")

    scene.provider.before = before
    scene.provider.limits = Limits(texts=1, in_flight=1)
    embedded = scene.embed(["poison", "row 1"])
    assert embedded.refused == {}
    assert isinstance(embedded.failure, FatalError)


def test_a_text_that_is_refused_alone_is_at_fault_if_a_probe_passes(scene: Scene) -> None:
    embedded = scene.embed(["poison"])
    assert set(embedded.refused) == {0}
    assert embedded.failure is None


def test_a_probe_is_on_the_bill(scene: Scene) -> None:
    embedded = scene.embed(["poison"])
    (probe,) = scene.provider.answered
    assert (embedded.bill.requests, embedded.bill.texts) == (2, 0)
    assert embedded.bill.tokens == len(probe)
    assert embedded.bill.usd == pytest.approx(len(probe) * 2.0 / 1e6)


@pytest.mark.parametrize(
    "error", [UnansweredError("no answer in time"), BrokenAnswerError("two vectors for four texts")]
)
def test_a_call_that_may_have_been_billed_is_on_the_bill_as_an_estimate(
    scene: Scene, error: RetriableError
) -> None:
    scene.provider.fail_first(error)
    embedded = scene.embed(TEXTS[:4])
    answered = sum(len(text) * count for text, count in scene.provider.answered.items())
    assert embedded.bill.requests == len(scene.provider.calls)
    assert embedded.bill.estimated > 0
    assert embedded.bill.tokens == answered + embedded.bill.estimated


def test_where_there_is_a_budget_the_bill_of_such_a_call_is_no_higher_than_what_stays_spent() -> (
    None
):
    scene = Scene(in_flight=1, budget=10_000)
    scene.provider.spoil = lambda texts, answer: replace(answer, tokens=8 * len(texts))
    scene.embed([f"row {number} {'x' * 90}" for number in range(20)])
    before = scene.embedding.budget.spent.tokens
    scene.provider.fail_first(UnansweredError("reset"))
    bill = scene.embed([f"new row {number} {'x' * 90}" for number in range(4)]).bill
    assert bill.estimated > 0
    assert bill.tokens == scene.embedding.budget.spent.tokens - before


def test_in_an_outage_that_may_cost_money_a_short_text_goes_before_the_rows_texts(
    scene: Scene,
) -> None:
    scene.provider.fail_first(*[UnansweredError("no answer in time")] * 9)
    assert_vectors(scene.embed(TEXTS[:4]).vectors, TEXTS[:4])
    asked = scene.provider.calls
    assert asked[:3] == [TEXTS[:4]] * 3
    assert asked[3:] == [[PROBE]] * 7 + [TEXTS[:4]]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_texts_that_get_no_answer_together_are_asked_for_in_smaller_calls(
    scene: Scene, most: int
) -> None:
    """As where a time-out is too short for so many, or a proxy cuts what is long."""

    def cut(texts: Sequence[str]) -> None:
        if len(texts) > most:
            raise UnansweredError("no answer in time")

    scene.provider.before = cut
    embedded = scene.embed(TEXTS[:4], timeout_s=30.0)
    assert_vectors(embedded.vectors, TEXTS[:4])
    assert scene.provider.calls.count(TEXTS[:4]) == 5
    scene.provider.answered.pop(PROBE)
    assert set(scene.provider.answered.values()) == {1}
    assert embedded.bill.tokens >= sum(map(len, TEXTS[:4]))


def test_a_single_text_that_gets_no_answer_is_asked_for_until_it_does(scene: Scene) -> None:
    left = 20

    def cut(texts: Sequence[str]) -> None:
        nonlocal left
        if texts == TEXTS[:1] and left:
            left -= 1
            raise UnansweredError("no answer in time")

    scene.provider.before = cut
    assert_vectors(scene.embed(TEXTS[:1]).vectors, TEXTS[:1])
    assert scene.provider.calls.count(TEXTS[:1]) == 21


def test_a_single_cut_connection_costs_no_short_text(scene: Scene) -> None:
    scene.provider.fail_first(UnansweredError("reset"))
    scene.embed(TEXTS[:4])
    assert scene.provider.calls == [TEXTS[:4]] * 2


def test_a_call_that_the_provider_did_not_take_costs_nothing(scene: Scene) -> None:
    scene.provider.fail_first(RetriableError("503"), LimitedError("429", retry_after_s=1.0))
    assert scene.embed(TEXTS[:4]).bill.estimated == 0


def test_where_a_probe_is_refused_as_well_no_text_is_at_fault(scene: Scene) -> None:
    def refuse(_: Sequence[str]) -> None:
        raise RecordError("fake answers 400", stage=Stage.EMBED, kind="TextRefused")

    scene.provider.before = refuse
    embedded = scene.embed(TEXTS)
    assert embedded.refused == {}
    assert isinstance(embedded.failure, FatalError)
    assert "refuses every text" in str(embedded.failure)


@pytest.mark.parametrize(
    "error",
    [
        RetriableError("503"),
        LimitedError("429", retry_after_s=1.0),
        LimitedError("429", retry_after_s=90.0),
        UnansweredError("no answer in time"),
        BrokenAnswerError("two vectors for four texts"),
    ],
)
def test_what_an_outage_hit_is_asked_again_and_nothing_else(
    scene: Scene, error: RetriableError
) -> None:
    scene.provider.fail_first(error)
    assert_vectors(scene.embed(TEXTS).vectors, TEXTS)
    scene.provider.answered.pop(PROBE, None)
    assert set(scene.provider.answered.values()) == {1}


def test_a_wait_that_the_provider_asks_for_is_kept_to_the_letter(scene: Scene) -> None:
    scene.provider.fail_first(LimitedError("429", retry_after_s=90.0))
    before_s = scene.clock.now_s()
    scene.embed(TEXTS[:1])
    assert 90.0 <= scene.clock.now_s() - before_s < 92.0


def test_a_wait_longer_than_the_patience_ends_the_task(scene: Scene) -> None:
    scene.provider.fail_first(LimitedError("429", retry_after_s=90.0))
    embedded = scene.embed(TEXTS[:1], timeout_s=10.0)
    assert isinstance(embedded.failure, FatalError)
    assert "errors.retry.timeout: fake asks us to slow down" in str(embedded.failure)


def test_who_gives_up_in_an_outage_says_what_the_provider_answers(scene: Scene) -> None:
    def fail(_: Sequence[str]) -> None:
        raise RetriableError("the fake answers 503")

    scene.provider.before = fail
    embedded = scene.embed(TEXTS, timeout_s=10.0)
    assert isinstance(embedded.failure, FatalError)
    assert "errors.retry.timeout: the fake answers 503" in str(embedded.failure)


def test_what_was_answered_is_kept_when_another_call_fails_for_good(scene: Scene) -> None:
    together = threading.Barrier(3, timeout=10)

    def revoke(texts: Sequence[str]) -> None:
        together.wait()
        if "row 5" in texts:
            raise FatalError("the key is not valid any more")

    scene.provider.before = revoke
    embedded = scene.embed(TEXTS)
    assert isinstance(embedded.failure, FatalError)
    have = [index for index, vector in enumerate(embedded.vectors) if vector is not None]
    assert have == [0, 1, 2, 3, 8, 9]


def test_what_was_answered_is_kept_when_the_task_stops(scene: Scene) -> None:
    def stop(texts: Sequence[str]) -> None:
        if "row 5" in texts:
            scene.abort.set()
            raise LimitedError("429", retry_after_s=30.0)

    scene.provider.before = stop
    embedded = scene.embed(TEXTS)
    assert isinstance(embedded.failure, Interrupted)
    assert embedded.vectors[4] is None
    vectors = zip(TEXTS, embedded.vectors, strict=True)
    paid = {text for text, vector in vectors if vector is not None}
    assert paid == set(scene.provider.answered)


def test_an_answer_with_too_few_vectors_is_asked_for_again(scene: Scene) -> None:
    left = [True]

    def spoil(_: Sequence[str], answer: Embeddings) -> Embeddings:
        return Embeddings(answer.vectors[:-1], answer.tokens) if left and left.pop() else answer

    scene.provider.spoil = spoil
    assert_vectors(scene.embed(TEXTS[:4]).vectors, TEXTS[:4])


def test_where_answers_stay_unusable_each_text_is_paid_for_once(scene: Scene) -> None:
    scene.provider.spoil = lambda _, answer: Embeddings(answer.vectors[:-1], answer.tokens)
    embedded = scene.embed([f"row {number}" for number in range(100)])
    assert isinstance(embedded.failure, FatalError)
    assert "embedder.base.url" in str(embedded.failure)
    rows = [text for call in scene.provider.calls if call != [PROBE] for text in call]
    assert len(rows) == len(set(rows)) <= 12, "those of the calls that ran side by side"
    assert 5 <= scene.provider.answered[PROBE] <= 7, "no more than one for each of those calls"


def test_all_batches_together_find_out_that_answers_are_unusable(scene: Scene) -> None:
    scene.provider.spoil = lambda _, answer: Embeddings(0 * answer.vectors, answer.tokens)
    batches = [[f"row {batch} {number}" for number in range(8)] for batch in range(4)]
    with ThreadPoolExecutor(len(batches)) as threads:
        failures = {type(one.failure) for one in threads.map(scene.embed, batches)}
    assert failures == {FatalError}
    rows = [text for call in scene.provider.calls if call != [PROBE] for text in call]
    assert len(rows) == len(set(rows))
    assert scene.provider.answered[PROBE] <= 20


def test_who_comes_after_it_was_given_up_may_try_with_a_short_text(scene: Scene) -> None:
    scene.provider.spoil = lambda _, answer: Embeddings(answer.vectors[:-1], answer.tokens)
    scene.embed(TEXTS[:4])
    scene.clock.advance(60)
    scene.provider.calls.clear()
    assert isinstance(scene.embed(TEXTS[:4]).failure, FatalError)
    assert scene.provider.calls == [[PROBE]]
    scene.clock.advance(60)
    scene.provider.spoil = lambda _, answer: answer
    assert_vectors(scene.embed(TEXTS).vectors, TEXTS)


def test_where_the_budget_covers_no_short_text_any_more_a_rows_text_goes_at_once() -> None:
    scene, left = Scene(in_flight=1, budget=40), [True]

    def spoil(_: Sequence[str], answer: Embeddings) -> Embeddings:
        return replace(answer, vectors=answer.vectors[:-1]) if left and left.pop() else answer

    scene.provider.spoil = spoil
    assert_vectors(scene.embed(TEXTS[:1]).vectors, TEXTS[:1])
    assert scene.provider.calls == [TEXTS[:1], TEXTS[:1]]


def test_texts_whose_answers_alone_are_unusable_are_asked_for_three_times(scene: Scene) -> None:
    def spoil(texts: Sequence[str], answer: Embeddings) -> Embeddings:
        return Embeddings(answer.vectors[:-1], answer.tokens) if "row 1" in texts else answer

    scene.provider.spoil = spoil
    embedded = scene.embed(TEXTS[:4])
    assert isinstance(embedded.failure, FatalError)
    assert scene.provider.answered["row 1"] == 3


def test_a_provider_that_gives_usable_answers_again_is_trusted_again() -> None:
    scene = Scene(in_flight=1)
    left = [True] * 5

    def spoil(_: Sequence[str], answer: Embeddings) -> Embeddings:
        return Embeddings(answer.vectors[:-1], answer.tokens) if left and left.pop() else answer

    scene.provider.spoil = spoil
    assert_vectors(scene.embed(TEXTS).vectors, TEXTS)
    rows = [call for call in scene.provider.calls if call != [PROBE]]
    assert [len(call) for call in rows] == [4, 4, 4, 2], "one paid for twice"
    assert scene.provider.answered[PROBE] == 5, "four of them in vain"


def test_vectors_of_another_length_end_the_task(scene: Scene) -> None:
    scene.provider.spoil = lambda _, answer: Embeddings(answer.vectors[:, :16], answer.tokens)
    embedded = scene.embed(TEXTS[:1])
    assert isinstance(embedded.failure, FatalError)
    assert "embedder.dimensions" in str(embedded.failure)


def test_once_a_call_failed_for_good_the_rest_of_the_batch_is_not_sent() -> None:
    scene = Scene(in_flight=1)
    scene.provider.spoil = lambda _, answer: Embeddings(answer.vectors[:, :16], answer.tokens)
    embedded = scene.embed([f"row {number}" for number in range(100)])
    assert "embedder.dimensions" in str(embedded.failure)
    assert len(scene.provider.calls) == 1


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0])
def test_a_vector_that_nobody_can_use_fails_its_text_alone(scene: Scene, bad: float) -> None:
    def spoil(texts: Sequence[str], answer: Embeddings) -> Embeddings:
        vectors = answer.vectors.copy()
        vectors[[text == "row 2" for text in texts]] = bad
        return Embeddings(vectors, answer.tokens)

    scene.provider.spoil = spoil
    embedded = scene.embed(TEXTS)
    assert set(embedded.refused) == {2}
    assert embedded.refused[2].kind == "VectorUnusable"


def test_vectors_that_were_unusable_once_are_asked_for_again_and_blame_no_text() -> None:
    scene = Scene(in_flight=1)
    left = [True]

    def spoil(_: Sequence[str], answer: Embeddings) -> Embeddings:
        if not (left and left.pop()):
            return answer
        return Embeddings(np.full_like(answer.vectors, np.nan), answer.tokens)

    scene.provider.spoil = spoil
    embedded = scene.embed(TEXTS)
    assert embedded.refused == {}
    assert_vectors(embedded.vectors, TEXTS)
    assert scene.provider.answered.pop(PROBE) == 1
    assert scene.provider.answered.total() == 14, "four texts were paid for twice, no others"


def test_vectors_that_become_unusable_in_a_batch_blame_no_text(scene: Scene) -> None:
    def spoil(texts: Sequence[str], answer: Embeddings) -> Embeddings:
        return answer if "row 0" in texts else Embeddings(0 * answer.vectors, answer.tokens)

    scene.provider.spoil = spoil
    scene.provider.limits = Limits(texts=4, in_flight=1)
    embedded = scene.embed(TEXTS)
    assert embedded.refused == {}
    assert isinstance(embedded.failure, FatalError)


def test_between_broken_answers_there_is_some_time(scene: Scene) -> None:
    scene.provider.spoil = lambda _, answer: Embeddings(answer.vectors[:-1], answer.tokens)
    before_s = scene.clock.now_s()
    scene.embed(TEXTS[:4])
    assert scene.clock.now_s() - before_s >= 3.0


def test_a_model_that_makes_no_usable_vector_of_anything_ends_the_task(scene: Scene) -> None:
    scene.provider.spoil = lambda _, one: Embeddings(np.zeros_like(one.vectors), one.tokens)
    assert isinstance(scene.embed(TEXTS).failure, FatalError)


def test_no_call_is_made_for_an_answer_that_nobody_needs(scene: Scene) -> None:
    def gone() -> None:
        raise Interrupted

    scene.is_needed = gone
    embedded = scene.embed(TEXTS)
    assert scene.provider.calls == []
    assert isinstance(embedded.failure, Interrupted)


def test_a_text_that_is_too_long_for_the_model_is_cut_until_it_passes(scene: Scene) -> None:
    scene.provider.limits = Limits(texts=4, in_flight=3, text_tokens=10)

    def refuse_long(texts: Sequence[str]) -> None:
        if any(len(text) > 18 for text in texts):
            raise RecordError("fake answers 400", stage=Stage.EMBED, kind="TextRefused")

    scene.provider.before = refuse_long
    embedded = scene.embed(["short", "many words " * 20, "brief"])
    assert embedded.refused == {}
    assert scene.provider.answered == {"short": 1, "many words": 1, "brief": 1}
    assert embedded.bill.truncated == 1


def test_a_short_text_that_is_refused_is_not_cut(scene: Scene) -> None:
    scene.provider.limits = Limits(texts=4, in_flight=3, text_tokens=10)
    assert set(scene.embed(["short", "poison"]).refused) == {1}
    assert scene.provider.answered.keys() == {"short"}


def test_where_long_texts_are_to_fail_they_are_not_cut() -> None:
    scene = Scene(overlong=Overlong.FAIL)
    scene.provider.limits = Limits(texts=4, in_flight=3, text_tokens=10)
    assert set(scene.embed(["short", "poison " * 20]).refused) == {1}
    assert scene.provider.answered.keys() == {"short"}


def test_calls_keep_to_the_limits_per_minute() -> None:
    scene = Scene(Rates(inputs=4))
    before_s = scene.clock.now_s()
    assert_vectors(scene.embed(TEXTS).vectors, TEXTS)
    assert scene.clock.now_s() - before_s >= 90.0, "ten texts, four a minute"


def test_a_question_is_embedded_as_one(scene: Scene) -> None:
    patience = Patience(abort=scene.abort, clock=scene.clock)
    vector = scene.embedding.query("row 1", Errand(patience, lambda: None))
    np.testing.assert_array_equal(vector, expected(["row 1"])[0])
