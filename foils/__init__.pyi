from .dataset import Dataset as Dataset
from .dataset import load as load
from .description import Channel as Channel
from .errors import DataError as DataError
from .pit import Pit as Pit
from .relabel import relabel as relabel
from .synthetic.synthesise import SyntheticFoils as SyntheticFoils
from .synthetic.synthesise import synthesise as synthesise
