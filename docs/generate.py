"""What do the pages of `docs/reference/` and `docs/streams/` say? Written from the code, never by hand: `make docs`.

A test compares the committed pages with what this writes.
"""

# ruff: noqa: INP001 - a folder of pages, no package

from __future__ import annotations

import dataclasses
import inspect
import os
from argparse import RawDescriptionHelpFormatter
from dataclasses import fields
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from msgspec.inspect import (
    BoolType,
    Field,
    IntType,
    ListType,
    LiteralType,
    StrType,
    StructType,
    Type,
    UnionType,
    type_info,
)
from stream_pages import STREAMS, anchor_of, kinds, load_examples, stream_page

from api.problem_types import PROBLEM_TYPES
from audit_cli.main import COMMANDS, OneLineParser, load_command
from audit_service.catalogue import common
from audit_service.catalogue.common import MAX_SAFE_INTEGER, Payload
from audit_service.catalogue.registry import KeyId
from audit_service.catalogue.service import Period
from audit_service.catalogue.types import EVENT_TYPES, requires_legal_date, subject_pattern
from audit_service.rules.rulebook import RULES
from audit_service.settings import LARGEST_NUMBER, Settings, variable_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

REFERENCE = Path(__file__).parent / "reference"
NOTICE = "<!-- Written by docs/generate.py; `make docs` writes it again. -->\n"
KINDS = {
    "registry": "Registry",
    "budget": "Budget",
    "contract": "Contract",
    "project": "Project",
    "service": "Service",
    "report": "Report",
}
# What a reader knows these patterns as; any other pattern is shown as it is.
NAMES_OF_FORMS = {
    common.Code: "code",
    common.Date: "date",
    common.Month: "month",
    common.PartialDate: "year, month or date",
    common.Sha256Hex: "64 lower-case hex digits",
    KeyId: "base64url of 32 bytes",
    Period: "period: `2021`, `2021-Q1`, `2021-03`, or a round of one, `2019-r1`",
}
# How a field's name ends says what it is measured in.
UNITS = {
    "_won": "won",
    "_bp": "basis points, 10,000 are the whole",
    "_ppm": "millionths",
    "_points": "ten-thousandths of a point",
    "_weight": "ten-thousandths of a point",
    "_days": "days",
    "_months": "months",
    "_bytes": "bytes",
    "_index": "index in the log, from 0",
}
# A place in a list is no place in the log.
NO_UNIT = {"status_index"}


def events_page() -> str:
    """Every type of the catalogue with its fields."""
    lines = [
        "# Events",
        NOTICE,
        (
            "Every type of the catalogue. Fields in *italics* may be absent. Any `data` may also carry the"
            " [common fields](#common-fields). The [entry format](../entry-format.md) says what stands around"
            " `data`, the [rules](rules.md) what may happen when. Each type's JSON Schema is served at"
            " `/v1/schemas/<type>`."
        ),
        "",
        "A *code* is 1 to 128 of `A-Z a-z 0-9 . _ : / -`; *won* are integers within ±(2^53−1).",
    ]
    for kind, title in KINDS.items():
        lines += ["", f"## {title}"]
        for name, payload in EVENT_TYPES.items():
            if name.startswith(f"{kind}."):
                lines += ["", f"### `{name}`", "", *_about(payload), *_stands_on(name), *_fields(payload)]
    lines += ["", "## Common fields", "", *_fields(Payload, common=True)]
    parts = sorted(_parts(), key=lambda part: part.__name__)
    lines += ["", "## Parts"]
    for part in parts:
        lines += ["", f"### {part.__name__}", "", *_about(part), *_fields(part)]
    return "\n".join(lines) + "\n"


def _stands_on(name: str) -> list[str]:
    return [f"Subject: `{_subject(name)}`{_legal(name)}.", ""]


def _describe(name: str) -> list[str]:
    """The same for a page in another folder."""
    lines = [*_about(EVENT_TYPES[name]), *_stands_on(name), *_fields(EVENT_TYPES[name])]
    return [line.replace("](#", "](../reference/events.md#") for line in lines]


