"""Threat T8: the log is honest and the report lies. Is each lie caught, by the light check, by replay, or by both?

A lie is told in one of two ways. The city edits what it *shows* (its read model), against the root in the log: the
light check fails, in the hands of anybody. Or it *binds* itself to the lie, with a root of its own making, signed by
the real publisher's key: then every light check passes, and replay finds it. Each case has its control: somebody who
does not check believes it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from projections import replay as replay_module
from projections.log_source import DirectoryLog
from projections.replay import replay
from tests.support.log_builder import CONTRACT
from tests.support.report_log import HEADS, REGISTER, SETTLEMENT, ReportingCity, Shown, key_of
from verifier.canonical import encode_canonical
from verifier.errors import ProofDoesNotHold, VerificationError
from verifier.row_proofs import verify_row_proof
from verifier.stream_proofs import parse_stream_head, verify_stream_complete

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from projections.replay_verdict import Verdict
    from projections.reports.definitions import ReportRef

ROW = "settlements/2021/lights"
OTHER = "settlements/2022/lights"
FIGURE = "unspent_won"
Rows = list[bytes]


def edited(rows: Rows) -> Rows:
    """One won, in one row."""
    return [_with(row, FIGURE, json.loads(row)["cells"][FIGURE] + 1) if key_of(row) == ROW else row for row in rows]


def one_left_out(rows: Rows) -> Rows:
    return [row for row in rows if key_of(row) != ROW]


def swapped(rows: Rows) -> Rows:
    """Two rows' figures change places: every sum over the rows stays as it is."""
    figures = {key_of(row): json.loads(row)["cells"].get(FIGURE) for row in rows}
    assert figures[ROW] != figures[OTHER]
    other = {ROW: figures[OTHER], OTHER: figures[ROW]}
    return [_with(row, FIGURE, other[key_of(row)]) if key_of(row) in other else row for row in rows]


def one_added(rows: Rows) -> Rows:
    return sorted([*rows, encode_canonical({**json.loads(rows[0]), "key": "settlements/2023/lights"})], key=key_of)


LIES: tuple[Callable[[Rows], Rows], ...] = (edited, one_left_out, swapped, one_added)


def _with(row: bytes, figure: str, amount_won: int) -> bytes:
    document = json.loads(row)
    document["cells"][figure] = amount_won
    return encode_canonical(document)


@pytest.fixture
def city() -> ReportingCity:
    return ReportingCity()


def light(city: ReportingCity, shown: Shown, row_key: str) -> Any:
    return verify_row_proof(city.prove(shown, row_key), vkey=city.log.signer.vkey, kind=shown.ref.kind, row_key=row_key)


def audited(city: ReportingCity, directory: Path, *shown: Shown) -> Verdict:
    city.save(directory, *shown)
    return replay(
        DirectoryLog(directory),
        vkey=city.log.signer.vkey,
        answers=directory / "answers",
        reports=directory / "reports",
    )


def rows_that_differ(verdict: Verdict) -> set[str]:
    return {row["row"] for report in verdict.reports for row in report.rows}


def test_an_honest_city_holds_in_both_checks(city: ReportingCity, tmp_path: Path) -> None:
    shown = [city.publish(ref) for ref in (SETTLEMENT, REGISTER, HEADS)]
    for report in shown:
        for row in report.rows:
            assert light(city, report, key_of(row)).row == json.loads(row)
        assert light(city, report, "no/such/row").row is None
    verdict = audited(city, tmp_path, *shown)
    assert verdict.holds, verdict.violations
    assert [report.verdict for report in verdict.reports] == ["equal"] * 3
    assert json.loads(json.dumps(verdict.as_document()))["reports"][0]["verdict"] == "equal"


# --- shown against the root in the log ------------------------------------------------------------------


@pytest.mark.parametrize("lie", LIES)
def test_an_edited_read_model_fails_the_light_check_of_every_row(
    city: ReportingCity, lie: Callable[[Rows], Rows]
) -> None:
    bound = city.publish(SETTLEMENT)
    shown = Shown(bound.ref, bound.index, bound.tree_size, tuple(lie(list(bound.rows))))
    assert shown.rows != bound.rows
    for row_key in {key_of(row) for row in (*bound.rows, *shown.rows)}:
        with pytest.raises(VerificationError):
            light(city, shown, row_key)


