from .errors import ScanError as ScanError
from .hits import Hit as Hit
from .hits import read_hits as read_hits
