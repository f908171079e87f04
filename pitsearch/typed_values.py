"""Read plain values, as JSON gives them, as typed dataclasses: nothing is converted, and every number has its bounds.

`strict` teaches a cattrs converter to refuse what it would convert: a text for a number, a text for a list (letter by letter),
NaN. `Annotated[float, Between(0, 1)]` bounds a number, `Annotated[str, Matching(...)]` a text. Knows no dataclass of ours.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable, Mapping
from collections.abc import Sequence as AnySequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from cattrs import Converter, transform_error
from cattrs.errors import BaseValidationError, StructureHandlerNotFoundError
from cattrs.gen import make_dict_structure_fn

Fault = TypeVar("Fault", bound=BaseException)
# What reading values of any shape may end in.
MISFITS: tuple[type[BaseException], ...] = (
    BaseValidationError,
    StructureHandlerNotFoundError,
    LookupError,
    TypeError,
    AttributeError,
    ValueError,
    ArithmeticError,
    RecursionError,
)


@dataclass(frozen=True)
class Between:
    """Bounds of a number, both included."""

    low: float
    high: float

    def check(self, value: Any) -> None:
        """Raise ValueError for a number outside."""
        if not self.low <= value <= self.high:
            raise ValueError(f"must be from {self.low:g} to {self.high:g}, but got {brief(value)}")


@dataclass(frozen=True)
class Matching:
    """The form of a text."""

    pattern: str
    # The form in words.
    words: str

    def check(self, value: Any) -> None:
        """Raise ValueError for a text of another form."""
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"must be {self.words}, but got {brief(value)}")


SHA256 = Matching("[0-9a-f]{64}", "64 hexadecimal digits")
Sha256 = Annotated[str, SHA256]


def strict(converter: Converter, *, forbid_extra_keys: bool = False) -> Converter:
    """Teach a converter to convert nothing while it structures, and give it back."""
    for kind in (str, int, float, bool):
        converter.register_structure_hook(kind, _SCALARS[kind])
    converter.register_structure_hook_func(_is_mapping, lambda value, kind: _mapping(converter, value, kind))
    converter.register_structure_hook_func(_is_sequence, lambda value, kind: _sequence(converter, value, kind))
    converter.register_structure_hook_func(_is_union, lambda value, kind: _union(converter, value, kind))
    converter.register_structure_hook_func(_is_literal, _literal)
    converter.register_structure_hook_func(_is_annotated, lambda value, kind: _annotated(converter, value, kind))

    def of_dataclass(kind: type) -> Callable[[Any, Any], Any]:
        _resolve(kind)
        structure: Any = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=forbid_extra_keys)

        def checked(value: Any, _: Any) -> Any:
            return structure(_table(value), kind)

        return checked

    converter.register_structure_hook_factory(is_dataclass, of_dataclass)
    return converter


def _resolve(kind: type) -> None:
    """Put types in the place of the texts of a dataclass's annotations, bounds included, which cattrs itself leaves out."""
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        field.type = hints[field.name]


def reason_of(error: BaseException) -> str:
    """Say on one line what is wrong with values that could not be structured: the first fault, and where."""
    try:
        faults = transform_error(error, format_exception=lambda exc, _: _words(exc)) if isinstance(
            error, BaseValidationError
        ) else [_words(error)]  # fmt: skip
    except RecursionError:
        return "it nests too deep"
    what, _, where = faults[0].partition(" @ $")
    place = where.lstrip(".")
    return " ".join((f"`{place}` {what}" if place else what).split())


def cause_of(error: BaseException, kind: type[Fault]) -> Fault | None:
    """Give the first exception of a kind among what went wrong with values that could not be structured; None without one."""
    if isinstance(error, kind):
        return error
    causes = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((cause for inner in causes if (cause := cause_of(inner, kind)) is not None), None)


def brief(value: object) -> str:
    """Give a value for an error: its start, on one line, whatever it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # integers of more digits than Python writes
        text = f"a {type(value).__name__} too large to write"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _words(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"must be there, but {error.args[0] if error.args else 'it'} is missing"
    if isinstance(error, StructureHandlerNotFoundError):
        return "is of a kind that is not read"
    return str(error) or type(error).__name__


def _text(value: Any, _: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a text, but got {brief(value)}")
    return value


def _whole(value: Any, _: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be a whole number, but got {brief(value)}")
    return value


def _number(value: Any, _: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"must be a number, but got {brief(value)}")
    number = float(value)  # OverflowError for integers that no float holds
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, but got {value}")
    return number


def _flag(value: Any, _: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, but got {brief(value)}")
    return value


_SCALARS: dict[type, Callable[[Any, Any], Any]] = {str: _text, int: _whole, float: _number, bool: _flag}


def _table(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"must be a table, but got {brief(value)}")
    return value


def _is_mapping(kind: Any) -> bool:
    return kind in (dict, Mapping) or get_origin(kind) in (dict, Mapping)


def _mapping(converter: Converter, value: Any, kind: Any) -> dict[str, Any]:
    of = (get_args(kind) or (str, Any))[1]
    return {key: converter.structure(item, of) for key, item in _table(value).items()}


def _is_sequence(kind: Any) -> bool:
    return get_origin(kind) in (tuple, list, AnySequence)


def _sequence(converter: Converter, value: Any, kind: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list, but got {brief(value)}")
    container, kinds = get_origin(kind), get_args(kind)
    if container is tuple and kinds[-1] is not Ellipsis:
        if len(value) != len(kinds):
            raise ValueError(f"must list {len(kinds)} values, but got {len(value)}")
        return tuple(converter.structure(item, of) for item, of in zip(value, kinds, strict=True))
    items = (converter.structure(item, kinds[0]) for item in value)
    return list(items) if container is list else tuple(items)


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _union(converter: Converter, value: Any, kind: Any) -> Any:
    refusal: BaseException | None = None
    for of in get_args(kind):
        if of is type(None):
            if value is None:
                return None
            continue
        try:
            return converter.structure(value, of)
        except MISFITS as error:
            refusal = refusal or error
    assert refusal is not None  # a union has another kind than None
    raise refusal


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _literal(value: Any, kind: Any) -> Any:
    for offered in get_args(kind):
        if type(value) is type(offered) and value == offered:
            return offered
    raise ValueError(f"must be one of {', '.join(map(str, get_args(kind)))}, but got {brief(value)}")


def _is_annotated(kind: Any) -> bool:
    return get_origin(kind) is Annotated


def _annotated(converter: Converter, value: Any, kind: Any) -> Any:
    of, *checks = get_args(kind)
    structured = converter.structure(value, of)
    for check in checks:
        check.check(structured)
    return structured
