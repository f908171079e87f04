from .comparison import compare as compare
from .errors import ScanError as ScanError
from .faces import line_up as line_up
from .hit_lists import read_places as read_places
from .hits import Hit as Hit
from .hits import read_hits as read_hits