def streams_page(kind: str) -> str:
    """One kind of stream: its types with fields, rules and examples."""
    title = KINDS.get(kind, kind.capitalize())
    return stream_page(kind, title=title, notice=NOTICE, describe=_describe, examples=load_examples())


def rules_page() -> str:
    """Every rule that can refuse an event."""
    lines = [
        "# Rules",
        NOTICE,
        (
            "Every rule that can refuse an event, by the `rule_id` that a problem document and `audit replay` name."
            " The service and the auditor's replay call the same functions (`audit_service/rules/`)."
        ),
    ]
    kinds = list(dict.fromkeys(rule_id.partition(".")[0] for rule_id in RULES))
    for kind in kinds:
        lines += ["", f"## {kind.capitalize()}", "", "| rule | what it says |", "|---|---|"]
        lines += [f"| `{rule_id}` | {text} |" for rule_id, text in RULES.items() if rule_id.startswith(f"{kind}.")]
    return "\n".join(lines) + "\n"


def problems_page() -> str:
    """Every problem document that the service answers with."""
    lines = [
        "# Problems",
        NOTICE,
        (
            "Every error is an RFC 9457 problem document (`application/problem+json`); its `type` ends in the name"
            " below. Nothing that was sent is repeated in an answer."
        ),
        "",
        "| problem | status | title | what to do |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{row.slug}` | {row.status} | {row.title} ({row.title_ko}) | {row.advice} |"
        for row in PROBLEM_TYPES.values()
    ]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """What every command of `audit` says about itself."""
    lines = [
        "# Commands",
        NOTICE,
        "What `audit COMMAND --help` says. [Command line](../command-line.md) has the overview.",
    ]
    # argparse wraps at the width of the terminal that it runs in.
    with mock.patch.dict(os.environ, {"COLUMNS": "100"}):
        for name, command in COMMANDS.items():
            if find_spec(command.module) is None:
                continue
            parser = OneLineParser(
                prog=f"audit {name}", formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False
            )
            load_command(name).add_arguments(parser)
            lines += ["", f"## audit {name}", "", "```text", parser.format_help().rstrip(), "```"]
    return "\n".join(lines) + "\n"


def configuration_page() -> str:
    """Every setting of a ledger."""
    lines = [
        "# Configuration",
        NOTICE,
        (
            "`ledger.toml` in the data directory holds the settings; `audit init` writes it. An environment variable"
            " overrides the file. A name that is not in this table is refused."
        ),
        "",
        "| setting | variable | default | meaning |",
        "|---|---|---|---|",
    ]
    for each in fields(Settings):
        if each.name != "data_dir":
            variable = variable_of(each.name)
            shown = f"`{variable}`" if variable else ""
            lines.append(f"| `{each.name}` | {shown} | {_default(each)} | {each.metadata['meaning']} |")
    lines += [
        "",
        f"Numbers are from 0 to {LARGEST_NUMBER:,}. A name that ends in `_s` is in seconds, or for each second.",
        "What a command is told on its command line stands under [commands](commands.md).",
    ]
    return "\n".join(lines) + "\n"


def _default(setting: dataclasses.Field[object]) -> str:
    match setting.default:
        case dataclasses.MISSING:
            return "required"
        case None:
            return "none"
        case bool():
            return f"`{str(setting.default).lower()}`"
        case _:
            return f"{setting.default:g}"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "configuration.md": configuration_page,
    "events.md": events_page,
    "problems.md": problems_page,
    "rules.md": rules_page,
}


STREAM_PAGES: dict[str, Callable[[], str]] = {f"{kind}.md": partial(streams_page, kind) for kind in kinds()}


def _about(struct: type[msgspec.Struct]) -> list[str]:
    return [inspect.cleandoc(struct.__doc__ or ""), ""]


