"""Does the replay find every kind of tampering and name its place, and does it find nothing in an honest log?

Two tables. In the first a dishonest *service* writes something wrong and publishes it with everything hashed and
signed as it should be. In the second somebody changes *bytes* of what an honest service published. Both begin
from the same log, which holds: the first test.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from projections import replay as replay_module
from projections.log_source import DirectoryLog
from projections.replay import replay
from projections.replay_verdict import CHECKS
from tests.support.log_builder import (
    BUDGET,
    CITY,
    PERIOD,
    ROADS,
    LogBuilder,
    carry_over,
    open_year,
    pay,
    private_key,
    small_log,
    write_log,
)
from verifier.bundles import decode_bundle, encode_bundle
from verifier.canonical import encode_canonical, parse_strict
from verifier.envelope import approve_submission, sign_submission
from verifier.notes import NoteSigner, VerifierKey
from verifier.tiles import bundle_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from projections.replay_verdict import Verdict

TRANSACTIONS = 600  # more than two bundles, so that there are full tiles, a level 1 and partial ones


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an honest service published; tests copy it before they change it."""
    directory = tmp_path_factory.mktemp("honest")
    small_log(transactions=TRANSACTIONS).publish(directory)
    return directory


def run(directory: Path, vkey: str, **options: Any) -> Verdict:
    answers = directory / "answers"
    return replay(
        DirectoryLog(directory),
        vkey=VerifierKey.parse(vkey),
        answers=answers if answers.is_dir() else None,
        **options,
    )


def test_an_honest_log_holds(honest: Path) -> None:
    """The negative control of everything below."""
    log = small_log(transactions=TRANSACTIONS)
    verdict = run(honest, log.vkey)
    assert verdict.violations == []
    assert verdict.holds
    assert verdict.entries == len(log.entries)
    # This log publishes no report; tests/threats/test_t8_lying_projection.py is about those that do.
    statuses = {check: verdict.status(check) for check in CHECKS}
    assert statuses.pop("reports") == "nothing to check"
    assert set(statuses.values()) == {"holds"}


# --- a dishonest service --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wrong:
    """What a dishonest service appends to an honest log, and what the replay must say about it."""

    name: str
    append: Callable[[LogBuilder], None]
    check: str
    says: str


def _allot(log: LogBuilder, amount_won: int, **attributes: Any) -> int:
    data = {"line_id": "lamps", "quarter": 3, "amount_won": amount_won}
    return log.submit("budget.allotted.v1", BUDGET, data, **attributes)


def _allotment(log: LogBuilder, **attributes: Any) -> dict[str, Any]:
    data = {"line_id": "lamps", "quarter": 3, "amount_won": 1000}
    return log.submission("budget.allotted.v1", BUDGET, data, **attributes)


def _signed(log: LogBuilder) -> dict[str, Any]:
    return sign_submission(_allotment(log), private_key(ROADS))


def _name_roads(log: LogBuilder, **attributes: Any) -> int:
    data = {"code": "roads", "name_ko": "도로과"}
    return log.submit("registry.organisation-named.v1", "registry/agency/roads", data, **attributes)


def _change_signature(log: LogBuilder) -> None:
    signed = _signed(log)
    header, dots, signature = signed["signature"].partition("..")
    # A character in the middle: the last one of base64 has unused bits.
    middle = "A" if signature[40] != "A" else "B"
    log.record({**signed, "signature": header + dots + signature[:40] + middle + signature[41:]})


def _change_what_was_signed(log: LogBuilder) -> None:
    signed = _signed(log)
    log.record({**signed, "data": {**signed["data"], "amount_won": 1001}})


def _approve_by_stranger(log: LogBuilder) -> None:
    log.record(approve_submission(_signed(log), private_key("stranger")))


def _write_raw(change: Callable[[bytes], bytes]) -> Callable[[LogBuilder], None]:
    def append(log: LogBuilder) -> None:
        index = _allot(log, 1000)
        log.entries[index] = change(log.entries[index])

    return append


def _drop_transaction(log: LogBuilder) -> None:
    manifest = log.seal(300, batch_id="batch-2")
    del log.entries[manifest + 150]


def _drop_last_transaction(log: LogBuilder) -> None:
    log.seal(300, batch_id="batch-2")
    del log.entries[-1]


