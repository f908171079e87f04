"""Train many varied configurations, good and bad, and keep how each stood after every epoch, also on pits it never saw.

Two fifths of the pits are neither trained nor validated on: they tell what a training is worth. Knows nothing of
verdicts' rules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from foils import Dataset, load
from foils.folds import fold_numbers
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from models.metrics import Floats, score
from models.process import one_thread
from models.scores import over_images
from models.training.balance import draw_shown
from models.training.cross_validation import may_restart
from models.training.epoch_values import IMPOSSIBLE
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from models.training.verdicts import Evidence, Verdict
from search.seeds import make_generator
from spaces import Config
from spaces.choices.balance import BALANCES, Balance, class_weights
from spaces.choices.channels import Channels
from spaces.choices.labelling import Labelling
from spaces.choices.losses import LOSSES, Loss
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser

# Of five parts two are held out, one is validated on, and two are trained on.
PARTS, HELD_OUT, VALIDATED = 5, 2, 1
WORKING_POINT = 0.05
NOISES = (0.0, 0.15, 0.35)
NETWORKS = (
    Network("pitnet", depth=2, width=8),
    Network("pitnet", depth=3, width=8),
    Network("pitnet", depth=3, width=8, norm="none"),
    Network("minihip"),
)
STACKED_ONLY = Network("setnet", depth=2, width=8)
# The sound rate of each optimiser; what is drawn lies within some decades of it.
RATES = {"sgd": 1e-2, "nesterov": 1e-2, "adam": 1e-3, "adamw": 2e-3, "rmsprop": 5e-4, "lion": 2e-4}
DECADES = (-2.0, 3.0)
EPOCHS = (4, 12, 30, 60)


@dataclass(frozen=True)
class Recipe:
    """One training: a configuration, and what is done to it."""

    config: Config
    epochs: int
    # Share of wrong labels.
    noise: float
    # Images are divided by their full scale once more.
    scaled_twice: bool
    # The epoch at which it is stopped before its end, None for none.
    stopped: int | None
    seed: int


@dataclass(frozen=True)
class Ended:
    """How a training ended.

    Losses are mean negative log likelihoods of signal or background, NaN where scores were not finite, in which a side weighs
    what the training's balance showed of it.
    """

    recipe: Recipe
    evidence: Evidence
    # The loss of the held-out pits after each epoch.
    held_out: tuple[float, ...]
    # That of the constant predictor.
    constant: float
    # The standard error, over pits, of the last one's difference to it.
    error: float
    # `before`, `after`: the same loss of the training pits, before the first epoch and after the last.
    before: float
    after: float
    # Area under the curve of the held-out pits.
    auc: float
    # The epochs after which the verdict was collapsed, and those after which a trial would have started it again.
    collapsed_at: tuple[int, ...] = ()
    stuck_at: tuple[int, ...] = ()


def draw_recipe(seed: int, number: int, scale: float = 1.0) -> Recipe:
    """Draw a recipe: sound more often than not on every axis, so that one fault at a time is common; `scale`: of its epochs."""
    generator = make_generator(seed, number)

    def often(usual: float) -> bool:
        return bool(generator.random() < usual)

    stacked = often(0.5)
    networks = (*NETWORKS, STACKED_ONLY) if stacked else NETWORKS
    name = str(generator.choice(list(RATES)))
    twice = often(0.15)
    rate = RATES[name] * 10 ** (generator.uniform(-0.3, 0.3) if often(0.45) else generator.uniform(*DECADES))
    epochs = max(2, round(int(generator.choice(EPOCHS)) * scale))
    config = Config(
        labelling=Labelling("binary" if often(0.7) else "four-way"),
        channels=Channels("stacked") if stacked else Channels("single", "1"),
        network=networks[generator.integers(len(networks))],
        optimiser=Optimiser(
            name,
            float(rate),
            weight_decay=0.0 if often(0.5) else 1e-4,
            batch_size=int(generator.choice((16, 64))),
            schedule=str(generator.choice(("constant", "cosine"))),
        ),
        loss=Loss() if often(0.6) else Loss(str(generator.choice(list(LOSSES))), smoothing=0.1 * often(0.3)),
        balance=Balance() if often(0.6) else Balance(str(generator.choice(list(BALANCES)))),
        normalisation="raw" if twice or often(0.15) else "dataset",
    )
    stopped = int(generator.integers(1, epochs)) if not often(0.95) else None
    noise = float(generator.choice(NOISES, p=(0.5, 0.3, 0.2)))
    return Recipe(config, epochs, noise, twice, stopped, int(generator.integers(2**31)))


def write_foils(place: Path, pits: int, noise: float, seed: int) -> str:
    """Write synthetic foils with a share of wrong labels, and give their folder."""
    options = SyntheticFoils(scaled_counts(pits), seed=seed, flipped_share=noise)
    return str(synthesise(place / f"{seed}-{noise}", options))


def train(recipe: Recipe, folder: str) -> Ended:
    """Train a recipe on the foils of a folder, from beginning to end."""
    with one_thread():
        data = _load(folder)
        task = make_task(data, recipe.config, epochs=recipe.epochs, working_point=WORKING_POINT)
        if recipe.scaled_twice:
            task = replace(task, inputs=replace(task.inputs, full_scale=task.inputs.full_scale**2))
        parts = fold_numbers(data, PARTS, 0)
        trained = np.flatnonzero(parts >= HELD_OUT + VALIDATED)
        training = FoldTraining(task, trained, np.flatnonzero(parts == HELD_OUT), recipe.seed)
        seen = _Pits(training, trained[data.is_scored[trained]], _shown(training, trained, recipe.seed))
        held = _Pits(training, np.flatnonzero((parts < HELD_OUT) & data.is_scored), seen.shown)
        before, curve = seen.losses().mean(), []
        collapsed_at, stuck_at = [], []
        while not training.ended and training.epoch < (recipe.stopped or recipe.epochs):
            training.advance(training.epoch + 1)
            curve.append(float(held.losses().mean()))
            if training.verdict(planned=training.epoch) is Verdict.COLLAPSED:
                collapsed_at.append(training.epoch)
            if may_restart(training, training.epoch):
                stuck_at.append(training.epoch)
        gains = held.constant() - held.losses()
        scores = held.scores()
        return Ended(
            recipe=recipe,
            evidence=training.evidence(),
            held_out=tuple(curve),
            constant=float(held.constant().mean()),
            error=float(gains.std(ddof=1) / len(gains) ** 0.5),
            before=float(before),
            after=float(seen.losses().mean()),
            auc=score(np.nan_to_num(scores), held.is_signal, working_point=WORKING_POINT).auc,
            collapsed_at=tuple(collapsed_at),
            stuck_at=tuple(stuck_at),
        )


@dataclass(frozen=True)
class _Pits:
    """Some pits before a classifier in training; `shown`: the share of signal in what it is shown. All is given `[pits]`."""

    training: FoldTraining
    pits: npt.NDArray[np.int64]
    shown: float

    @property
    def is_signal(self) -> npt.NDArray[np.bool_]:
        here: npt.NDArray[np.bool_] = self.training.task.is_signal[self.pits]
        return here

    def scores(self) -> Floats:
        """Give P(signal)."""
        inputs = self.training.task.inputs
        logits = self.training.evaluate(inputs.of_pits(torch.from_numpy(self.pits))).view(len(self.pits), inputs.per_pit, -1)
        signal: Floats = over_images(self.training.task.config.channels.scores, logits.double().softmax(2))[:, 0].numpy()
        return signal

    def losses(self) -> Floats:
        """Give what each pit costs."""
        signal = self.scores()
        return self._weighed(-np.log(np.maximum(np.where(self.is_signal, signal, 1 - signal), IMPOSSIBLE)))

    def constant(self) -> Floats:
        """Give what each pit costs the predictor that knows the share of signal alone."""
        return self._weighed(-np.log(np.where(self.is_signal, self.shown, 1 - self.shown)))

    def _weighed(self, losses: Floats) -> Floats:
        signal = self.is_signal.mean()
        weighed: Floats = losses * np.where(self.is_signal, self.shown / signal, (1 - self.shown) / (1 - signal))
        return weighed


def _shown(training: FoldTraining, trained: npt.NDArray[np.int64], seed: int) -> float:
    """Give the share of signal in what an epoch shows, class weights included, by drawing one."""
    pits = torch.from_numpy(trained)
    pits = pits[training.task.weights[pits] > 0]
    balance, targets = training.task.config.balance, training.task.targets[pits]
    weights = targets @ torch.tensor(class_weights(balance.name, targets.sum(0).tolist()))
    generator = torch.Generator().manual_seed(seed)
    # A draw with replacement varies; a hundred of them hardly do.
    shown = torch.cat([draw_shown(balance, targets, generator) for _ in range(100)])
    return float((weights * targets[:, 0])[shown].sum() / weights[shown].sum())


@lru_cache
def _load(folder: str) -> Dataset:
    return load(folder)
