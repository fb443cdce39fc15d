"""Which bytes are entries, and what do their signatures cover?"""

from __future__ import annotations

import copy
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.canonical import encode_canonical
from verifier.envelope import (
    APPROVAL_TYP,
    SUBMISSION_TYP,
    approval_payload,
    approve_submission,
    key_id,
    parse_entry,
    parse_submission,
    require_submission,
    sign_jws,
    sign_submission,
    signature_kid,
    submission_digest,
    submission_payload,
    verify_approval,
    verify_signature,
)
from verifier.errors import MalformedInput, SignatureDoesNotHold

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
SECOND = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
PUBLIC, SECOND_PUBLIC = (key.public_key().public_bytes_raw() for key in (KEY, SECOND))

SUBMISSION: dict[str, Any] = {
    "specversion": "1.0",
    "id": "2021-adjust-0001",
    "source": "urn:kr:agency:seoul-smartcity",
    "type": "budget.adjusted.v1",
    "subject": "budget/seoul-smartcity/2021",
    "time": "2021-06-01T01:30:00.000Z",
    "legaldate": "2021-06-01",
    "sequence": "7",
    "expectedposition": 0,
    "data": {"amount_won": 1_000_000},
}
SIGNED = approve_submission(sign_submission(SUBMISSION, KEY), SECOND)
ENTRY = {**SIGNED, "position": 1, "recordedtime": "2021-06-01T01:30:02.481Z"}


def _entry(**changes: Any) -> bytes:
    return encode_canonical({**ENTRY, **changes})


def test_an_entry_is_read() -> None:
    assert parse_entry(_entry()) == ENTRY
    assert parse_submission(encode_canonical(SIGNED)) == SIGNED


@pytest.mark.parametrize("name", ["legaldate", "sequence", "expectedposition", "approval"])
def test_an_attribute_that_may_be_absent(name: str) -> None:
    attributes = {key: value for key, value in ENTRY.items() if key != name}
    assert parse_entry(encode_canonical(attributes)) == attributes


def test_a_transaction_of_a_sealed_batch_has_no_signature() -> None:
    attributes = {key: value for key, value in ENTRY.items() if key not in {"signature", "approval"}}
    assert parse_entry(encode_canonical(attributes)) == attributes


@pytest.mark.parametrize(
    "name", ["specversion", "id", "source", "type", "subject", "time", "data", "position", "recordedtime"]
)
def test_an_attribute_that_must_be_there(name: str) -> None:
    attributes = {key: value for key, value in ENTRY.items() if key != name}
    with pytest.raises(MalformedInput, match=f"missing attribute {name}"):
        parse_entry(encode_canonical(attributes))


@pytest.mark.parametrize("name", ["index", "datacontenttype", "Data", "dataschema", "", "id2"])
def test_an_attribute_that_it_cannot_have(name: str) -> None:
    with pytest.raises(MalformedInput, match="cannot have"):
        parse_entry(_entry(**{name: "x"}))


@pytest.mark.parametrize("name", ["position", "recordedtime"])
def test_an_agency_cannot_submit_what_the_service_adds(name: str) -> None:
    with pytest.raises(MalformedInput, match="cannot have"):
        require_submission({**SUBMISSION, name: ENTRY[name]})
    with pytest.raises(MalformedInput, match="cannot have"):
        parse_submission(encode_canonical({**SUBMISSION, name: ENTRY[name]}))
    require_submission(SUBMISSION)