def _change_transaction(log: LogBuilder, number: int, **changes: Any) -> None:
    manifest = log.seal(300, batch_id="batch-2")
    attributes = parse_strict(log.entries[manifest + number])
    log.entries[manifest + number] = encode_canonical({**attributes, **changes})


def _change_commitment(log: LogBuilder) -> None:
    _change_transaction(log, 7, data=log.transaction("another", 7)["data"])


def _swap_transactions(log: LogBuilder) -> None:
    manifest = log.seal(300, batch_id="batch-2")
    one, other = (parse_strict(log.entries[manifest + number]) for number in (7, 8))
    # Each keeps its place and number, and takes the other's commitment.
    log.entries[manifest + 7] = encode_canonical({**one, "data": other["data"]})
    log.entries[manifest + 8] = encode_canonical({**other, "data": one["data"]})


def _foreign_transaction(log: LogBuilder) -> None:
    log.record(log.transaction("batch-9", 1))


WRONG = [
    Wrong("an unknown key", lambda log: void(_allot(log, 1000, key="stranger")), "signatures", "registry.key-unknown"),
    Wrong("a key without the scope", lambda log: void(_name_roads(log, source=ROADS)), "signatures", "key-scope"),
    Wrong("another agency's key", lambda log: void(_allot(log, 1000, key=CITY)), "signatures", "source-mismatch"),
    Wrong("no signature", lambda log: void(log.record(_allotment(log))), "signatures", "found none"),
    Wrong("a changed signature", _change_signature, "signatures", "signature: "),
    Wrong("changed after signing", _change_what_was_signed, "signatures", "signature: "),
    Wrong("an approval by a stranger", _approve_by_stranger, "signatures", "registry.key-unknown"),
    Wrong("an overspent line", lambda log: void(_allot(log, 900_000)), "rules", "budget.line-overspent"),
    Wrong("a payment too many", lambda log: pay(log, 2, 200_001), "rules", "budget.obligation-overpaid"),
    Wrong("a year opened twice", lambda log: open_year(log, BUDGET, 2021), "rules", "budget.year-opened-twice"),
    Wrong("a gap in positions", lambda log: void(log.record(_signed(log), position=99)), "order", "found 99"),
    Wrong(
        "recordedtime going back",
        lambda log: void(log.record(_signed(log), recordedtime="2021-03-01T00:00:00.000Z")),
        "order",
        "recordedtime goes back",
    ),
    Wrong("an id twice", lambda log: void(_allot(log, 1000, id="paid-1")), "order", "id paid-1 came before"),
    Wrong("half of a payment", lambda log: pay(log, 2, 1000, both=False), "groups", "contract.payment-alone"),
    Wrong("half of a carry-over", lambda log: carry_over(log, 1, both=False), "groups", "budget.carry-over-alone"),
    Wrong("a dropped transaction", _drop_transaction, "groups", "service.batch-order"),
    Wrong("a dropped last transaction", _drop_last_transaction, "groups", "service.batch-incomplete"),
    Wrong("a transaction without a batch", _foreign_transaction, "groups", "service.unsealed"),
    Wrong("another commitment", _change_commitment, "groups", "submissions_root"),
    Wrong("two commitments swapped", _swap_transactions, "groups", "submissions_root"),
    Wrong(
        "transactions that say when they happened",
        lambda log: void(log.seal(5, batch_id="batch-9", time="2021-03-17T05:31:00.000Z")),
        "rules",
        "service.transaction-time",
    ),
    Wrong(
        "a batch with a small cell",
        lambda log: void(log.seal(4, batch_id="batch-9")),
        "rules",
        "service.small-cell",
    ),
    Wrong(
        "a transaction's time",
        lambda log: _change_transaction(log, 9, time="2021-03-01T00:00:00.001Z"),
        "groups",
        "submissions_root",
    ),
    Wrong(
        "a transaction's impossible time",
        lambda log: _change_transaction(log, 9, time="2021-02-30T00:00:00.000Z"),
        "form",
        "attribute time",
    ),
    Wrong(
        "a transaction with a legal date",
        lambda log: _change_transaction(log, 9, legaldate="2021-03-01"),
        "form",
        "envelope.legal-date-unexpected",
    ),
    Wrong(
        "a transaction's position",
        lambda log: _change_transaction(log, 9, position=5),
        "order",
        f"position in {PERIOD}",
    ),
    Wrong(
        "a transaction's kind",
        lambda log: _change_transaction(log, 9, data={**log.transaction("b", 1)["data"], "kind": "sale"}),
        "groups",
        "service.batch-kinds-differ",
    ),
    Wrong(
        "a commitment twice",
        lambda log: _change_transaction(log, 9, data=log.transaction("batch-1", 1)["data"]),
        "rules",
        "service.commitment-duplicate",
    ),
    Wrong(
        "a commitment in capitals",
        lambda log: _change_transaction(log, 9, data={**log.transaction("b", 1)["data"], "commitment": "A" * 64}),
        "rules",
        "service.commitment-form",
    ),
    Wrong("spaces", _write_raw(lambda entry: entry.replace(b":", b": ")), "form", "canonical"),
    Wrong("another specversion", _write_raw(lambda entry: entry.replace(b'"1.0"', b'"1.1"')), "form", "specversion"),
    Wrong("no JSON", _write_raw(lambda _entry: b"\xff\x00"), "form", "UTF-8"),
    Wrong("an empty entry", _write_raw(lambda _entry: b""), "form", "JSON"),
    Wrong("a deep entry", _write_raw(lambda _entry: b"[" * 60_000), "form", "deep"),
    Wrong("an unknown type", _write_raw(lambda entry: entry.replace(b"allotted", b"pocketed")), "form", "catalogue"),
    Wrong("an unknown field", _write_raw(lambda entry: entry.replace(b"quarter", b"quarrel")), "form", "quar"),
    Wrong("a float", _write_raw(lambda entry: entry.replace(b":1000,", b":1e3,")), "form", "fraction"),
    Wrong("an id kept for batches", lambda log: void(_allot(log, 1000, id="a/1")), "form", "sealed batches"),
]


