from foils import *
from models import *
from pitsearch.errors import PitsearchError as PitsearchError
from scan import *
from search import *
from spaces import *

__version__: str
