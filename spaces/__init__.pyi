from .axes import Range as Range
from .config import Config as Config
from .errors import SpaceError as SpaceError
from .space import Space as Space