def _subject(name: str) -> str:
    if name.startswith("report."):
        return "report/<kind>/<key>"
    pattern = subject_pattern(name).pattern
    groups = {"budget": ["<agency>", "<fiscal year>"], "service": ["<service id>", "<period>"]}
    names = groups.get(name.partition(".")[0], [f"<{name.partition('.')[0]} id>"])
    if name.startswith("contract."):
        names = ["<process id>"]
    if name.startswith("registry."):
        names = ["<agency>"]
    parts = pattern.split("/")
    filled = iter(names)
    return "/".join(part if part.isalpha() else next(filled) for part in parts)


def _legal(name: str) -> str:
    return ", with a legal date" if requires_legal_date(name) else ""


def _fields(struct: type[msgspec.Struct], *, common: bool = False) -> list[str]:
    inherited = set() if common or not issubclass(struct, Payload) else set(Payload.__struct_fields__)
    info = type_info(struct)
    fields = [field for field in _struct(info).fields if field.name not in inherited]
    rows = [f"| {_name(field)} | {_text(field.type)}{_unit(field.encode_name)} |" for field in fields]
    return ["| field | value |", "|---|---|", *rows]


def _name(field: Field) -> str:
    return f"`{field.encode_name}`" if field.required else f"*`{field.encode_name}`*"


def _unit(name: str) -> str:
    unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), None)
    return "" if unit is None or name in NO_UNIT else f" ({unit})"


def _text(kind: Type) -> str:
    match kind:
        case UnionType():
            return " or ".join(_text(one) for one in kind.types if type(one).__name__ != "_UnsetType")
        case LiteralType():
            return ", ".join(f"`{value}`" for value in kind.values)
        case ListType():
            return f"list of {_text(kind.item_type)}{_length(kind)}"
        case StructType():
            name = next((name for name, payload in EVENT_TYPES.items() if payload is kind.cls), None)
            if name is not None:
                return f"as [`{name}`](#{anchor_of(name)})"
            return f"[{kind.cls.__name__}](#{kind.cls.__name__.lower()})"
        case IntType():
            return _integer(kind)
        case StrType():
            return _string(kind)
        case BoolType():
            return "true or false"
        case _:
            raise TypeError(f"no words for {kind}")


def _length(kind: ListType) -> str:
    if kind.min_length and kind.min_length == kind.max_length:
        return f" ({kind.min_length})"
    return f" (at least {kind.min_length})" if kind.min_length else ""


def _integer(kind: IntType) -> str:
    bounds = []
    if kind.gt is not None:
        bounds.append(f"above {kind.gt}")
    if kind.ge is not None and kind.ge != -MAX_SAFE_INTEGER:
        bounds.append(f"from {kind.ge}")
    if kind.le is not None and kind.le != MAX_SAFE_INTEGER:
        bounds.append(f"to {kind.le}")
    return " ".join(["integer", *bounds])


def _string(kind: StrType) -> str:
    if kind.pattern is not None:
        escaped = kind.pattern.removeprefix("^").removesuffix(r"(?!\n)$").replace("|", r"\|")
        return _named_patterns().get(kind.pattern) or f"`{escaped}`"
    return f"text, {kind.min_length} to {kind.max_length} characters" if kind.max_length else "text"


@cache
def _named_patterns() -> dict[str | None, str]:
    forms = ((type_info(form), name) for form, name in NAMES_OF_FORMS.items())
    return {form.pattern: name for form, name in forms if isinstance(form, StrType)}


def _parts() -> set[type[msgspec.Struct]]:
    """The structs inside payloads, however deep."""
    found: set[type[msgspec.Struct]] = set()
    waiting: list[Type] = [type_info(payload) for payload in (*EVENT_TYPES.values(), Payload)]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, StructType):
            waiting += [field.type for field in kind.fields]
            if kind.cls is not Payload and kind.cls not in EVENT_TYPES.values():
                found.add(kind.cls)
        elif isinstance(kind, ListType):
            waiting.append(kind.item_type)
        elif isinstance(kind, UnionType):
            waiting += kind.types
    return found


def _struct(info: Type) -> StructType:
    if not isinstance(info, StructType):
        raise TypeError(f"{info} is no struct")
    return info


def main() -> None:
    """Write all pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
    for name, page in STREAM_PAGES.items():
        (STREAMS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
