"""Which payloads could arrive? Any that the catalogue allows, as a hypothesis strategy read off its types.

Names come from a small pool, so that events meet what other events left; amounts lean towards the small, and
towards the ends of what the wire carries.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from hypothesis import strategies as st

from audit_service.catalogue.common import MAX_SAFE_INTEGER
from audit_service.catalogue.types import EVENT_TYPES

NAMES = ("a", "b", "i1", "o1", "p1", "lights", "lamps", "loan", "b1", "x/y:z")
TEXTS = (
    "가",
    "건",
    "budget/roads/2021",
    "budget/roads/2022",
    "budget/parks/2021",
    "service/library",
    "\u2028",
    "x" * 99,
)
PERIODS = ("2021-03", "2021", "2021-Q1", "2021-r1")


def payloads(event_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any `data` of this type, as JSON."""
    return _strategy(msgspec.inspect.type_info(EVENT_TYPES[event_type]))


def _strategy(kind: Any) -> st.SearchStrategy[Any]:
    match kind:
        case msgspec.inspect.StructType():
            return _struct(kind)
        case msgspec.inspect.ListType():
            low = kind.min_length or 0
            return st.lists(_strategy(kind.item_type), min_size=low, max_size=max(low, kind.max_length or 3))
        case msgspec.inspect.IntType():
            return _integer(kind)
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.LiteralType():
            return st.sampled_from(kind.values)
        case msgspec.inspect.StrType():
            return _text(kind)
        case msgspec.inspect.UnionType():
            return st.one_of(*(_strategy(one) for one in kind.types))
    raise TypeError(f"the catalogue has learnt a new kind of value: {kind}")


def _struct(kind: msgspec.inspect.StructType) -> st.SearchStrategy[dict[str, Any]]:
    required = {one.encode_name: _strategy(one.type) for one in kind.fields if one.required}
    optional = {one.encode_name: _strategy(one.type) for one in kind.fields if not one.required}
    return st.fixed_dictionaries(required, optional=optional)


def _integer(kind: msgspec.inspect.IntType) -> st.SearchStrategy[int]:
    low = kind.ge if kind.ge is not None else kind.gt + 1 if kind.gt is not None else -MAX_SAFE_INTEGER
    high = kind.le if kind.le is not None else MAX_SAFE_INTEGER
    likely = [value for value in (low, 1, 5, 100, 2021, 2022, high) if low <= value <= high]
    return st.one_of(st.sampled_from(likely), st.integers(low, high))


def _text(kind: msgspec.inspect.StrType) -> st.SearchStrategy[str]:
    if kind.pattern is None:
        return st.sampled_from(TEXTS)
    likely = [
        one
        for one in (*NAMES, *PERIODS, "2021-06-15", "2021-02-30", "201-01", "roads", "0" * 64)
        if re.search(kind.pattern, one)
    ]
    drawn = st.from_regex(kind.pattern, fullmatch=True)
    return st.one_of(st.sampled_from(likely), drawn) if likely else drawn
