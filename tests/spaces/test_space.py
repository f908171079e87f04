"""`Space`: what is written is read again, a broken file says where, and a file may bring a scheme of its own."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spaces.axes import AXES, Domain, Range
from spaces.config import TABLES, Config
from spaces.errors import SpaceError
from spaces.space import Space
from spaces.suggest import suggest
from tests.support.channels import LABELS, QMUL


def domains(key: str) -> st.SearchStrategy[Domain]:
    """Any domain that an axis allows."""
    axis = AXES[key]
    if axis.least is None or axis.most is None:
        table = TABLES.get(axis.target or key)
        name = st.sampled_from(sorted(table)) if table else st.text("ab10._-\"' ä", min_size=1, max_size=5)
        return st.lists(name, min_size=1, max_size=4, unique=True).map(tuple)
    if axis.among:
        return st.lists(st.sampled_from(axis.among), min_size=1, unique=True).map(tuple)
    least, most = axis.least, axis.most
    whole = st.integers(max(1, math.ceil(least)), max(1, int(most)))
    number: st.SearchStrategy[float] = (
        whole if axis.whole else (whole if most >= 1 else st.nothing()) | st.floats(max(least, 1e-8), most)
    )
    ranges = st.builds(lambda ends, log: Range(min(ends), max(ends), log), st.tuples(number, number), st.booleans())
    return ranges | st.lists(number, min_size=1, max_size=4, unique=True).map(tuple)


spaces = st.fixed_dictionaries({}, optional={key: domains(key) for key in AXES}).map(Space)


@settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(space=spaces)
def test_a_space_that_is_written_is_read_again(space: Space, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(space.write(), encoding="utf-8")
    for again in (Space.read(tmp_path / "space.toml"), Space.from_dict(json.loads(json.dumps(space.to_dict())))):
        assert again == space
        for key, domain in space.chosen.items():
            found = again.chosen[key]
            assert not isinstance(found, Range) or found.whole == (isinstance(domain, Range) and domain.whole)


def test_a_file_may_be_written_in_every_way_of_toml(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(
        """\
# what we want to know
labelling = "binary"
balance = ["none", "weighted"]
optimiser.name = ["sgd"]
network = { depth = 3, width = [8, 16] }

[optimiser.learning_rate]
low = 1e-3
high = 1
log = true

[channels]
mode = ["stacked", "examples"]
"""
    )
    assert Space.read(tmp_path / "space.toml") == Space(
        {
            "labelling.scheme": ("binary",),
            "balance.name": ("none", "weighted"),
            "optimiser.name": ("sgd",),
            "network.depth": (3,),
            "network.width": (8, 16),
            "optimiser.learning_rate": Range(1e-3, 1, log=True),
            "channels.mode": ("stacked", "examples"),
        }
    )


NUMBERS = "`network.depth` must have numbers as low and high, true or false as log, but got "
SHAPE = "`network.depth` must be written {low = ..., high = ..., log = true}, but got "
BROKEN = {
    "unknown key": (
        'labelling = ["binary"]\nlost = "focal"\n',
        2,
        f"`lost` must be an axis of the space ({', '.join(AXES)}); ",
    ),
    "unknown key of a table": ("\n[network]\ndepth = 2\nheads = 2\n", 4, "`network.heads` must be an axis of the space ("),
    "unknown table": ('[optimizer]\nname = "sgd"\n', 2, "`optimizer.name` must be an axis of the space ("),
    "unknown choice": (
        '[network]\nname = "x"\n[optimiser]\n\nname = "lyon"\n',
        2,
        "`network.name` must be one of pitnet, minihip, ",
    ),
    "second section": (
        '[network]\nname = "pitnet"\n[optimiser]\nname = "lyon"\n',
        4,
        "`optimiser.name` must be one of sgd, nesterov, adam",
    ),
    "dotted key": ('balance = "none"\noptimiser.name = "lyon"\n', 2, "`optimiser.name` must be one of sgd, nesterov, adam"),
    "inline table": ('balance = "none"\nnetwork = { depth = 9 }\n', 2, "`1 <= network.depth <= 6` must hold, but got 9; "),
    "empty list": ("\n\nbalance = []\n", 3, "`balance.name` must offer at least one choice, but got an empty list; "),
    "twice the same": (
        "[network]\nwidth = [8, 16, 8]\n",
        2,
        "`network.width` must offer each choice once, but got [8, 16, 8]; ",
    ),
    "range for names": (
        "[optimiser]\nname = { low = 1, high = 2 }\n",
        2,
        "`optimiser.name` must be a list of names, but got a range",
    ),
    "low above high": ("[network]\ndepth = { low = 4, high = 2 }\n", 2, "`low <= high` must hold, but got (low=4, high=2); "),
    "low above high in a section": (
        "\n\n[network.depth]\nlow = 4\nhigh = 2\n",
        3,
        "`low <= high` must hold, but got (low=4, high=2); ",
    ),
    "log from nothing": (
        "\n[optimiser]\nweight_decay = { low = 0.0, high = 1.0, log = true }\n",
        3,
        "`low > 0` must hold on a logarithmic range, but got low=0; ",
    ),
    "log in words": ('[network]\ndepth = { low = 1, high = 2, log = "yes" }\n', 2, NUMBERS),
    "ends in words": ('[network]\ndepth = { low = "a", high = 2 }\n', 2, NUMBERS),
    "half a range": ("[network]\ndepth = { low = 1 }\n", 2, SHAPE),
    "more than a range": ("[network]\ndepth = { low = 1, high = 2, step = 1 }\n", 2, SHAPE),
    "true for a number": (
        "[network]\ndepth = true\n",
        2,
        "`network.depth` must be a name, a number, a list of them, or a range, ",
    ),
    "a date": (
        "balance = 2024-01-01\n",
        1,
        "`balance.name` must be a name, a number, a list of them, or a range, but got datetime",
    ),
    "a list of lists": (
        "[network]\ndepth = [[2]]\n",
        2,
        "`network.depth` must be a name, a number, a list of them, or a range, ",
    ),
    "text for a number": ('[network]\ndepth = "deep"\n', 2, "`network.depth` must be a whole number, but got 'deep'; "),
    "a part of a number": ("[network]\ndepth = 2.5\n", 2, "`network.depth` must be a whole number, but got 2.5; "),
    "beyond the bounds": ("[optimiser]\nbatch_size = 1\n", 2, "`2 <= optimiser.batch_size <= 65536` must hold, but got 1; "),
}


@pytest.mark.parametrize(("text", "number", "start"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_gets_one_line_with_its_place(tmp_path: Path, text: str, number: int, start: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpaceError) as caught:
        Space.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{number}: {start}")
    assert message.endswith(
        ("correct it.", "correct or remove it.", "write the names.", "remove the key.", "repeated one.", "was meant.")
    )
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"balance = [\n", "Invalid value (at end of document)"),
        (b'balance = "none"\nbalance = "none"\n', "Cannot overwrite a value (at line 2, column 17)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (None, "[Errno 2] No such file or directory: 'PATH'"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "space.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpaceError) as caught:
        Space.read(path)
    assert str(caught.value) == f"{path}: a space file must be readable TOML, but: {reason}; correct it.".replace(
        "PATH", str(path)
    )


def test_a_space_made_by_hand_is_checked_too() -> None:
    with pytest.raises(SpaceError, match="must be an axis of the space"):
        Space({"depth": (3,)})
    with pytest.raises(SpaceError, match="must hold, but got 9"):
        Space.from_dict({"network.depth": [9]})


OWN = """\
labelling = ["binary", "cones"]

