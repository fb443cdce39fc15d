"""Does the contract type behind `.importlinter` turn red when a border is crossed?"""

from __future__ import annotations

from grimp import ImportGraph

from tests.support.import_contracts import OnlyContract

PURE = {"modules": ["checker"], "allowed": ["hashlib_of_somebody"]}


def _check(imports: dict[str, list[str]], options: dict[str, list[str]]) -> dict[str, list[object]]:
    graph = ImportGraph()
    external = {"hashlib_of_somebody", "webframework", "json"}
    for importer, targets in imports.items():
        graph.add_module(importer)
        for imported in targets:
            if imported not in graph.modules:
                graph.add_module(imported, is_squashed=imported in external)
            graph.add_import(importer=importer, imported=imported)
    contract = OnlyContract(name="pure", session_options={}, contract_options=dict(options))
    check = contract.check(graph, verbose=False)
    assert check.kept == (not check.metadata["broken"] and not check.metadata["silent"])
    return {"kept": [check.kept], **check.metadata}


def test_the_standard_library_the_list_and_each_other_are_allowed() -> None:
    imports = {"checker.tree": ["json", "hashlib_of_somebody", "checker.hashing"], "checker": []}
    assert _check(imports, PURE)["kept"] == [True]


def test_any_other_library_or_package_is_named() -> None:
    imports = {"checker.tree": ["webframework"], "checker.note": ["service.signing"]}
    assert _check(imports, PURE)["broken"] == [
        ("checker.note", "service.signing"),
        ("checker.tree", "webframework"),
    ]


def test_a_package_is_not_its_namesake_with_a_longer_name() -> None:
    assert _check({"checker.tree": ["checkers"]}, PURE)["broken"] == [("checker.tree", "checkers")]


def test_a_pattern_that_names_nothing_is_an_error() -> None:
    assert _check({"checker": []}, {"modules": ["checker", "reply*"]})["silent"] == ["reply*"]


def test_what_is_set_apart_may_import_more_and_may_not_be_imported() -> None:
    imports = {"checker.server": ["webframework"], "checker.tree": ["checker.server"]}
    found = _check(imports, {**PURE, "without": ["checker.server"]})
    assert found["broken"] == [("checker.tree", "checker.server")]
