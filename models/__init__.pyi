from .errors import BundleError as BundleError
from .inference.bundle import Bundle as Bundle
from .inference.bundle import read_bundle as read_bundle
from .inference.ensemble import Ensemble as Ensemble
