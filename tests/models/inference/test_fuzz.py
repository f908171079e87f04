"""Whatever stands in a bundle, it is read as a model that scores, or refused by a BundleError of one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from models.errors import BundleError
from models.inference.bundle import Bundle, read_bundle, write_bundle
from models.inference.bundle_schema import HASH, MODEL, WEIGHTS, SourceData, read_form, seal
from tests.support.bundles import ensemble
from tests.support.fuzzing import LENGTHS, bounded, edited_bytes, edited_text, edited_values

EXAMPLES = {"few": 100, "many": 1500}
ABOUT = {"study": "tiny", "trial": 1, "seed": 1, "fingerprint": "f" * 64, "held_out_pits": ["p1"], "versions": {"torch": "2"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path, Bundle(ensemble(members=1), 0.25, 0.05, ABOUT, SourceData("tiny", "candidate", 0.5, ("1:2",))))
    return tmp_path


def read(folder: Path) -> None:
    try:
        bundle = read_bundle(folder)
    except BundleError as error:
        assert len(str(error).splitlines()) == 1
        assert len(str(error)) < 1000
    else:
        assert 0 <= bundle.threshold <= 1.1


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("number", [3, 4])
def test_values_of_model_json(folder: Path, number: int, length: str) -> None:
    values = json.loads((folder / MODEL).read_text())
    del values[HASH]

    @bounded(EXAMPLES[length] // 2)
    @given(edited_values({**values, "format": number}))
    def check(changed: Any) -> None:
        # With the right hash, so that types and bounds alone decide.
        plain = json.loads(json.dumps(changed))  # whose keys are all text, as a file's are
        sealed = seal(plain) if number == 4 else plain
        (folder / MODEL).write_text(json.dumps(sealed), encoding="utf-8")
        read(folder)

    check()


@pytest.mark.parametrize("length", LENGTHS)
def test_text_of_model_json(folder: Path, length: str) -> None:
    @bounded(EXAMPLES[length])
    @given(edited_text((folder / MODEL).read_text()))
    def check(text: str) -> None:
        with pytest.raises(BundleError, match=r"^model\.json: [^\n]*$"):
            read_form(text.encode("utf-8", "surrogatepass") + b" ?", "model.json")

    check()


@pytest.mark.parametrize("length", LENGTHS)
def test_bytes_of_the_weights(folder: Path, length: str) -> None:
    @bounded(EXAMPLES[length] // 2)
    @given(edited_bytes((folder / WEIGHTS).read_bytes()))
    def check(content: bytes) -> None:
        (folder / WEIGHTS).write_bytes(content)
        read(folder)

    check()
