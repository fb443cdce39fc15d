"""Which JSON do we read, and does everybody else read the same in it?

The corpus holds what parsers disagree about (after the JSON Parsing Test Suite and security notes on RFC 8259):
each row is refused, or accepted with one value. Then two differentials over damaged input: what our parser
accepts, the standard library accepts with an equal value; and the two paths by which a submission is read give
the same verdict and the same bytes.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

import msgspec
import pytest

from audit_service import submission as reading
from audit_service.clock import format_time, parse_time
from audit_service.errors import SubmissionRefused
from audit_service.rules.errors import RuleBroken
from audit_service.submission import parse
from tests.support.fuzzing import mutate, mutate_json
from tests.support.json_corpus import ACCEPTED, REFUSED
from tests.support.log_builder import LogBuilder, private_key, small_log
from verifier.canonical import encode_canonical, parse_strict
from verifier.envelope import OPTIONAL_ATTRIBUTES, REQUIRED_ATTRIBUTES, sign_submission
from verifier.errors import MalformedInput


@pytest.mark.parametrize("name", REFUSED)
def test_what_parsers_disagree_about_is_refused(name: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        parse_strict(REFUSED[name])
    assert len(str(caught.value)) < 100  # a reason, not the input


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_accepted_has_one_value(name: str) -> None:
    data, value = ACCEPTED[name]
    assert parse_strict(data) == value
    assert parse_strict(encode_canonical(value)) == value


LOG = LogBuilder()
DATA = {"text_ko": "나무 그늘", "note_en": "a\u00e9\U0001f600", "provenance": "illustrative"}
PLAIN = LOG.submission("project.effect-stated.v1", "project/lights", DATA, id="effect-1")
SIGNED = sign_submission(PLAIN, private_key("roads"))


@pytest.mark.parametrize("name", REFUSED)
def test_no_submission_holds_it(name: str) -> None:
    """The same corpus inside a submission: as the value of a text, and as one more member of `data`."""
    text = encode_canonical(SIGNED)
    for data in (
        text.replace(json.dumps("나무 그늘", ensure_ascii=False).encode(), REFUSED[name]),
        text.replace(b'"data":{', b'"data":{"basis":' + REFUSED[name] + b","),
        text + REFUSED[name] if REFUSED[name].strip() else b"",
    ):
        with pytest.raises(SubmissionRefused):
            parse(data)


# --- control and bidirectional characters ---------------------------------------------------------------

_CODES = ["0000", "0007", "000a", "007f", "0085", "00ad", "200b", "200f", "202e", "2066", "2069", "feff", "e0041"]
INVISIBLE = [chr(int(code, 16)) for code in _CODES]


@pytest.mark.parametrize("character", INVISIBLE, ids=[f"U+{ord(each):04X}" for each in INVISIBLE])
def test_no_identifier_holds_what_is_not_seen(character: str) -> None:
    for attribute in ("id", "source", "subject", "type", "time", "specversion", "sequence"):
        for value in (f"{character}x", f"x{character}", str(SIGNED.get(attribute, "1")) + character):
            with pytest.raises((SubmissionRefused, RuleBroken)):
                parse(encode_canonical({**SIGNED, attribute: value}))


def test_the_attributes_are_all_of_the_entry_format() -> None:
    assert set(msgspec.structs.asdict(reading._canonical_submission(encode_canonical(SIGNED)))) == (  # type: ignore[arg-type]
        REQUIRED_ATTRIBUTES | OPTIONAL_ATTRIBUTES
    )


# --- differentials --------------------------------------------------------------------------------------

INPUTS = 50_000


def damaged(name: str) -> list[bytes]:
    """Half of them damaged as bytes, half as documents; from several types of events."""
    chance = Random(name)
    log = small_log(transactions=2)
    documents = [{k: v for k, v in json.loads(e).items() if k not in {"position", "recordedtime"}} for e in log.entries]
    documents += [SIGNED, PLAIN, {**SIGNED, "sequence": "7", "expectedposition": 3}]
    seeds = [encode_canonical(each) for each in documents]
    made = [mutate(chance, chance.choice(seeds), most=2) for _ in range(INPUTS // 2)]
    made += [mutate_json(chance, chance.choice(documents)) for _ in range(INPUTS // 2)]
    return made


@pytest.fixture(scope="module")
def inputs() -> list[bytes]:
    return damaged("strict json")


def same(ours: Any, theirs: Any) -> bool:
    """Equal, and of equal types all the way down: 1 == True == 1.0 in Python."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs)


