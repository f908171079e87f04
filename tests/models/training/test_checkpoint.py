"""A training that is packed and taken up goes on as if nothing had been: the same numbers, bit for bit, of every choice."""

from __future__ import annotations

import itertools
import math
import multiprocessing
from collections.abc import Collection, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save
from timm.optim import get_optimizer_info, list_optimizers

from foils import Dataset, load
from foils.folds import fold_numbers
from models.errors import CheckpointError
from models.networks.blocks import generators
from models.process import one_thread
from models.training import checkpoint
from models.training.checkpoint import pack_fold, restore_fold
from models.training.cross_validation import start_fold
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from spaces.choices.augmentation import PERTURBATIONS, TURNINGS, Augmentation
from spaces.choices.balance import BALANCES, Balance
from spaces.choices.channels import Channels
from spaces.choices.detectors import DETECTORS
from spaces.choices.labelling import Labelling
from spaces.choices.losses import LOSSES, Loss
from spaces.choices.networks import NETWORKS, NORMS, Network
from spaces.choices.normalisation import NORMALISATIONS
from spaces.choices.optimisers import OPTIMISERS, SCHEDULES, Optimiser
from spaces.config import Config
from tests.models.networks.test_build import FORMS, NAMED, channels_of
from tests.models.training.test_optimisers import ELSEWHERE, USABLE
from tests.models.training.test_perturbation import AMOUNTS

SMALL = Config(network=Network("pitnet", depth=2, width=4), optimiser=Optimiser("adamw", 3e-3, batch_size=16))
# One of each class of timm's, but those of OPTIMISERS and those that test_optimisers leaves out, and wrapped ones.
NAMES = map(str, list_optimizers(exclude_filters=["*kron*", *ELSEWHERE]))
CLASSES = {get_optimizer_info(name).opt_class: name for name in NAMES}
LISTED = {get_optimizer_info(kind.timm).opt_class for kind in OPTIMISERS.values()}
OTHERS = [*(name for made, name in CLASSES.items() if made not in LISTED), "lookahead_adamp", "lookahead_lamb"]


def start(data: Dataset, config: Config = SMALL, *, epochs: int = 3, fold: int = 0, seed: int = 0) -> FoldTraining:
    task = make_task(data, config, epochs=epochs, working_point=0.1)
    return start_fold(task, folds_of(data), fold, seed, 0)


@cache
def folds_of(data: Dataset) -> npt.NDArray[np.int64]:
    return fold_numbers(data, 5, 0)


def taken_up(data: Dataset, training: FoldTraining) -> FoldTraining:
    """Give the training that goes on from another's bytes."""
    made = start_fold(training.task, folds_of(data), 0, 0, 0)
    restore_fold(made, pack_fold(training))
    return made


def cut(data: Dataset, config: Config, at: Collection[int], *, epochs: int = 3, scored: Collection[int] = ()) -> FoldTraining:
    """Train, packed and taken up after these epochs, and scored after those."""
    training = start(data, config, epochs=epochs)
    for epoch in range(epochs + 1):
        training.advance(epoch)
        if epoch in scored and epoch:
            training.scores()
        if epoch in at:
            training = taken_up(data, training)
    return training


def everything(training: FoldTraining) -> dict[str, Any]:
    """Give all that two trainings must have in common."""
    drawn = [generator.get_state() for generator in generators(training.classifier)]
    return {
        "losses": [training.train_loss, training.validation_loss],
        "tensors": checkpoint._tensors(training),
        "optimiser": training.optimiser.state_dict(),
        "drawn": [training._generator.get_state(), *drawn],
        "logits": training._logits,
    }


def assert_equal(got: object, expected: object, place: str = "") -> None:
    """Compare bit by bit, with types and the order in memory."""
    assert type(got) is type(expected), place
    if isinstance(got, torch.Tensor) and isinstance(expected, torch.Tensor):
        assert (got.dtype, got.shape, got.stride()) == (expected.dtype, expected.shape, expected.stride()), place
        assert got.requires_grad == expected.requires_grad, place
        assert torch.equal(bits(got), bits(expected)), place
    elif isinstance(got, Mapping) and isinstance(expected, Mapping):
        assert got.keys() == expected.keys(), place
        for key in expected:
            assert_equal(got[key], expected[key], f"{place}/{key}")
    elif isinstance(got, list | tuple) and isinstance(expected, list | tuple):
        assert len(got) == len(expected), place
        for number, (one, other) in enumerate(zip(got, expected, strict=True)):
            assert_equal(one, other, f"{place}/{number}")
    else:
        assert repr(got) == repr(expected), place


def bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def assert_cuts_change_nothing(data: Dataset, config: Config, at: Collection[int] = (1,), epochs: int = 2) -> FoldTraining:
    whole, pieces = cut(data, config, (), epochs=epochs), cut(data, config, at, epochs=epochs)
    assert_equal(everything(pieces), everything(whole))
    assert_equal(everything(taken_up(data, whole)), everything(whole))
    assert np.array_equal(pieces.scores(), whole.scores())
    assert (pieces.score(), pieces.accuracy(), pieces.evidence()) == (whole.score(), whole.accuracy(), whole.evidence())
    return whole


@pytest.mark.parametrize("name", [*USABLE, *(f"timm:{name}" for name in OTHERS)])
def test_every_optimiser(tiny: Dataset, name: str) -> None:
    # Of seven steps an epoch, so that Lookahead takes one of its own, the sixth, on either side.
    given: dict[str, Any] = {"batch_size": 8, "momentum": 0.5, "warmup": 0.2, "clip": 0.5, "average": 0.9}
    whole = assert_cuts_change_nothing(tiny, replace(SMALL, optimiser=replace(SMALL.optimiser, name=name, **given)))
    assert (whole.epoch, whole.steps) == (2, 7)
    assert np.isfinite(whole.train_loss).all()


def test_muon_keeps_nothing_that_no_checkpoint_holds() -> None:
    # It may not run here. Its state is that of AdamW for vectors; this is what it adds, with its settings as they are.
    state = {"use_muon": True, "momentum_buffer": torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last)}
    settings = {"ns_coefficients": "original", "betas": (0.9, 0.95), "fallback_list": None, "nesterov": True, "eps": 1e-7}
    assert_equal(through({0: state, "settings": settings}), {0: state, "settings": settings})


def test_an_optimisers_state_keeps_its_own_types() -> None:
    weight = torch.nn.Parameter(torch.zeros(2, 3))
    state = {"exact": torch.zeros(2, dtype=torch.float64), "count": 3, "way": "up", "parts": [torch.ones(1), None]}
    groups = [{"lr": 0.5, "step": torch.tensor(4), "params": [0]}]
    optimiser = torch.optim.SGD([weight], 0.1)
    checkpoint._take_optimiser(optimiser, {"state": {0: state}, "param_groups": groups})
    assert_equal(dict(optimiser.state[weight]), state)
    assert optimiser.param_groups[0]["params"][0] is weight
    assert (optimiser.param_groups[0]["lr"], int(optimiser.param_groups[0]["step"])) == (0.5, 4)


@pytest.mark.parametrize(("schedule", "warmup"), [*((name, 0.0) for name in SCHEDULES), ("constant", 0.3), ("step", 0.3)])
@pytest.mark.parametrize("name", ["nesterov", "adam"])
def test_every_schedule(tiny: Dataset, name: str, schedule: str, warmup: float) -> None:
    optimiser = replace(SMALL.optimiser, name=name, schedule=schedule, warmup=warmup)
    whole = assert_cuts_change_nothing(tiny, replace(SMALL, optimiser=optimiser), (1, 2), 3)
    # What timm's schedules keep beside the rates is what they began with.
    begun = start(tiny, replace(SMALL, optimiser=optimiser)).schedule
    assert (whole.schedule is None) == (begun is None) == (schedule == "constant" and not warmup)
    if whole.schedule is not None and begun is not None:
        assert whole.schedule.state_dict() == begun.state_dict()


DROPOUT: Mapping[str, Any] = {"dropout": 0.3}
NETWORK_FORMS = [
    *((replace(NAMED[name], **(DROPOUT if "dropout" in NETWORKS[name].varies else {})), mode) for name, mode in FORMS),
    *((replace(NAMED["pitnet"], norm=norm), mode) for norm in NORMS for mode in ("stacked", "volume")),
]


