"""What the microscope gave: read, check, pack, fold, imitate. Knows nothing of torch or optuna."""

from foils.dataset import Dataset, load
from foils.errors import DataError
from foils.folds import Split, fold_numbers, hold_out

__all__ = ["DataError", "Dataset", "Split", "fold_numbers", "hold_out", "load"]
