"""Do the pages say what the code does: every event, rule, problem, setting, route and refusal?"""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api.problem_types import PROBLEM_TYPES
from audit_cli.main import COMMANDS
from audit_service import settings
from audit_service.catalogue import common
from audit_service.catalogue.types import EVENT_TYPES
from audit_service.failpoints import VARIABLE as FAILPOINTS
from audit_service.rules.rulebook import RULES
from projections.folds import budget_book, budget_columns, settlement

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_RULE_ID = re.compile(r'rule_id=\s*"([a-z]+\.[a-z-]+)"')
_KOREAN_TERM = re.compile(r"\(([가-힣][가-힣 ,·]*)\)")


def _generator() -> ModuleType:
    sys.path.insert(0, str(DOCS))  # as when the file is run
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _generator()


def _page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _first_cells(page: str) -> set[str]:
    """The code in the first column of the tables of a page."""
    return set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(GENERATOR.PAGES))
def test_committed_pages_are_what_the_code_says(name: str) -> None:
    assert _page(f"reference/{name}") == GENERATOR.PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("name", sorted(GENERATOR.STREAM_PAGES))
def test_committed_stream_pages_are_what_the_code_says(name: str) -> None:
    assert _page(f"streams/{name}") == GENERATOR.STREAM_PAGES[name](), "run `make docs`"


def test_every_event_rule_and_problem_has_its_place() -> None:
    events, rules, problems = (_page(f"reference/{name}.md") for name in ("events", "rules", "problems"))
    assert set(re.findall(r"^### `([^`]+)`$", events, re.MULTILINE)) == set(EVENT_TYPES)
    assert _first_cells(rules) == set(RULES)
    assert _first_cells(problems) == set(PROBLEM_TYPES)


def test_every_refusal_outside_the_rules_is_described() -> None:
    sources = [*ROOT.glob("audit_service/**/*.py"), *ROOT.glob("api/**/*.py")]
    used = {found for source in sources for found in _RULE_ID.findall(source.read_text(encoding="utf-8"))}
    documented = _first_cells(_page("http-api.md").partition("Before a rule of the ledger is asked")[2]) - {"rule_id"}
    assert used - set(RULES) == documented - set(RULES)


def test_every_setting_is_described() -> None:
    described = _first_cells(_page("reference/configuration.md"))
    fields = {name for name in settings.Settings.__dataclass_fields__ if name != "data_dir"}
    assert described == fields
    # Whoever reads the environment reads it under the name that the page tells.
    source = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("audit_service/**/*.py"))
    named = set(re.findall(r'"(AUDIT_[A-Z_]+)"', source)) - {FAILPOINTS}  # asks for faults, which no operator does
    assert named <= {settings.variable_of(name) for name in fields}


def test_every_route_is_described() -> None:
    routes = set()
    for source in ROOT.glob("api/*.py"):
        text = source.read_text(encoding="utf-8")
        found = re.findall(r'@router\.(get|post|options)\(\s*f?"([^"]+)"', text)
        added = re.findall(r'router\.add_api_route\(\s*"([^"]+)",\s*\w+,\s*methods=\["([A-Z]+)"\]', text)
        for method, path in [*found, *((method, path) for path, method in added)]:
            routes.add(f"{method.upper()} {path.replace(':path}', '}')}")
    registers = {f"GET /v1/{plural}" for plural in ("contracts", "projects", "services", "organisations")}
    templates = {"GET /v1/{plural}", "GET /v1/{plural}/{{key}}"}
    assert templates <= routes, "the registers are no longer made from a template: update this test"
    routes = (routes - templates) | registers | {f"{route}/{{key}}" for route in registers}
    table = _page("http-api.md").partition("## Routes")[2].partition("\n## ")[0]
    described = set(re.findall(r"`((?:GET|POST|OPTIONS) [^`]+)`", table))
    assert {route for route in routes if not route.startswith("GET /static")} <= described
    assert described <= routes


def test_the_glossary_has_every_word_of_the_catalogue() -> None:
    glossary = _page("glossary.md")
    streams = set(re.findall(r"`([a-z]+)/<?[a-z]", glossary.partition("## Streams")[2].partition("\n## ")[0]))
    assert streams == {name.partition(".")[0] for name in EVENT_TYPES}
    terms = {
        term.strip()
        for payload in (*EVENT_TYPES.values(), *vars(common).values())
        if inspect.isclass(payload) and payload.__doc__
        for found in _KOREAN_TERM.findall(payload.__doc__)
        for term in found.split(",")
    }
    assert terms, "the catalogue names no Korean term any more: update this test"
    assert {term for term in terms if term not in glossary} == set()


def test_every_column_and_check_of_a_budget_is_described() -> None:
    page = _page("budget-columns.md")
    described = re.findall(r"^\| `([a-z0-9_]+_(?:won|bp))` \|", page, re.MULTILINE)
    assert described == [*budget_columns.COLUMNS, *budget_columns.RATES]
    checks = {table for table in (*budget_book.TABLES, *settlement.TABLES) if table.endswith(("_checks", "_chain"))}
    assert {table for table in checks if f"`{table}`" not in page} == set()


def test_every_command_is_described() -> None:
    commands = {name for name, command in COMMANDS.items() if importlib.util.find_spec(command.module)}
    assert set(re.findall(r"^## audit ([a-z]+)$", _page("reference/commands.md"), re.MULTILINE)) == commands
    assert set(re.findall(r"^\| `audit ([a-z]+)", _page("command-line.md"), re.MULTILINE)) == commands
