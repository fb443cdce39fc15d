"""What may stand on each kind of stream, when is it refused, and what does it look like? `docs/streams/<kind>.md`.

Nothing here is a list to keep up: types come from the catalogue, their rules from the code that decides about them,
examples from `docs/streams/examples.json`, which a test holds valid and complete.
"""

# ruff: noqa: INP001 - a folder of pages, no package

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from api.portal.catalogue_words import TYPE_WORDS
from audit_service.catalogue.types import EVENT_TYPES
from audit_service.rules import approvals, governance, keys, privacy, sequences
from audit_service.rules.decide import RULE_OF
from audit_service.rules.envelope import check_envelope
from audit_service.rules.groups import Groups
from audit_service.rules.rulebook import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

STREAMS = Path(__file__).parent / "streams"
# Asked about every event, whatever its type.
_ASKED_OF_ALL = (
    check_envelope,
    governance.require_open,
    keys.authorise_entry,
    approvals.require_approval,
    privacy.check_personal_data,
    sequences.decide_number,
)
_RULE_PACKAGE = "audit_service.rules"


def rules_of_functions(functions: Iterable[Any]) -> set[str]:
    """Which rule ids can these functions, and all that they call in the rules, refuse with?

    Read off their code: every text that is a rule id. It may name one that only another caller can meet; it leaves
    none out, which a test holds against every refusal of the tests.
    """
    found: set[str] = set()
    seen: set[int] = set()
    waiting: list[Any] = list(functions)
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, str):
            found |= {one} & set(RULES)
        elif isinstance(one, (tuple, list, set, frozenset)):
            waiting += one
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, FunctionType):
            waiting += _reached(one, one.__code__)
            waiting += one.__defaults__ or ()
            waiting += [cell.cell_contents for cell in one.__closure__ or ()]
    return found


def _reached(function: FunctionType, code: CodeType) -> Iterator[Any]:
    """The constants of a function, and the functions and tables of the rules' own modules that it names."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _reached(function, constant)
        else:
            yield constant
    for name in code.co_names:
        named = function.__globals__.get(name)
        if isinstance(named, ModuleType) and named.__name__.startswith(_RULE_PACKAGE):
            yield from (getattr(named, other, None) for other in code.co_names)
        elif _is_of_the_rules(named):
            yield named


def _is_of_the_rules(named: object) -> bool:
    if inspect.isfunction(named):
        return named.__module__.startswith(_RULE_PACKAGE)
    return isinstance(named, (str, tuple, list, set, frozenset)) or (isinstance(named, dict) and len(named) < 100)


def common_rules() -> set[str]:
    """The rules that can refuse an event of any type."""
    return rules_of_functions(_ASKED_OF_ALL)


def group_rules() -> set[str]:
    """The rules about entries that must stand side by side."""
    return rules_of_functions(function for _, function in inspect.getmembers(Groups, inspect.isfunction))


def rules_of_type(event_type: str) -> list[str]:
    """The rules that can refuse an event of this type beside the common ones, in the order of the rulebook."""
    rule = RULE_OF.get(event_type)
    if rule is None:
        return []
    found = rules_of_functions([rule.decide]) - common_rules()
    return [rule_id for rule_id in RULES if rule_id in found]


def load_examples() -> dict[str, dict[str, Any]]:
    """A valid example of every type: its subject and its `data`."""
    examples: dict[str, dict[str, Any]] = json.loads((STREAMS / "examples.json").read_text(encoding="utf-8"))
    return examples


def kinds() -> list[str]:
    """The kinds of streams that the catalogue has types for."""
    return list(dict.fromkeys(name.partition(".")[0] for name in EVENT_TYPES))


def stream_page(
    kind: str, *, title: str, notice: str, describe: Callable[[str], list[str]], examples: dict[str, dict[str, Any]]
) -> str:
    """The page of one kind: `describe` gives the lines about a type and its fields."""
    names = [name for name in EVENT_TYPES if name.startswith(f"{kind}.")]
    lines = [
        f"# {title} streams",
        notice,
        (
            "What may stand here, which rules can refuse it, and an example of each. Fields in *italics* may be absent;"
            " any `data` may also carry the [common fields](../reference/events.md#common-fields). An example shows"
            " `subject` and `data`; the [entry format](../entry-format.md) says what else stands around `data`, the"
            " [rules](../reference/rules.md) what each rule says."
        ),
        "",
        "| type | |",
        "|---|---|",
        *(f"| [`{name}`](#{anchor_of(name)}) | {_words(name)} |" for name in names),
    ]
    for name in names:
        lines += ["", f"## {name}", "", *describe(name)]
        rules = rules_of_type(name)
        lines += ["", "Refused by: " + (", ".join(f"`{rule}`" for rule in rules) or "the common rules alone") + "."]
        example = examples.get(name)
        if example is not None:
            text = json.dumps({"type": name, **example}, ensure_ascii=False, indent=2)
            lines += ["", "```json", text, "```"]
    together = [rule for rule in RULES if rule in group_rules() and rule.startswith(f"{kind}.")]
    if together:
        lines += ["", "## Entries that stand together", "", "| rule | what it says |", "|---|---|"]
        lines += [f"| `{rule}` | {RULES[rule]} |" for rule in together]
    lines += ["", "## Rules about every event", "", "| rule | what it says |", "|---|---|"]
    lines += [f"| `{rule}` | {text} |" for rule, text in RULES.items() if rule in common_rules()]
    return "\n".join(lines) + "\n"


def anchor_of(name: str) -> str:
    """Where does a heading of this text lead? As GitHub makes it."""
    return re.sub(r"[^a-z0-9-]", "", name)


def _words(name: str) -> str:
    korean, english = TYPE_WORDS.get(name, ("", ""))
    return f"{english} ({korean})" if korean else english
