"""May a module import only what stands on a list? A contract type for import-linter.

Import-linter's own `forbidden` contract names what must stay out, so the next library that somebody adds is
allowed. Across a trust border it has to be the other way round: everything is out but the standard library
and the list.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, cast

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    from grimp import ImportGraph


class OnlyContract(Contract):
    """`modules`, apart from `without`, import the standard library, each other and `allowed`, nothing else.

    Names are packages (with all below them) or shell patterns such as `projections.replay*`. Only direct
    imports are read: what an allowed package imports in turn is the matter of its own contract.
    """

    type_name = "only"

    modules = fields.SetField(subfield=fields.StringField())
    without = fields.SetField(subfield=fields.StringField(), required=False, default=frozenset())
    allowed = fields.SetField(subfield=fields.StringField(), required=False, default=frozenset())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001, ARG002 - their call
        """Compare every direct import of the modules with the list."""
        # The fields hold the parsed sets once the contract is built.
        modules = cast("set[str]", self.modules)
        without = cast("set[str]", self.without)
        allowed = cast("set[str]", self.allowed)
        ours = {
            name
            for name in graph.modules
            if not graph.is_module_squashed(name) and _within(name, modules) and not _within(name, without)
        }
        silent = {pattern for pattern in modules if not any(_within(name, {pattern}) for name in ours)}
        broken = [
            (importer, imported)
            for importer in sorted(ours)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported not in ours
            and imported.partition(".")[0] not in sys.stdlib_module_names
            and not _within(imported, allowed)
        ]
        return ContractCheck(kept=not broken and not silent, metadata={"broken": broken, "silent": sorted(silent)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Say which module imports what it must not."""
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} imports {imported}", bold=False)
        for pattern in check.metadata["silent"]:
            output.print_error(f"{pattern} names no module", bold=False)


def _within(name: str, patterns: set[str]) -> bool:
    return any(fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*") for pattern in patterns)