def void(_index: int) -> None:
    """An appended entry's index that nobody needs."""


def _named(cases: list[Any]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=[case.name.replace(" ", "-") for case in cases])


@_named(WRONG)
def test_what_a_dishonest_service_publishes_is_found(case: Wrong, tmp_path: Path) -> None:
    log = small_log(transactions=TRANSACTIONS)
    honest_size = len(log.entries)
    case.append(log)
    write_log(tmp_path / "log", log.entries, log.signer)

    verdict = run(tmp_path, log.vkey)

    assert not verdict.holds
    found = [violation for violation in verdict.violations if violation.check == case.check]
    assert found, [str(violation) for violation in verdict.violations]
    assert case.says in str(found[0])
    assert found[0].index is not None
    assert found[0].index >= honest_size  # the place is in what was appended, not before it
    # Bytes, hashes and signature of the log itself are in order: only the named check speaks.
    assert verdict.status("tree") == verdict.status("checkpoint") == "holds"


@_named(WRONG)
def test_runs_of_transactions_are_judged_as_one_by_one(
    case: Wrong, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fast path for sealed transactions reaches exactly the verdict of the plain one."""
    log = small_log(transactions=TRANSACTIONS)
    case.append(log)
    write_log(tmp_path / "log", log.entries, log.signer)
    fast = run(tmp_path, log.vkey).as_document()
    monkeypatch.setattr(replay_module, "take_run", lambda *_arguments: 0)
    plain = run(tmp_path, log.vkey).as_document()
    for document in (fast, plain):
        del document["seconds"], document["entries_per_second"]
    assert fast == plain


def test_what_an_honest_service_appends_holds(tmp_path: Path) -> None:
    """The negative control of the table: the same kinds of entries, done right."""
    log = small_log(transactions=TRANSACTIONS)
    _allot(log, 100_000)
    _name_roads(log, source=CITY)
    pay(log, 2, 200_000)
    log.seal(300, batch_id="batch-2")
    write_log(tmp_path / "log", log.entries, log.signer)
    verdict = run(tmp_path, log.vkey)
    assert verdict.violations == []


def test_a_log_of_another_key_is_not_this_log(honest: Path) -> None:
    """Checkpoint and genesis are both bound to the key that the auditor pinned."""
    other = NoteSigner.from_seed(small_log().signer.vkey.name, bytes(32))
    verdict = run(honest, str(other.vkey))
    assert verdict.status("checkpoint") == "does not hold"
    assert verdict.status("genesis") == "does not hold"
    assert verdict.status("rules") == "holds"


def test_a_genesis_of_another_log_is_found(tmp_path: Path) -> None:
    """A log whose genesis names another key, published under the pinned one."""
    log, other = small_log(), LogBuilder(origin="ledger.example/other")
    log.entries[0] = other.entries[0]
    write_log(tmp_path / "log", log.entries, log.signer)
    assert "expected origin" in str(run(tmp_path, log.vkey).violations[0])


# --- changed bytes --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """Which file of an honest log is changed how, and what the replay must say."""

    name: str
    path: str
    change: Callable[[bytes], bytes | None]
    check: str
    where: str


def flip(place: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        at = place if place >= 0 else len(data) + place
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return change


def change_entry(number: int) -> Callable[[bytes], bytes]:
    """One byte of an entry that stays JSON: a digit of its recorded time."""

    def change(data: bytes) -> bytes:
        entries = decode_bundle(data, expected=256)
        place = entries[number].index(b'"recordedtime":"2021') + 18
        entries[number] = flip(place)(entries[number])
        return encode_bundle(entries)

    return change


def another_size(data: bytes) -> bytes:
    lines = data.split(b"\n")
    lines[1] = str(int(lines[1]) - 1).encode()
    return b"\n".join(lines)


BUNDLE_1 = f"log/{bundle_path(1)}"
CHANGES = [
    Change("a byte of an entry", BUNDLE_1, change_entry(44), "tree", "entry 300 in tile/entries/001"),
    Change("the last byte of a bundle", BUNDLE_1, flip(-1), "tree", "entry 511 in tile/entries/001"),
    Change("a length in a bundle", BUNDLE_1, flip(1), "tree", "tile/entries/001"),
    Change("a bundle cut short", BUNDLE_1, lambda data: data[:-1], "tree", "tile/entries/001"),
    Change("a byte behind a bundle", BUNDLE_1, lambda data: data + b"\0", "tree", "tile/entries/001"),
    Change("an empty bundle", BUNDLE_1, lambda _data: b"", "tree", "tile/entries/001"),
    Change("no bundle", BUNDLE_1, lambda _data: None, "tree", "tile/entries/001"),
    Change(
        "a partial bundle's byte", "log/tile/entries/002.p/107", flip(-9), "tree", "entry 618 in tile/entries/002.p/107"
    ),
    Change("a byte of a tile", "log/tile/0/001", flip(32 * 5), "tree", "tile/0/001"),
    Change("a partial tile's byte", "log/tile/0/002.p/107", flip(32 * 5), "tree", "tile/0/002.p/107"),
    Change("a tile cut short", "log/tile/0/001", lambda data: data[:-32], "tree", "tile/0/001"),
    Change("no tile", "log/tile/0/001", lambda _data: None, "tree", "tile/0/001"),
    Change("a byte of an upper tile", "log/tile/1/000.p/2", flip(40), "tree", "tile/1/000.p/2"),
    Change("no upper tile", "log/tile/1/000.p/2", lambda _data: None, "tree", "tile/1/000.p/2"),
    Change("the checkpoint's root", "log/checkpoint", flip(40), "checkpoint", "checkpoint"),
    Change("the checkpoint's size", "log/checkpoint", another_size, "checkpoint", "checkpoint"),
    Change("the checkpoint's signature", "log/checkpoint", flip(-20), "checkpoint", "checkpoint"),
    Change("an empty checkpoint", "log/checkpoint", lambda _data: b"", "checkpoint", "checkpoint"),
    Change(
        "one won of an answer",
        f"answers/budget-book/{ROADS}%2F2021.json",
        lambda data: data.replace(b'"amount_won":500000', b'"amount_won":500001', 1).replace(b"900000", b"900001", 1),
        "answers",
        f"answers/budget-book/{ROADS}%2F2021.json",
    ),
    Change(
        "an answer cut short",
        "answers/settlement/roads.json",
        lambda data: data[:-1],
        "answers",
        "answers/settlement/roads.json",
    ),
    Change(
        "an answer's size",
        "answers/settlement/roads.json",
        lambda data: data.replace(b":619", b":999"),
        "answers",
        "answers/settlement/roads.json",
    ),
    Change(
        "an older answer",
        "answers/settlement/roads.json",
        lambda data: data.replace(b":619", b":12"),
        "answers",
        "answers/settlement/roads.json",
    ),
]


@_named(CHANGES)
def test_changed_bytes_are_found(case: Change, honest: Path, tmp_path: Path) -> None:
    directory = tmp_path / "copy"
    shutil.copytree(honest, directory)
    target = directory / case.path
    old, new = target.read_bytes(), case.change(target.read_bytes())
    assert new != old
    target.unlink() if new is None else target.write_bytes(new)

    verdict = run(directory, small_log().vkey)

    assert not verdict.holds
    first = verdict.violations[0]
    assert (first.check, first.where) == (case.check, case.where)


def test_one_won_of_an_answer_is_named_by_pointer_and_figures(honest: Path, tmp_path: Path) -> None:
    directory = tmp_path / "copy"
    shutil.copytree(honest, directory)
    path = directory / "answers" / "settlement" / "roads.json"
    answer = json.loads(path.read_bytes())
    row = answer["tables"]["settlements"][0]
    row["executed_won"] += 1
    path.write_bytes(encode_canonical(answer))

    (violation,) = run(directory, small_log().vkey).violations

    assert violation.details == {
        "pointer": "/tables/settlements/0/executed_won",
        "expected": 300_000,
        "found": 300_001,
    }
    assert "expected 300,000, found 300,001" in violation.message


def test_an_entry_and_its_tile_changed_together_do_not_fit_the_tile_above(honest: Path, tmp_path: Path) -> None:
    """Whoever changes an entry must change the tiles up to the root, and cannot sign the new root."""
    directory = tmp_path / "copy"
    log = small_log(transactions=TRANSACTIONS)
    shutil.copytree(honest, directory)
    checkpoint = (directory / "log" / "checkpoint").read_bytes()
    log.entries[300] = log.entries[300].replace(b"2021-04-01", b"2021-04-02")
    write_log(directory / "log", log.entries, log.signer)
    (directory / "log" / "checkpoint").write_bytes(checkpoint)
    tiles = [violation.where for violation in run(directory, log.vkey).violations if violation.check == "tree"]
    assert tiles == ["checkpoint"]  # every tile fits, the root does not

    shutil.copy(honest / "log/tile/1/000.p/2", directory / "log/tile/1/000.p/2")
    tiles = [violation.where for violation in run(directory, log.vkey).violations if violation.check == "tree"]
    assert tiles == ["tile/0/001"]  # and what is below it


def test_every_byte_of_the_checkpoint_counts(tmp_path: Path) -> None:
    log = LogBuilder()
    log.publish(tmp_path)
    path = tmp_path / "log" / "checkpoint"
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(flip(place)(good))
        verdict = run(tmp_path, log.vkey)
        assert verdict.findings.broken["checkpoint"], place


def test_every_byte_of_a_small_log_counts(tmp_path: Path) -> None:
    """Every 97th byte of every file, changed alone: never unseen, never a crash."""
    log = small_log(transactions=5)
    log.publish(tmp_path)
    tried = 0
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file():
            good = path.read_bytes()
            for place in range(len(path.name) % 97, len(good), 97):
                path.write_bytes(flip(place)(good))
                assert not run(tmp_path, log.vkey, check_signatures=False).holds, (path, place)
                tried += 1
            path.write_bytes(good)
    assert run(tmp_path, log.vkey).holds
    assert tried > 150


def test_violations_are_counted_beyond_those_that_are_shown(tmp_path: Path) -> None:
    log = small_log()
    for number in range(30):
        log.record(_allotment(log, id=f"unsigned-{number * 2}"))
        _allot(log, 1)
    write_log(tmp_path / "log", log.entries, log.signer)
    verdict = run(tmp_path, log.vkey, max_violations=7)
    assert len(verdict.violations) == 7
    assert verdict.more_violations == 23
    assert verdict.as_document()["more_violations"] == 23


def test_what_is_wrong_with_many_entries_in_a_row_is_one_violation(tmp_path: Path) -> None:
    log = small_log()
    first = len(log.entries)
    for number in range(1, 31):
        log.record(log.transaction("batch-9", number))
    write_log(tmp_path / "log", log.entries, log.signer)
    verdict = run(tmp_path, log.vkey)
    groups = [violation for violation in verdict.violations if violation.check == "groups"]
    assert [(violation.where, violation.last_index) for violation in groups] == [
        (f"entries {first} to {first + 29}", first + 29)
    ]
    assert verdict.findings.broken["groups"] == 30


def test_an_empty_log_has_no_genesis(tmp_path: Path) -> None:
    log = small_log()
    write_log(tmp_path / "log", [], log.signer)
    assert [violation.check for violation in run(tmp_path, log.vkey).violations] == ["genesis"]
