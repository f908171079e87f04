"""A model run over unlabelled foil: frames, hits, matching, what to label next. Knows nothing of Optuna.

The public names are listed in `__init__.pyi`, and imported when they are first used.
"""

import lazy_loader

import pitsearch as pitsearch  # before anything of ours: it finds our packages by their location

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
