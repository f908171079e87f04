"""Interleaved rounds, spreads, joint rates."""

from __future__ import annotations

from benchmarks.support.measure import Spread, Work, interleave, machine, rate, ratio, timed


def test_a_spread_is_the_median_with_the_extremes() -> None:
    spread = Spread.of([3.0, 1.0, 2.0])
    assert (spread.median, spread.low, spread.high) == (2.0, 1.0, 3.0)
    assert str(spread) == "2.00 [1.00, 3.00]"
    assert str(Spread.of([1234.5])) == "1234 [1234, 1234]"


def test_ratios_are_taken_round_by_round() -> None:
    assert ratio([2.0, 9.0], [1.0, 3.0]) == Spread(2.5, 2.0, 3.0)


def test_rounds_are_interleaved() -> None:
    order: list[str] = []

    def note(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = interleave(2, {"a": lambda: note("a"), "b": lambda: note("b")})
    assert order == ["a", "b", "a", "b"]
    assert found == {"a": [1.0, 3.0], "b": [2.0, 4.0]}


def test_a_joint_rate_counts_from_the_first_start_to_the_last_end() -> None:
    assert rate([Work(0.0, 2.0, 10.0), Work(1.0, 4.0, 10.0)]) == 5.0


def test_work_is_timed_and_the_machine_named() -> None:
    work = timed(lambda: 7.0)
    assert work.amount == 7.0
    assert work.ended >= work.started
    assert machine()["cores"].isdigit()