@pytest.mark.parametrize(("network", "mode"), NETWORK_FORMS)
def test_every_network_in_every_mode_and_every_norm(tiny: Dataset, network: Network, mode: str) -> None:
    optimiser = replace(SMALL.optimiser, batch_size=32)
    config = replace(SMALL, network=network, channels=channels_of(mode), optimiser=optimiser)
    whole = assert_cuts_change_nothing(tiny, config)
    assert len(generators(whole.classifier)) == bool(network.dropout)


def test_a_network_of_timm(tiny: Dataset) -> None:
    optimiser = replace(SMALL.optimiser, batch_size=32, average=0.9)
    assert_cuts_change_nothing(tiny, replace(SMALL, network=Network("timm:resnet10t"), optimiser=optimiser))


AUGMENTED = [
    *(Augmentation(name) for name in ("turned", "symmetries")),
    *(Augmentation(**{name: amount}) for name, amount in AMOUNTS.items()),
    Augmentation("symmetries", **AMOUNTS),
]


@pytest.mark.parametrize("augmentation", AUGMENTED, ids=str)
def test_every_augmentation(tiny: Dataset, augmentation: Augmentation) -> None:
    channels = Channels("stacked" if TURNINGS[augmentation.turns].moves_lights or augmentation.turns == "none" else "examples")
    assert_cuts_change_nothing(tiny, replace(SMALL, channels=channels, augmentation=augmentation))
    assert set(AMOUNTS) == set(PERTURBATIONS)


CHOICES = [
    *(replace(SMALL, balance=Balance(name, 1.5)) for name in BALANCES),
    *(replace(SMALL, loss=Loss(name)) for name in LOSSES),
    *(replace(SMALL, normalisation=name) for name in NORMALISATIONS),
    replace(SMALL, labelling=Labelling("four-way"), channels=Channels("stacked", features="fourier")),
]


@pytest.mark.parametrize("config", CHOICES, ids=Config.describe)
def test_every_balance_loss_and_normalisation(tiny: Dataset, config: Config) -> None:
    assert_cuts_change_nothing(tiny, config)


def of_background(detector: str, average: float = 0.0) -> Config:
    optimiser = replace(SMALL.optimiser, average=average)
    return replace(
        SMALL,
        labelling=Labelling("anomaly", detector=detector),
        optimiser=optimiser,
        network=replace(SMALL.network, dropout=0.2),
        augmentation=Augmentation("symmetries", noise=0.01),
    )


@pytest.mark.parametrize(("detector", "average"), list(itertools.product(DETECTORS, (0.0, 0.9))))
def test_every_model_of_background_whenever_it_is_fitted(tiny: Dataset, detector: str, average: float) -> None:
    config = of_background(detector, average)
    whole = assert_cuts_change_nothing(tiny, config)
    expected = dict(whole.eval_model.state_dict())
    for scored in ((1,), (1, 2)):
        pieces = cut(tiny, config, (1, 2), epochs=2, scored=scored)
        assert np.array_equal(pieces.scores(), whole.scores())
        assert_equal(pieces.train_loss + pieces.validation_loss, whole.train_loss + whole.validation_loss)
        assert_equal(dict(pieces.eval_model.state_dict()), expected)


def test_a_model_of_background_without_numbers_does_not_remember_an_earlier_one(tiny: Dataset) -> None:
    for scored in ((), (1,)):
        training = cut(tiny, of_background("neighbours"), (), epochs=1, scored=scored)
        for made in (training, taken_up(tiny, training)):
            with torch.no_grad():
                made.classifier.get_parameter("network.body.blocks.0.weight").fill_(math.nan)
            made._stale = True  # type: ignore[attr-defined]  # of AnomalyTraining
            assert math.isnan(float(made.eval_model.detector.reference))  # type: ignore[arg-type, union-attr]


EPOCHS = 5


@pytest.fixture(scope="module")
def drawing() -> Config:
    """Give a configuration in which all that can be random is."""
    optimiser = replace(SMALL.optimiser, average=0.9, warmup=0.2)
    return replace(
        SMALL,
        network=replace(SMALL.network, dropout=0.3),
        augmentation=Augmentation("symmetries", **AMOUNTS),
        balance=Balance("sampled"),
        optimiser=optimiser,
    )


