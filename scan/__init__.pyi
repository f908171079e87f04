from .errors import ScanError as ScanError
from .hits import Hit as Hit
from .hits import read_hits as read_hits
from .importing.run import ImportOptions as ImportOptions
from .importing.run import import_source as import_source
from .merge import merge as merge
from .queue import write_queue as write_queue
