"""A model scores an array in Python by the same rules as a data set: what it was not made for is refused in a line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.errors import BundleError
from models.inference.bundle import Bundle
from models.inference.bundle_schema import SourceData
from models.inference.ensemble import Ensemble
from tests.support.bundles import ensemble
from tests.support.toys import LIGHTS, crops

NAMES = [light.name for light in LIGHTS]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle(ensemble(), 0.25, 0.05, {}, SourceData("tiny", "candidate", 0.5))


def test_an_array_is_scored_as_a_data_set_is(bundle: Bundle) -> None:
    scores = bundle.score(crops(5), channels=NAMES, pixel_um=0.51)
    assert np.array_equal(scores, bundle.ensemble.scores(crops(5)))
    assert bundle.score(crops(5)[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (crops(3)[:, :4], {}, "for the channels"),
        (crops(3)[..., 1:, 1:], {}, "crops must be an array"),
        (crops(3)[0], {}, "crops must be an array"),
        (crops(3).tolist(), {}, "but got list"),
        (crops(3).astype(np.float32) / 255, {}, "must be uint8 as the microscope stored them, never scaled, but got float32"),
        (crops(3).astype(np.uint16), {}, "must be uint8"),
        (crops(3), {"channels": NAMES[::-1]}, "in that order, but got"),
        (crops(3), {"pixel_um": 2.5}, r"the pixel size in micrometres that the model was made for \(0\.5\), but has \(2\.5\)"),
    ],
)
def test_what_a_model_was_not_made_for_is_refused(bundle: Bundle, values: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        bundle.score(values, **options)
    assert len(str(caught.value).splitlines()) == 1


def test_values_beyond_the_cameras_bits_are_refused() -> None:
    made = ensemble()
    twelve = Bundle(Ensemble(made.config, made.members, made.lights, made.size, 4095), 0.25, 0.05, {})
    values = np.full((1, len(NAMES), made.size, made.size), 5000, np.uint16)
    with pytest.raises(BundleError, match="must have values up to 4095, but got 5000"):
        twelve.score(values)