WRONG: dict[str, list[Any]] = {
    "specversion": ["", "1", "1.0.0", "0.3", "1.0\n", 1, None],
    "id": ["", "a b", "a\n", "é", "a" * 129, "a%20b", "a+b", "a\u0000", 7, None, True],
    "source": [
        "",
        "seoul",
        "urn:kr:agency:",
        "urn:kr:agency:Seoul",
        "urn:kr:agency:-seoul",
        "urn:kr:agency:seoul\n",
        "urn:kr:agency:seoul/x",
        "urn:kr:agency:서울",
        "urn:kr:agency:" + "a" * 64,
        "URN:kr:agency:seoul",
        " urn:kr:agency:seoul",
    ],
    "type": [
        "",
        "budget",
        "budget.adjusted",
        "budget.adjusted.v0",
        "budget.adjusted.v01",
        "budget.adjusted.1",
        "Budget.adjusted.v1",
        "budget.adjusted.v1\n",
        "budget.adjusted.v١",
        "budget..v1",
        ".adjusted.v1",
    ],
    "subject": [
        "",
        "budget",
        "budget/",
        "/budget/a",
        "budget/a/",
        "budget//a",
        "budget/a b",
        "budget/../a",
        "budget/.a",
        "budget/a\n",
        "budget/%2e%2e",
        "예산/a",
        "budget/예산",
        "budget/a/b/c/d",
        "budget/" + "a" * 101,
    ],
    "time": [
        "",
        "2021-06-01",
        "2021-06-01T01:30:00Z",
        "2021-06-01T01:30:00.00Z",
        "2021-06-01T01:30:00.0000Z",
        "2021-06-01T01:30:00.000",
        "2021-06-01T01:30:00.000z",
        "2021-06-01t01:30:00.000Z",
        "2021-06-01 01:30:00.000Z",
        "2021-06-01T01:30:00.000+00:00",
        "2021-06-01T01:30:00,000Z",
        "2021-06-01T24:00:00.000Z",
        "2021-06-01T01:60:00.000Z",
        "2021-06-01T01:30:60.000Z",
        "2021-02-29T01:30:00.000Z",
        "2021-13-01T01:30:00.000Z",
        "2021-00-01T01:30:00.000Z",
        "0000-01-01T00:00:00.000Z",
        "٢021-06-01T01:30:00.000Z",
        "2021-06-01T01:30:00.000Z\n",
        "+2021-06-01T01:30:00.000Z",
        1622511000,
    ],
    "legaldate": [
        "",
        "2021-6-1",
        "20210601",
        "2021-06-31",
        "2021-02-29",
        "2021-W22-2",
        "2021-152",
        "2021-06-01T00:00",
        "2021-06-01\n",
        "٢٠٢١-٠٦-٠١",
        " 2021-06-01",
        None,
    ],
    "sequence": ["", "01", "+1", "-1", "1.0", "1e3", "١", " 1", "1\n", "1_0", "9" * 20, 7],
    "expectedposition": [-1, "0", True, None],
    "data": [[], "x", None, 1, True],
    "signature": ["", "..", "a..b", SIGNED["signature"] + "=", SIGNED["signature"] + "\n", None, 1],
    "approval": ["", "..", "a..b", SIGNED["approval"] + "\n", None],
    "position": [0, -1, "1", True, None],
    "recordedtime": ["2021-06-01T01:30:02Z", "2021-06-01T01:30:02.481+09:00", None, 0],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_an_attribute_that_is_not_of_its_form(name: str, value: Any) -> None:
    with pytest.raises(MalformedInput):
        parse_entry(_entry(**{name: value}))


RIGHT: dict[str, list[Any]] = {
    "id": ["a", "a" * 128, "batch/1", "A.b_c:d-9/0"],
    "source": ["urn:kr:agency:1", "urn:kr:agency:" + "a" * 63],
    "type": ["registry.log-created.v1", "budget.adjusted.v12"],
    "subject": [
        "registry/log",
        "service/mvoting/2020-Q1",
        "report/budget-book/seoul-smartcity/2021",
        "project/P.1_a-b",
    ],
    "time": ["2020-02-29T23:59:59.999Z", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"],
    "legaldate": ["2020-02-29", "1948-08-15"],
    "sequence": ["0", "1", "9" * 19],
    "expectedposition": [0, 2**53 - 1],
    "data": [{}],
    "position": [1, 2**53 - 1],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in RIGHT.items() for value in values])
def test_an_attribute_of_its_form(name: str, value: Any) -> None:
    assert parse_entry(_entry(**{name: value}))[name] == value


def test_what_is_no_entry_at_all() -> None:
    for data in (b"", b"[]", b"null", b'"x"', b" " + _entry(), _entry() + b"\n", b"\xef\xbb\xbf" + _entry()):
        with pytest.raises(MalformedInput):
            parse_entry(data)


def test_an_entry_in_another_layout_is_malformed() -> None:
    with pytest.raises(MalformedInput, match="canonical form"):
        parse_entry(_entry().replace(b'"data":', b'"data": '))
    with pytest.raises(MalformedInput, match="twice"):
        parse_entry(_entry().replace(b'{"amount_won":1000000}', b'{"amount_won":1,"amount_won":1000000}'))


def test_the_longest_entry() -> None:
    room = 65_535 - len(_entry(data={"note": ""}))
    assert len(_entry(data={"note": "x" * room})) == 65_535
    parse_entry(_entry(data={"note": "x" * room}))
    with pytest.raises(MalformedInput, match="at most 65535 bytes, found 65536"):
        parse_entry(_entry(data={"note": "x" * (room + 1)}))


def test_an_approval_without_a_signature_is_malformed() -> None:
    with pytest.raises(MalformedInput, match="without the signature"):
        parse_entry(encode_canonical({name: value for name, value in ENTRY.items() if name != "signature"}))


# --- signatures -----------------------------------------------------------------------------------------


def test_what_is_signed() -> None:
    assert submission_payload(ENTRY) == submission_payload(SIGNED) == encode_canonical(SUBMISSION)
    expected = encode_canonical({name: value for name, value in SIGNED.items() if name != "approval"})
    assert approval_payload(ENTRY) == approval_payload(SIGNED) == expected
    assert submission_digest(ENTRY) == sha256(encode_canonical(SUBMISSION)).digest()


def test_both_signatures_verify_in_the_submission_and_in_the_entry() -> None:
    for attributes in (SIGNED, ENTRY, parse_entry(_entry())):
        verify_signature(attributes, public_key=PUBLIC)
        verify_approval(attributes, public_key=SECOND_PUBLIC)
        assert signature_kid(attributes["signature"]) == key_id(PUBLIC)
        assert signature_kid(attributes["approval"]) == key_id(SECOND_PUBLIC)


def test_signing_changes_nothing_that_was_given() -> None:
    given = copy.deepcopy(SUBMISSION)
    sign_submission(given, KEY)
    assert given == SUBMISSION


def test_signing_again_drops_what_was_signed_before() -> None:
    again = sign_submission(SIGNED, SECOND)
    assert "approval" not in again
    verify_signature(again, public_key=SECOND_PUBLIC)


@pytest.mark.parametrize(
    "name", ["id", "source", "type", "subject", "time", "legaldate", "sequence", "expectedposition", "data"]
)
def test_every_attribute_is_signed(name: str) -> None:
    other: Any = {"expectedposition": 1, "data": {"amount_won": 1_000_001}}.get(name, f"{SUBMISSION[name]}0")
    changed = {**SIGNED, name: other}
    without = {key: value for key, value in SIGNED.items() if key != name}
    for attributes in (changed, without):
        with pytest.raises(SignatureDoesNotHold):
            verify_signature(attributes, public_key=PUBLIC)
        with pytest.raises(SignatureDoesNotHold):
            verify_approval(attributes, public_key=SECOND_PUBLIC)
        assert submission_digest(attributes) != submission_digest(SIGNED)


def test_an_attribute_that_was_added_does_not_hold() -> None:
    with pytest.raises(SignatureDoesNotHold):
        verify_signature({**SIGNED, "extra": "x"}, public_key=PUBLIC)


def test_the_service_cannot_break_a_signature() -> None:
    verify_signature({**ENTRY, "position": 99, "recordedtime": "2022-01-01T00:00:00.000Z"}, public_key=PUBLIC)


def test_the_digest_does_not_depend_on_who_signed() -> None:
    assert submission_digest(sign_submission(SUBMISSION, SECOND)) == submission_digest(SIGNED)


def test_an_approval_belongs_to_one_signature() -> None:
    """Another signature over the same submission takes the approval away."""
    third = Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)
    moved = {**sign_submission(SUBMISSION, third), "approval": SIGNED["approval"]}
    with pytest.raises(SignatureDoesNotHold):
        verify_approval(moved, public_key=SECOND_PUBLIC)