[schemes.cones]
candidate = "signal"
top = "cone"
bottom = "cone"
misc = "dirt"
"""


def test_a_space_file_may_bring_a_labelling_scheme_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(OWN)
    space = Space.read(tmp_path / "space.toml")
    assert space.schemes == {"cones": {"candidate": "signal", "top": "cone", "bottom": "cone", "misc": "dirt"}}
    assert Space.from_dict(json.loads(json.dumps(space.to_dict()))) == space
    (tmp_path / "again.toml").write_text(space.write())
    assert Space.read(tmp_path / "again.toml") == space
    fitted = space.fit(LABELS, QMUL)
    assert fitted.positive("candidate") == "candidate"
    config = suggest(optuna.create_study().ask(), Space({**fitted.chosen, "labelling.scheme": ("cones",)}, fitted.schemes))
    assert config.labelling.classes == ("candidate", "cone", "dirt")
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(SpaceError, match=r"`labelling\.scheme = cones` needs the labels bottom, candidate, misc, top, but"):
        space.fit(("candidate", "top", "bottom"), QMUL)


@pytest.mark.parametrize(
    ("text", "number", "start"),
    [
        ('labelling = "x"\n[schemes.x]\ntop = "surface"\n', 2, "scheme 'x' must give one label the class 'signal' and another"),
        ('[schemes.binary]\ntop = "signal"\n', 1, "`schemes.binary` must have a name of its own, but 'binary' is taken;"),
        ('[schemes]\nx = "signal"\n', 2, "`schemes.x` must be a table label -> class, but got 'signal';"),
        ("schemes = 3\n", 1, "`schemes.schemes` must be a table label -> class, but got 3;"),
        ('labelling = "y"\n[schemes.x]\na = "signal"\nb = "c"\n', 1, "`labelling.scheme` must be one of binary, "),
    ],
)
def test_a_broken_scheme_gets_one_line_with_its_place(tmp_path: Path, text: str, number: int, start: str) -> None:
    (tmp_path / "space.toml").write_text(text)
    with pytest.raises(SpaceError, match=re.escape(f"space.toml:{number}: {start}")):
        Space.read(tmp_path / "space.toml")


def test_a_space_asks_one_question() -> None:
    assert Space({"labelling.scheme": ("top-bottom",)}).positive("candidate") == "top"
    assert Space({"labelling.scheme": ("top-bottom",)}).named == {"top", "bottom"}
    with pytest.raises(SpaceError, match="must ask one question of all trials, but binary, top-bottom score different labels;"):
        Space({"labelling.scheme": ("binary", "top-bottom")}).positive("candidate")
