"""What launches, learning curves and diagnoses do unless told otherwise. Imports nothing: the command line starts at once."""

STORAGE = "sqlite:///studies.db"
# Where checkpoints of interrupted trials are.
RUNS = "runs"
# On CPU folds cost time: one fold first, then all five. A trial that climbs it all trains 150 fold-epochs.
LADDER = "1x3,1x9,5x9,5x30"
# On a GPU the folds of a trial train fused, almost for the price of one: all five climb from the start.
FUSED_LADDER = "5x3,5x9,5x30"
DEVICE = "cpu"
# A ready-made space.
SPACE = "standard"
TRIALS = 40
# Jobs of a cluster that work at the same time, at most.
JOBS = 10
# The false-positive rate at which acceptance is quoted.
WORKING_POINT = 0.05
# Acceptance is also read at this false-positive rate, which a rare signal needs.
STRICT = 0.01
PRUNER = "promotion"
# Where a search has two objectives.
FRONT_PRUNER = "trailing"
SAMPLER = "tpe"
# Held-out set, folds and every trial follow from it.
SEED = 0
# What trials are judged by.
OBJECTIVES = ("acceptance",)
# The share of trials that is never pruned, so that what pruning kills is measured.
AUDIT = 0.05
# A learning curve: shares of each fold's training pits, cross-validations, epochs at the whole.
SHARES = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
REPEATS = 1
CURVE_EPOCHS = 30
# A diagnosis: cross-validations on one split, and on fresh ones.
DIAGNOSIS_SEEDS = 5
DIAGNOSIS_REPEATS = 5
# Confirming and selecting: trials that are trained again, how often, the bar of reliability, what is made of the winner.
TOP = 10
CONFIRMATIONS = 5
RELIABILITY = 0.8
FINAL = "ensemble"
