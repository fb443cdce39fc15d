"""Is a saved answer compared figure by figure with what the entries add up to, at its own tree size and legal date?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from audit_service.catalogue.event import decode_event
from projections import answers_check
from projections.folds.answers import answer_as_of, answer_to_bytes
from projections.log_source import DirectoryLog
from projections.replay import replay
from projections.saved_answers import answer_path
from tests.support.log_builder import LogBuilder, small_log, write_answers, write_file, write_log

if TYPE_CHECKING:
    from pathlib import Path

    from projections.replay_verdict import Verdict


@pytest.fixture(scope="module")
def log() -> LogBuilder:
    return small_log(transactions=300)


def compare(log: LogBuilder, tmp_path: Path, **options: Any) -> Verdict:
    write_log(tmp_path / "log", log.entries, log.signer)
    return replay(DirectoryLog(tmp_path), vkey=log.signer.vkey, answers=tmp_path / "answers", **options)


def save(log: LogBuilder, tmp_path: Path, kind: str, key: str, /, **change: Any) -> Path:
    """Save one answer at the present size, with some members changed."""
    write_answers(tmp_path / "made", log.entries)
    answer = json.loads(answer_path(tmp_path / "made", kind, key).read_bytes())
    path = answer_path(tmp_path / "answers", kind, key)
    write_file(path, json.dumps({**answer, **change}).encode())
    return path


@pytest.mark.parametrize("check_rules", [True, False])
@pytest.mark.parametrize("size", [1, 5, 16, 17, 100, 256, 257, 319])
def test_an_answer_is_compared_at_its_own_tree_size(
    log: LogBuilder, tmp_path: Path, size: int, *, check_rules: bool
) -> None:
    """Answers of several moments lie side by side; each is right for its moment only."""
    write_answers(tmp_path / "answers", log.entries[:size])
    verdict = compare(log, tmp_path, check_rules=check_rules)
    assert verdict.holds
    assert verdict.findings.examined["answers"] > 0


@pytest.mark.parametrize("check_rules", [True, False])
def test_an_answer_as_of_a_legal_date_is_recomputed_as_of_it(
    log: LogBuilder, tmp_path: Path, *, check_rules: bool
) -> None:
    events = [(index, decode_event(entry)) for index, entry in enumerate(log.entries)]
    size, day = len(events), "2021-12-30"  # before the carry-over, after the payments
    answer = answer_as_of(events, "settlement", "roads", tree_size=size, legal_date=day)
    assert answer is not None
    path = answer_path(tmp_path / "answers", "settlement", "roads")
    write_file(path, answer_to_bytes(answer))
    assert compare(log, tmp_path, check_rules=check_rules).holds

    write_file(path, answer_to_bytes({**answer, "legal_date": "2021-12-31"}))
    (first, *_rest) = compare(log, tmp_path, check_rules=check_rules).violations
    assert first.check == "answers"
    assert "carried_out_won" in first.message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": "parks"}, "its key is not the one"),
        ({"kind": "budget-book"}, "its kind is not the one"),
        ({"tree_size": 0}, "integer tree_size"),
        ({"tree_size": True}, "integer tree_size"),
        ({"tree_size": "319"}, "integer tree_size"),
        ({"tree_size": 320}, "computed at tree size 320; the checkpoint covers 319"),
        ({"tree_size": 1}, "the entries say nothing about this kind and key"),
        ({"legal_date": 20210101}, "legal_date YYYY-MM-DD"),
        ({"definition": {"name": "settlement", "version": 3}}, "/definition/version: expected 2, found 3"),
        ({"tables": {}}, "/tables/settlements: expected"),
        ({"more": None}, "/more: expected nothing, found None"),
        ({"tables": []}, "/tables: expected"),
    ],
)
def test_a_wrong_answer_is_named(log: LogBuilder, tmp_path: Path, change: dict[str, Any], says: str) -> None:
    save(log, tmp_path, "settlement", "roads", **change)
    verdict = compare(log, tmp_path)
    assert not verdict.holds
    assert any(says in str(violation) for violation in verdict.violations), [str(each) for each in verdict.violations]
    assert {violation.where for violation in verdict.violations} == {"answers/settlement/roads.json"}


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"7", b"\xff", b'{"kind":', b"[" * 100_000, b'{"a":1,"a":1}', b'{"a":1.0}']
)
def test_what_is_no_answer_is_named(log: LogBuilder, tmp_path: Path, data: bytes) -> None:
    write_file(tmp_path / "answers/settlement/roads.json", data)
    (violation,) = compare(log, tmp_path).violations
    assert violation.where == "answers/settlement/roads.json"


def test_an_answer_of_an_unknown_kind_is_not_passed_over(log: LogBuilder, tmp_path: Path) -> None:
    write_file(tmp_path / "answers/horoscope/roads.json", b'{"kind":"horoscope","key":"roads","tree_size":9}')
    (violation,) = compare(log, tmp_path).violations
    assert "a kind that this version does not know" in violation.message


def test_many_differences_of_one_answer_are_counted(log: LogBuilder, tmp_path: Path) -> None:
    path = save(log, tmp_path, "settlement", "roads")
    answer = json.loads(path.read_bytes())
    for row in answer["tables"]["settlements"]:
        for name in row:
            row[name] = "x"
    path.write_bytes(json.dumps(answer).encode())
    violations = compare(log, tmp_path).violations
    assert len(violations) == 11
    assert violations[-1].message.startswith("and ")
    assert violations[-1].message.endswith(" more differences")


def test_only_so_many_legal_dates_are_folded(log: LogBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each legal date needs folds of its own: a directory of answers must not fill the auditor's memory."""
    monkeypatch.setattr(answers_check, "_MAX_LEGAL_DATES", 1)
    save(log, tmp_path, "settlement", "roads", legal_date="2020-01-01")
    save(log, tmp_path, "budget-book", "roads/2021", legal_date="2020-01-02")
    messages = [violation.message for violation in compare(log, tmp_path).violations]
    assert "not compared: one legal date more than 1" in messages


def test_an_empty_folder_of_answers_compares_nothing_and_says_so(log: LogBuilder, tmp_path: Path) -> None:
    (tmp_path / "answers").mkdir()
    assert compare(log, tmp_path).status("answers") == "not made"
