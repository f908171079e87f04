"""What may vary: labelling, channels, networks, optimisers, balance. Knows nothing of torch or of files of data."""

from spaces.axes import Range
from spaces.config import Config
from spaces.errors import SpaceError
from spaces.space import Space
from spaces.suggest import suggest

__all__ = ["Config", "Range", "Space", "SpaceError", "suggest"]
