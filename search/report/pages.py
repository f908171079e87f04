"""Make pages of HTML that hold all they need, from templates with one layout. Knows nothing of what is on a page."""

from __future__ import annotations

import re
from pathlib import Path

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.io.json import to_json_plotly

from foils.atomic_write import write_whole
from pitsearch.errors import reason
from search.errors import StudyError

TEMPLATES = Path(__file__).parent / "templates"
# Whatever a data set or a study says is escaped.
ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
# A figure offers no upload: plotly would send the numbers of a study to a server of its makers.
FIGURE_CONFIG = {"displaylogo": False, "showSendToCloud": False}


def code(text: str) -> Markup:
    """Give text as markup, escaped; what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def json_in_script(text: str) -> str:
    """Give JSON as it may stand in an element of script, which ends at the first `</script>`, whatever holds it."""
    return text.replace("<", "\\u003c")


def figure_json(figure: go.Figure) -> str:
    """Give a figure as JSON without its template, which a page holds once."""
    values = figure.to_dict()
    values["layout"].pop("template", None)
    return json_in_script(to_json_plotly(values, engine="json"))


ENVIRONMENT.filters |= {"code": code, "figure_json": figure_json}


def render_page(template: str, **values: object) -> str:
    """Fill in a template of the templates' folder."""
    return ENVIRONMENT.get_template(f"{template}.html.j2").render(**values)


def figure_page(figure: go.Figure, name: str, title: str) -> str:
    """Give a page of one figure. `name`: the id of its element."""
    markup = figure.to_html(include_plotlyjs=True, full_html=False, default_height="95vh", div_id=name, config=FIGURE_CONFIG)
    return render_page("figure", title=title, figure=markup)


def write_figure_page(figure: go.Figure, name: str, title: str, path: Path) -> None:
    """Write a page of one figure. Raises StudyError where that is not possible."""
    page = figure_page(figure, name, title)
    try:
        write_whole(path, lambda stream: stream.write(page.encode("utf-8")))
    except OSError as error:
        raise StudyError(f"{path}: the figure must be written, but: {reason(error)}; choose another --out.") from None
