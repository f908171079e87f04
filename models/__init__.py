"""Train one configuration: networks, the trainer, verdicts, bundles. Knows nothing of optuna.

The public names are listed in `__init__.pyi` and imported on first use.
"""

import lazy_loader

import pitsearch as pitsearch  # first of our imports: it finds our packages by their location

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