def test_nobody_approves_alone() -> None:
    with pytest.raises(MalformedInput, match="another key"):
        approve_submission(sign_submission(SUBMISSION, KEY), KEY)
    signed = sign_submission(SUBMISSION, KEY)
    forced = {**signed, "approval": sign_jws(approval_payload(signed), private_key=KEY, typ=APPROVAL_TYP)}
    with pytest.raises(MalformedInput, match="another key"):
        verify_approval(forced, public_key=PUBLIC)


def test_nothing_unsigned_is_approved() -> None:
    with pytest.raises(MalformedInput, match="no signature to approve"):
        approve_submission(SUBMISSION, SECOND)


@pytest.mark.parametrize("verify", [verify_signature, verify_approval])
@pytest.mark.parametrize("value", [None, 1, ["x"]])
def test_a_missing_signature_does_not_hold(verify: Callable[..., None], value: Any) -> None:
    with pytest.raises(SignatureDoesNotHold, match="found none"):
        verify({**SUBMISSION, "signature": value, "approval": value}, public_key=PUBLIC)
    with pytest.raises(SignatureDoesNotHold, match="found none"):
        verify(SUBMISSION, public_key=PUBLIC)


def test_an_approval_cannot_be_shown_as_a_signature() -> None:
    wrong = sign_jws(submission_payload(SUBMISSION), private_key=KEY, typ=APPROVAL_TYP)
    with pytest.raises(SignatureDoesNotHold, match="expected type"):
        verify_signature({**SUBMISSION, "signature": wrong}, public_key=PUBLIC)


def test_the_key_of_another_kind_of_signature_is_not_told() -> None:
    with pytest.raises(MalformedInput, match="another type"):
        signature_kid(sign_jws(b"x", private_key=KEY, typ="jwt"))
    assert signature_kid(sign_jws(b"x", private_key=KEY, typ=SUBMISSION_TYP)) == key_id(PUBLIC)
