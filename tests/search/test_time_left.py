"""The time that is left, from steps whose times are known."""

from __future__ import annotations

import heapq
import random

import pytest

from search.time_left import TimeLeft


def test_nothing_is_said_before_a_step_has_ended() -> None:
    left = TimeLeft(2, 3, 10, 0.0)
    assert left.seconds(60.0) is None


def test_steps_that_were_finished_before_cost_nothing() -> None:
    left = TimeLeft(1, 8, 10, 0.0)
    left.count(9, 10, 60.0)
    assert left.seconds(60.0) == 60.0
    assert left.seconds(90.0) == 30.0
    assert left.seconds(200.0) == 0.0


def test_steps_that_are_dropped_take_no_time() -> None:
    left = TimeLeft(1, 0, 10, 0.0)
    left.count(1, 10, 60.0)
    assert left.seconds(60.0) == 9 * 60.0
    left.count(1, 4, 60.0)
    assert left.seconds(60.0) == 3 * 60.0
    left.count(4, 4, 240.0)
    assert left.seconds(240.0) == 0.0


def test_the_start_of_the_workers_is_not_expected_again() -> None:
    left = TimeLeft(2, 0, 12, 0.0)
    for finished, now in enumerate((100.0, 100.0, 110.0, 110.0), start=1):
        left.count(finished, 12, now)
    assert left.seconds(110.0) == 40.0


@pytest.mark.parametrize("workers", [1, 2, 3, 16])
def test_the_estimate_is_right_whatever_the_workers(workers: int) -> None:
    generator, steps = random.Random(workers), 48
    costs = [generator.uniform(90.0, 110.0) for _ in range(steps)]
    free, ends = [0.0] * workers, list[float]()
    for cost in costs:
        ends.append(heapq.heappop(free) + cost)
        heapq.heappush(free, ends[-1])
    ends.sort()
    left = TimeLeft(workers, 0, steps, 0.0)
    for finished, now in enumerate(ends, start=1):
        left.count(finished, steps, now)
        told = left.seconds(now)
        assert told is not None
        # What the steps so far cost says what one costs within a tenth; the last step ends for itself.
        assert abs(told - (ends[-1] - now)) < 110.0 + 0.1 * (ends[-1] - now)