def test_what_we_accept_everybody_accepts_with_an_equal_value(inputs: list[bytes]) -> None:
    accepted = 0
    for data in inputs:
        try:
            ours = parse_strict(data)
        except MalformedInput:
            continue
        accepted += 1
        assert same(ours, json.loads(data)), data
        assert same(ours, msgspec.json.decode(data)), data
        assert same(ours, parse_strict(encode_canonical(ours))), data
    assert accepted > INPUTS // 10


def verdict(data: bytes) -> tuple[Any, ...]:
    """What `parse` gives, or its refusal; any other exception is a failure of the test."""
    try:
        submission, event, canonical = parse(data)
    except (SubmissionRefused, RuleBroken) as error:
        return type(error), error.rule_id, str(error)
    return submission, event, canonical


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**63, 2**64, 10**30])
def test_integers_that_others_round_are_refused_wherever_they_stand(number: int) -> None:
    """A canonical spelling of one is refused too: the fast path once took it as `expectedposition`."""
    huge = json.dumps(number).encode()
    signed = encode_canonical({**SIGNED, "expectedposition": 3})
    for data in (
        signed.replace(b'"expectedposition":3', b'"expectedposition":' + huge),
        signed.replace(b'"data":{', b'"data":{"amount_won":' + huge + b","),
    ):
        assert data != signed
        assert verdict(data)[1] == "submission.malformed"


@pytest.mark.parametrize(
    "time",
    ["0001-01-01", "0999-12-31", "1000-01-01", "9999-12-31", "2021-02-29", "2020-02-29", "2021-13-01", "2021-00-10"],
)
@pytest.mark.parametrize("hour", ["00:00:00", "23:59:59", "23:59:60", "24:00:00", "29:00:00", "12:60:00"])
def test_a_time_is_what_the_clock_of_the_service_would_write(time: str, hour: str) -> None:
    for text in (f"{time}T{hour}.000Z", f"{time}T{hour}.999Z", f"{time}T{hour}Z", f"{time}T{hour}.000+00:00"):
        try:
            expected = format_time(parse_time(text)) == text
        except ValueError:
            expected = False
        assert reading._is_time(text) == expected, text


def test_the_fast_path_and_the_slow_path_agree(inputs: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow path is the specification; the fast one may only be faster."""
    taken_fast = [reading._canonical_submission(data) is not None for data in inputs]
    fast = [verdict(data) for data in inputs]
    monkeypatch.setattr(reading, "_canonical_submission", lambda _data: None)
    for data, was_fast, found in zip(inputs, taken_fast, fast, strict=True):
        assert verdict(data) == found, data
        if was_fast and isinstance(found[-1], bytes):
            assert encode_canonical(parse_strict(data)) == data
    # Both paths, both verdicts, and canonical submissions that the rules of the form refuse.
    accepted = [isinstance(found[-1], bytes) for found in fast]
    assert sum(accepted) > INPUTS // 50
    assert sum(taken_fast) > INPUTS // 50
    assert sum(not fast and ok for fast, ok in zip(taken_fast, accepted, strict=True)) > INPUTS // 100


def test_a_lenient_fast_path_is_caught(inputs: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a fast path that forgets to compare with the canonical form."""
    decode = msgspec.json.Decoder(reading.Submission).decode

    def forgetful(data: bytes) -> Any:
        try:
            return decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None

    few = inputs[:2000] + inputs[-2000:]
    honest = [verdict(data) for data in few]
    monkeypatch.setattr(reading, "_canonical_submission", forgetful)
    assert [verdict(data) for data in few] != honest