@pytest.fixture(scope="module")
def whole(tiny: Dataset, drawing: Config) -> FoldTraining:
    return cut(tiny, drawing, (), epochs=EPOCHS)


@settings(max_examples=12, derandomize=True, deadline=None)
@given(at=st.sets(st.integers(0, EPOCHS)), scored=st.sets(st.integers(1, EPOCHS)))
def test_cuts_anywhere_change_nothing(
    tiny: Dataset, drawing: Config, whole: FoldTraining, at: set[int], scored: set[int]
) -> None:
    pieces = cut(tiny, drawing, at, epochs=EPOCHS, scored=scored)
    assert_equal(everything(pieces), everything(whole))
    assert np.array_equal(pieces.scores(), whole.scores())


def go_on(folder: str, config: Config, packed: bytes) -> tuple[list[float], bytes]:
    """Take a training up in a process of its own, to the end."""
    with one_thread():
        training = start(load(Path(folder)), config, epochs=EPOCHS)
        torch.rand(7)  # what other code draws must not matter
        restore_fold(training, packed)
        training.advance(EPOCHS)
        return training.validation_loss, training.scores().tobytes()


def test_another_process_goes_on_to_the_same_numbers(
    tiny: Dataset, tiny_folder: Path, drawing: Config, whole: FoldTraining
) -> None:
    training = start(tiny, drawing, epochs=EPOCHS)
    training.advance(2)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        losses, scores = pool.submit(go_on, str(tiny_folder), drawing, pack_fold(training)).result()
    assert losses == whole.validation_loss
    assert scores == whole.scores().tobytes()


def test_packing_leaves_a_training_as_it_is_and_gives_the_same_bytes(
    tiny: Dataset, drawing: Config, whole: FoldTraining
) -> None:
    training = start(tiny, drawing, epochs=EPOCHS)
    for epoch in range(EPOCHS):
        training.advance(epoch)
        assert pack_fold(training) == pack_fold(training)
    training.advance(EPOCHS)
    assert_equal(everything(training), everything(whole))


def test_a_training_that_has_ended_stays_ended(tiny: Dataset) -> None:
    diverged, converged = start(tiny), start(tiny)
    with torch.no_grad():
        next(diverged.classifier.parameters()).fill_(math.nan)
    converged._by_heart = math.inf
    for training in (diverged, converged):
        training.advance(3)
        again = taken_up(tiny, training)
        again._by_heart = training._by_heart
        assert (again.diverged, again.converged, again.ended) == (training.diverged, training.converged, True)
        again.advance(3)
        assert_equal(everything(again), everything(training))
        assert again.verdict() is training.verdict()
    assert math.isnan(diverged.train_loss[0])


