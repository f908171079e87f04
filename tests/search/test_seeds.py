"""Seeds are those that studies were made with: an interrupted study goes on with the same numbers."""

from __future__ import annotations

import pytest

from search.pruning.audit import is_audited
from search.seeds import audit_draw, derive_seed, make_generator, sampler_seed, trial_seed


def test_seeds_are_those_of_the_first_release() -> None:
    assert [trial_seed(0, number) for number in range(4)] == [2968811710, 3964924996, 3141116543, 2613022947]
    assert [trial_seed(7, number) for number in (0, 123)] == [2083679832, 682066301]
    assert sampler_seed(6, 123) == trial_seed(7, 123)
    assert [derive_seed(*parts) for parts in ((3,), (0, 1, 2), (5, 0x5EED, 1, 9))] == [1576890651, 3884055042, 4041549687]


def test_audits_are_those_of_the_first_release() -> None:
    assert audit_draw(0, 0) == pytest.approx(0.9429375528828794, abs=0)
    assert audit_draw(7, 12) == pytest.approx(0.3790253052141108, abs=0)
    assert [number for number in range(60) if is_audited(0, number, 0.1)] == [4, 10, 32, 34, 46]


def test_generators_are_those_of_the_first_release() -> None:
    assert make_generator(0, 1, 2).permutation(8).tolist() == [7, 5, 1, 4, 0, 3, 6, 2]