@pytest.mark.parametrize("lie", LIES)
def test_an_edited_read_model_is_named_row_by_row_in_replay(
    city: ReportingCity, tmp_path: Path, lie: Callable[[Rows], Rows]
) -> None:
    bound = city.publish(SETTLEMENT)
    shown = Shown(bound.ref, bound.index, bound.tree_size, tuple(lie(list(bound.rows))))
    verdict = audited(city, tmp_path, shown)
    assert not verdict.holds
    changed = {key_of(row) for row in {*bound.rows} ^ {*shown.rows}}
    assert rows_that_differ(verdict) == changed
    assert {violation.check for violation in verdict.violations} == {"reports"}


def test_one_won_is_named_with_row_figure_and_entries(city: ReportingCity, tmp_path: Path) -> None:
    bound = city.publish(SETTLEMENT)
    shown = Shown(bound.ref, bound.index, bound.tree_size, tuple(edited(list(bound.rows))))
    verdict = audited(city, tmp_path, shown)
    (difference,) = verdict.reports[0].rows
    right = next(json.loads(row) for row in bound.rows if key_of(row) == ROW)
    assert difference == {
        "row": ROW,
        "pointer": f"/cells/{FIGURE}",
        "expected": right["cells"][FIGURE],
        "found": right["cells"][FIGURE] + 1,
        "entries": right["entries"],
    }
    named = [violation.message for violation in verdict.violations if ROW in violation.message]
    assert named
    assert f"/cells/{FIGURE}" in named[0]


# --- bound to the lie: a root of the city's own making --------------------------------------------------


@pytest.mark.parametrize("lie", LIES)
def test_a_forged_root_passes_the_light_check_and_fails_the_replay(
    city: ReportingCity, tmp_path: Path, lie: Callable[[Rows], Rows]
) -> None:
    right = city.right_rows(SETTLEMENT, len(city.log.entries))
    shown = city.forge(SETTLEMENT, lie(right))
    for row in shown.rows:  # the limit of a light check, stated as a test
        assert light(city, shown, key_of(row)).row == json.loads(row)
    verdict = audited(city, tmp_path, shown)
    assert not verdict.holds
    assert [report.verdict for report in verdict.reports] == ["differs"]
    assert rows_that_differ(verdict) == {key_of(row) for row in {*right} ^ {*shown.rows}}


def test_a_forged_root_is_found_without_its_rows_too(city: ReportingCity, tmp_path: Path) -> None:
    city.forge(SETTLEMENT, edited(city.right_rows(SETTLEMENT, len(city.log.entries))))
    verdict = audited(city, tmp_path)
    assert [report.verdict for report in verdict.reports] == ["differs"]
    assert "the entries give" in verdict.violations[0].message


def test_one_lie_among_many_reports_is_the_only_one_named(city: ReportingCity, tmp_path: Path) -> None:
    before = city.publish(REGISTER)
    lie = city.forge(SETTLEMENT, edited(city.right_rows(SETTLEMENT, len(city.log.entries))))
    after = city.publish(HEADS)
    verdict = audited(city, tmp_path, before, lie, after)
    assert [(report.found.log_index, report.verdict) for report in verdict.reports] == [
        (before.index, "equal"),
        (lie.index, "differs"),
        (after.index, "equal"),
    ]


def test_a_row_left_out_of_a_bound_report_is_proven_absent_and_replay_says_that_it_is_not(
    city: ReportingCity, tmp_path: Path
) -> None:
    shown = city.forge(SETTLEMENT, one_left_out(city.right_rows(SETTLEMENT, len(city.log.entries))))
    assert light(city, shown, ROW).row is None
    assert rows_that_differ(audited(city, tmp_path, shown)) == {ROW}