def through(value: object) -> object:
    """Send a value the way that a training's goes."""
    tensors: list[torch.Tensor] = []
    encoded = checkpoint._encode(value, tensors)
    packed = {str(number): tensor.clone(memory_format=torch.contiguous_format) for number, tensor in enumerate(tensors)}
    return checkpoint._decode(encoded, packed, torch.device("cpu"))


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = st.integers() | st.text(max_size=5)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.recursive(
        PLAIN,
        lambda inner: (
            st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(KEYS, inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_plain_values_come_back_as_they_were(value: object) -> None:
    assert_equal(through(value), value)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.randn(2, 3, 4, 5, 2).to(memory_format=torch.channels_last_3d),
        torch.randn(4, 1, 3, 3).to(memory_format=torch.channels_last),
        torch.randn(3, 5).T,
        torch.randn(6)[::2],
        torch.tensor(3.0),
        torch.zeros(0, 3),
        torch.randn(3).bfloat16(),
        torch.randn(3).double(),
        torch.tensor([True, False]),
        torch.tensor([math.nan, -math.inf, -0.0, 1e-45]),
        torch.arange(3),
    ],
    ids=lambda tensor: f"{tensor.dtype} {[*tensor.shape]} {tensor.stride()}",
)
def test_tensors_come_back_with_their_type_and_order_in_memory(tensor: torch.Tensor) -> None:
    assert_equal(through([tensor, torch.bfloat16]), [tensor, torch.bfloat16])


def test_what_no_checkpoint_holds_is_refused_on_one_line(tiny: Dataset) -> None:
    training = start(tiny)
    training.optimiser.param_groups[0]["probability"] = math.sqrt
    with pytest.raises(CheckpointError, match=r"^a checkpoint must hold plain .* keeps a builtin_function_or_method; .*\.$"):
        pack_fold(training)


@pytest.fixture(scope="module")
def packed(tiny: Dataset) -> bytes:
    training = start(tiny)
    training.advance(1)
    return pack_fold(training)


def assert_refused(training: FoldTraining, packed: bytes, told: str) -> None:
    """Check that bytes are refused on one line and leave a training as it is."""
    before = pack_fold(training)
    with pytest.raises(CheckpointError) as caught:
        restore_fold(training, packed)
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith("a checkpoint must be ")
    assert told in str(caught.value)
    assert str(caught.value).endswith("; start the fold again.")
    assert pack_fold(training) == before


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.data())
def test_bytes_that_are_cut_short_or_changed_are_refused(tiny: Dataset, packed: bytes, data: st.DataObject) -> None:
    # As often in the header as in what follows.
    header = 8 + int.from_bytes(packed[:8], "little")
    place = data.draw(st.integers(0, header) | st.integers(0, len(packed) - 1), "place")
    with pytest.raises(CheckpointError, match=r"^a checkpoint must be [^\n]*$"):
        restore_fold(start(tiny), packed[:place])
    flipped = packed[place] ^ data.draw(st.integers(1, 255), "flipped")
    with pytest.raises(CheckpointError, match=r"^a checkpoint must be [^\n]*$"):
        restore_fold(start(tiny), packed[:place] + bytes([flipped]) + packed[place + 1 :])


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: len(rest).to_bytes(8, "little") + rest))
def test_random_bytes_are_refused(tiny: Dataset, noise: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"^a checkpoint must be [^\n]*$"):
        restore_fold(start(tiny), noise)


def test_what_is_no_checkpoint_is_refused_and_changes_nothing(tiny: Dataset, packed: bytes) -> None:
    training = start(tiny)
    told = "must be what pack_fold gave, whole and unchanged, but these"
    for other in (b"", packed[:-1], packed + b"0", packed[:100], save({"0": torch.zeros(2)}), save({}, {"training": "[]"})):
        assert_refused(training, other, told)
    assert_refused(training, packed[: len(packed) // 2], f"{len(packed) // 2} bytes are not (")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"seed": 1}, "its seed is"),
        ({"fold": 1}, "its seed is"),
        ({"epochs": 4}, "its epochs is 3, not 4"),
        ({"config": replace(SMALL, network=Network("pitnet", depth=2, width=5))}, "its network.width is 4, not 5"),
        ({"config": replace(SMALL, network=Network("minihip"))}, "its network.name is 'pitnet', not 'minihip'"),
        ({"config": replace(SMALL, optimiser=replace(SMALL.optimiser, learning_rate=1e-3))}, "is 0.003, not 0.001"),
        ({"config": replace(SMALL, optimiser=replace(SMALL.optimiser, average=0.5))}, "optimiser.average is 0.0, not 0.5"),
        ({"config": replace(SMALL, normalisation="image")}, "normalisation is 'dataset', not 'image'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_checkpoint_of_another_training_is_refused(tiny: Dataset, packed: bytes, other: dict[str, Any], told: str) -> None:
    assert_refused(start(tiny, **other), packed, told)


def test_a_checkpoint_of_other_pits_weights_or_versions_is_refused(
    tiny: Dataset, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = start(tiny)
    weights = training.task.weights.clone()
    weights[int(training.validate[0])] = 0.5
    task, training.task = training.task, replace(training.task, weights=weights)
    assert_refused(training, packed, "its pits is")
    training.task = task
    training.classifier.network.register_buffer("more", torch.zeros(2))
    assert_refused(training, packed, "its weights.network.more is None, not 'torch.float32 [2]'")
    monkeypatch.setattr(torch, "__version__", "0.1")
    assert_refused(start(tiny), packed, "not '0.1'")
    monkeypatch.undo()
    restore_fold(start(tiny), packed)
