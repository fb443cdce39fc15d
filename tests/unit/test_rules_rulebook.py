"""Does every rule id have its sentence, is each raised somewhere in the code, and does a test break each?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from audit_service.catalogue.types import EVENT_TYPES
from audit_service.rules.decide import RULE_OF, RULES, reads
from tests.support.contract_events import advance_paid, contract_corrected
from tests.support.events import (
    CONTRACT,
    batch,
    budget,
    carry_in,
    contract_paid,
    credential_issued,
    credential_revoked,
    instalment,
    obligated,
    opened,
    opening,
    organisation_named,
    schema_published,
    signed,
    transaction,
)
from tests.unit import (
    test_rules_approvals,
    test_rules_budget,
    test_rules_budget_appropriation,
    test_rules_budget_book,
    test_rules_budget_carry_over,
    test_rules_budget_corrections,
    test_rules_budget_moves,
    test_rules_budget_spending,
    test_rules_budget_year_end,
    test_rules_contract,
    test_rules_contract_corrections,
    test_rules_contract_returns,
    test_rules_contract_tender,
    test_rules_contract_work,
    test_rules_envelope,
    test_rules_governance,
    test_rules_groups,
    test_rules_notices,
    test_rules_privacy,
    test_rules_project,
    test_rules_registry,
    test_rules_report,
    test_rules_sequences,
    test_rules_service,
    test_rules_service_later,
    test_rules_tokens,
)

RULE_FILES = Path(__file__).parents[2] / "audit_service" / "rules"
RULE_ID = re.compile(r"(envelope|privacy|registry|budget|contract|project|service|report)\.[a-z]+(-[a-z]+)*")


TABLES = (
    test_rules_budget,
    test_rules_budget_appropriation,
    test_rules_budget_book,
    test_rules_budget_carry_over,
    test_rules_budget_corrections,
    test_rules_budget_moves,
    test_rules_budget_spending,
    test_rules_budget_year_end,
    test_rules_contract,
    test_rules_contract_corrections,
    test_rules_contract_returns,
    test_rules_contract_tender,
    test_rules_contract_work,
    test_rules_governance,
    test_rules_notices,
    test_rules_project,
    test_rules_registry,
    test_rules_report,
    test_rules_sequences,
    test_rules_service,
    test_rules_service_later,
    test_rules_tokens,
)


def raised_ids() -> set[str]:
    """Every text of the form of a rule id in the code of the rules, the rulebook apart."""
    return {
        node.value
        for path in RULE_FILES.glob("*.py")
        if path.name != "rulebook.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and RULE_ID.fullmatch(node.value)
    }


def ids_in_tables() -> set[str]:
    """Every rule id that a row of a test's table expects."""
    return (
        {case.rule_id for table in TABLES for case in table.REFUSALS}
        | {rule_id for rule_id, *_ in test_rules_registry.SIGNERS}
        | {rule_id for rule_id, *_ in test_rules_governance.SIGNERS}
        | {rule_id for rule_id, *_ in test_rules_approvals.REFUSALS}
        | {rule_id for rule_id, _ in test_rules_envelope.MALFORMED}
        | {rule_id for rule_id, *_ in test_rules_groups.BROKEN}
        | {test_rules_privacy.RULE}
    )


def test_every_raised_rule_has_its_sentence() -> None:
    assert raised_ids() == set(RULES)


def test_every_rule_is_broken_by_a_test() -> None:
    assert set(RULES) - ids_in_tables() == set()


def test_sentences_are_sentences() -> None:
    for rule_id, sentence in RULES.items():
        assert RULE_ID.fullmatch(rule_id)
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "\n" not in sentence


def test_every_type_has_its_rule() -> None:
    assert set(RULE_OF) == set(EVENT_TYPES)


def test_a_rule_names_the_other_streams_that_it_reads() -> None:
    assert reads(obligated(1)) == ()
    assert reads(obligated(1, contract="lamps")) == (CONTRACT,)
    assert reads(obligated(1, contract="x/y")) == ()
    assert reads(opening({"a": 1})) == (budget(2020),)
    assert reads(carry_in(1)) == (budget(2021),)
    assert reads(carry_in(1, {"from_subject": "작년"})) == ()
    line_a = {"subject": budget(), "line_id": "a"}
    assert reads(signed({"budget_lines": [line_a, line_a, {**line_a, "subject": "예산"}]})) == (budget(),)
    assert reads(instalment()) == (budget(2022),)
    assert reads(signed({"plan_subject": budget(2020), "plan_id": "tunnel"})) == (budget(), budget(2020))
    assert reads(contract_paid(1)) == (budget(),)
    assert reads(advance_paid(1)) == (budget(),)
    assert reads(contract_corrected("cp1")) == ()
    assert reads(contract_corrected("cp1", data={"budget_subject": budget()})) == (budget(),)
    assert reads(batch({"loan": 5})) == ("service/library",)
    assert reads(transaction(1)) == ()
    assert reads(credential_issued(1)) == ("service/library",)
    assert reads(credential_revoked(1)) == ()
    assert reads(schema_published()) == ("registry/log",)
    assert reads(organisation_named()) == ("registry/log",)
    assert reads(opened()) == ()