@pytest.mark.parametrize(
    "data",
    [
        {"tree_size": 5},
        {"definition": {"name": "settlement", "version": 1, "sha256": "00" * 32}},
        {"definition": {"name": "settlement", "version": 2, "sha256": "00" * 32}},
        {"row_count": 1},
    ],
)
def test_right_rows_under_a_wrong_statement_are_found(
    city: ReportingCity, tmp_path: Path, data: dict[str, Any]
) -> None:
    """Rows of another tree size, or by a definition that nobody can look up, could say anything."""
    city.forge(SETTLEMENT, city.right_rows(SETTLEMENT, len(city.log.entries)), **data)
    verdict = audited(city, tmp_path)
    assert not verdict.holds
    assert verdict.reports[0].verdict in {"differs", "not recomputed"}


def test_rows_that_no_report_is_bound_to_are_found(city: ReportingCity, tmp_path: Path) -> None:
    bound = city.publish(SETTLEMENT)
    shown = Shown(bound.ref, bound.index, bound.tree_size - 1, bound.rows)
    verdict = audited(city, tmp_path, shown)
    assert "the log holds no such report at this tree size" in {violation.message for violation in verdict.violations}


# --- events left out of a list --------------------------------------------------------------------------


def test_an_event_left_out_of_a_list_is_seen_without_the_rest_of_the_log(city: ReportingCity) -> None:
    heads = city.publish(HEADS)
    row = light(city, heads, CONTRACT).row
    head = parse_stream_head(row)
    events = [entry for entry in city.log.entries if json.loads(entry)["subject"] == CONTRACT]
    assert len(verify_stream_complete(events, head)) == head.events == len(events) > 2
    for left_out in range(len(events)):
        with pytest.raises(ProofDoesNotHold):
            verify_stream_complete(events[:left_out] + events[left_out + 1 :], head)
    with pytest.raises(ProofDoesNotHold):
        verify_stream_complete([events[1], events[0], *events[2:]], head)


def test_heads_that_leave_an_event_out_are_found_by_replay(city: ReportingCity, tmp_path: Path) -> None:
    """The list without its last payment, and stream heads that agree with it: every light check passes."""
    events = [entry for entry in city.log.entries if json.loads(entry)["subject"] == CONTRACT]
    shorter = ReportingCity()
    shorter.log.entries = [entry for entry in city.log.entries if entry != events[-1]]
    lie = city.forge(HEADS, shorter.right_rows(HEADS, len(shorter.log.entries)))
    head = parse_stream_head(light(city, lie, CONTRACT).row)
    assert len(verify_stream_complete(events[:-1], head)) == len(events) - 1
    assert rows_that_differ(audited(city, tmp_path, lie)) == {CONTRACT}


# --- controls: who does not check believes it ------------------------------------------------------------


@pytest.mark.parametrize("lie", LIES)
def test_without_the_light_check_the_page_is_believed(city: ReportingCity, lie: Callable[[Rows], Rows]) -> None:
    """The proof file itself, read without following its hashes, says what the liar wants."""
    bound = city.publish(SETTLEMENT)
    shown = Shown(bound.ref, bound.index, bound.tree_size, tuple(lie(list(bound.rows))))
    row_key = key_of(next(iter({*shown.rows} - {*bound.rows}), shown.rows[0]))
    said = json.loads(city.prove(shown, row_key))
    assert said["claim"] == "present"
    assert json.loads(said["rows"][0]["row"])["key"] == row_key


@pytest.mark.parametrize("ref", [SETTLEMENT, HEADS])
def test_without_the_check_of_reports_a_replay_holds(
    city: ReportingCity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ref: ReportRef
) -> None:
    rows = city.right_rows(ref, len(city.log.entries))
    shown = city.forge(ref, rows[:-1])
    assert not audited(city, tmp_path / "a", shown).holds

    class LooksAway(replay_module.ReportsCheck):
        def judge(self, first: int, entries: list[bytes]) -> None:
            """See nothing."""

        def finish(self) -> None:
            """Miss nothing."""

    monkeypatch.setattr(replay_module, "ReportsCheck", LooksAway)
    assert audited(city, tmp_path / "b", shown).holds
