"""What does the rule about personal data catch, what does it leave alone, and what does its message give away?

All persons and numbers here are made up. A row that is caught names the kind; a row that is not is something
that budget books are full of.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from audit_cli.demo_city import load_event_files
from audit_service.rules.errors import RuleBroken
from audit_service.rules.privacy import check_personal_data, suspect
from audit_service.submission import TRANSACTION, is_refusal, prepare_one
from projections.replay_entries import EntryReplay
from projections.replay_verdict import Findings
from tests.support.log_builder import LogBuilder, private_key, public_key
from verifier.canonical import encode_canonical
from verifier.encoding import parse_base64url
from verifier.envelope import sign_submission
from verifier.notes import VerifierKey

SEED_PAGE = (Path(__file__).parents[1] / "support" / "seed" / "budget-book-2021.txt").read_text(encoding="utf-8")
RULE = "privacy.personal-data-suspected"
RESIDENT, TELEPHONE, EMAIL = "a resident registration number", "a telephone number", "an e-mail address"
CARD, ACCOUNT, NAME = "a card number", "an account number", "a person's name"

CAUGHT = [
    (RESIDENT, "800101-1234560"),  # checksum holds
    (RESIDENT, "주민번호 8001011234560 입니다"),
    (RESIDENT, "８００１０１－１２３４５６０"),  # full width
    (RESIDENT, "800101 - 1234560"),
    (RESIDENT, "800101\u20131234560"),  # en dash
    (RESIDENT, "80010\u200b1-1234560"),  # a zero-width space inside
    (RESIDENT, "850505-5678907"),  # a foreigner's checksum
    (RESIDENT, "211231-3999999"),  # born after checksums ended
    (TELEPHONE, "010-1234-5678"),
    (TELEPHONE, "01012345678"),
    (TELEPHONE, "문의 010.1234.5678"),
    (TELEPHONE, "+82 10-1234-5678"),
    (TELEPHONE, "+82-2-2133-0000"),
    (TELEPHONE, "02)2133-0000"),
    (TELEPHONE, "031-123-4567"),
    (TELEPHONE, "070-1234-5678"),
    (TELEPHONE, "0505-123-4567"),
    (TELEPHONE, "2133-2931"),
    (TELEPHONE, "내선 333-4444"),
    (TELEPHONE, "주무관 2133-2931"),
    (TELEPHONE, "김민수\n2133-2931"),
    (EMAIL, "minsu.kim@example.go.kr"),
    (EMAIL, "문의: minsu@example.kr (업무)"),
    (CARD, "4111 1111 1111 1111"),
    (CARD, "5500-0000-0000-0004"),
    (CARD, "4111111111111111"),
    (CARD, "3782 822463 10005"),
    (ACCOUNT, "110-123-456789"),
    (ACCOUNT, "123456-01-123456"),
    (ACCOUNT, "3333-01-1234567"),
    (ACCOUNT, "입금 계좌: 국민 12345678901234"),
    (NAME, "과장 김민수"),
    (NAME, "팀장: 이서연"),
    (NAME, "주무관(박지훈)"),
    (NAME, "담당자 : 최윤"),
    (NAME, "스마트도시담당관 정하늘"),
    (NAME, "과 장  김 민 수"),
    (NAME, "김민수 과장이 결재"),
    (NAME, "주무관 남궁민수"),
]

LEFT_ALONE = [
    "800101-1234561",  # the checksum does not hold
    "850505-5678901",
    "801301-1234567",  # there is no thirteenth month
    "123456-1234567",
    "2021-01-04",
    "2021.01~2021.12",
    "2021-01-04T00:00:00.000Z",
    "2020-2021",
    "201-01",
    "201-01-05",
    "2021-0001",
    "2021-04-1234-56",
    "20210412345-00",  # a number of the procurement office
    "스마트도시담당관-12345",
    "제2300-1234호 예산서",
    "516,451천원",
    "1234567890123456",
    "1,234,567,890,123,456",
    "△495,398",
    "7,000,000원*1회 = 7,000천원",
    "123-45-67890",  # a company's registration number is public
    "1588-1234",
    "120",
    "4111 1111 1111 1112",  # Luhn does not hold
    "uuid 123e4567-e89b-12d3-a456-426614174000",
    "0" * 64,
    "과장",
    "팀장",
    "주무관",
    "과장 전결",
    "과장 이상 결재",
    "팀장 주재 회의",
    "담당자 지정",
    "실․국 부서명 과 장 팀장 주무관",
    "스마트도시정책관 스마트도시담당관 ○○○",
    "블록체인 참여기관 담당자",
    "전문가 자문",
    "김민수",  # a name alone is a word: only a rank or a number beside it tells
    "@everyone",
    "budget/seoul-smartcity/2021",
]


@pytest.mark.parametrize(("kind", "text"), CAUGHT)
def test_what_looks_like_a_person_is_caught(kind: str, text: str) -> None:
    assert suspect(text) == kind


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_budget_books_are_full_of_is_left_alone(text: str) -> None:
    assert suspect(text) is None


@pytest.mark.parametrize(("kind", "text"), CAUGHT)
def test_the_message_names_place_and_kind_and_never_the_value(kind: str, text: str) -> None:
    data = {"title_ko": "가로등", "rows": [{"note_ko": "없음"}, {"note_ko": f"{text}"}]}
    with pytest.raises(RuleBroken) as caught:
        check_personal_data("project/lights", data)
    assert caught.value.rule_id == RULE
    assert caught.value.message.startswith(f"data.rows[1].note_ko looks like it holds {kind}")
    assert text not in str(caught.value)
    assert not [part for part in text.split() if len(part) > 3 and part in str(caught.value)]


def test_every_event_of_the_demo_passes() -> None:
    events = [event for _, events in load_event_files() for event in events]
    assert len(events) == 202
    for event in events:
        check_personal_data(event["subject"], event["data"])


def test_the_page_as_printed_passes_and_with_its_people_put_back_does_not() -> None:
    printed = [block for block in SEED_PAGE.split("\n\n") if block.strip()]
    check_personal_data("project/page", {"texts": printed})
    people = [("김민수", "2133-2931"), ("이서연", "2133-2932"), ("박지훈", "2133-2933")]
    page = SEED_PAGE
    for name, telephone in people:
        page = page.replace("○○○", name, 1).replace("0000-0000", telephone, 1)
    blocks = [block for block in page.split("\n\n") if block.strip()]
    caught = [block for block in blocks if suspect(block) is not None]
    # Each of the three, and nothing but them.
    assert len(caught) == len(people)
    assert all(name in block and number in block for (name, number), block in zip(people, caught, strict=True))
    with pytest.raises(RuleBroken):
        check_personal_data("project/page", {"note_ko": page})


@pytest.mark.parametrize(
    ("field", "text"),
    [("sha256", "0101234567812345678" + "a" * 45), ("kid", "A" * 20 + "-010-1234-5678-" + "B" * 8)],
)
def test_digests_and_keys_are_no_persons(field: str, text: str) -> None:
    check_personal_data("registry/log", {field: text})


def test_a_name_of_a_digest_hides_no_text() -> None:
    with pytest.raises(RuleBroken):
        check_personal_data("registry/log", {"sha256": "010-1234-5678"})
    assert suspect("A" * 20 + " 010-1234-5678", field="kid") == TELEPHONE


def test_random_digests_keys_and_amounts_are_left_alone() -> None:
    chance = random.Random(20210104)
    for _ in range(20_000):
        assert suspect(chance.randbytes(32).hex()) is None
        assert suspect(str(chance.randrange(10**12))) is None
        assert suspect(f"{chance.randrange(10**15):,}원") is None


# --- at the door and in replay --------------------------------------------------------------------------


def effect(text: str) -> dict[str, Any]:
    log = LogBuilder()
    return log.submission("project.effect-stated.v1", "project/lights", {"text_ko": text})


def key_of(_kid: str) -> bytes:
    return parse_base64url(public_key("roads")["public_key"], name="public key", length=32)


def test_the_service_refuses_it_before_it_is_recorded() -> None:
    signed = encode_canonical(sign_submission(effect("과장 김민수 010-1234-5678"), private_key("roads")))
    with pytest.raises(RuleBroken) as caught:
        prepare_one(signed, key_of)
    assert caught.value.rule_id == RULE
    assert is_refusal(caught.value)
    assert "data.text_ko" in caught.value.message
    honest = encode_canonical(sign_submission(effect("과장 전결"), private_key("roads")))
    assert prepare_one(honest, key_of).event.data.text_ko == "과장 전결"


def replayed(text: str) -> list[Any]:
    log = LogBuilder()
    log.submit("project.effect-stated.v1", "project/lights", {"text_ko": text})
    findings = Findings()
    replay = EntryReplay(vkey=VerifierKey.parse(log.vkey), findings=findings)
    for index, entry in enumerate(log.entries):
        replay.take(index, entry)
    return [violation.details.get("rule_id") for violation in findings.violations]


def test_a_replay_finds_what_was_recorded_all_the_same() -> None:
    assert RULE in replayed("과장 김민수")
    assert RULE not in replayed("과장 전결")


def test_a_sealed_transaction_has_no_text_to_look_at() -> None:
    log = LogBuilder()
    transaction = log.transaction("batch-1", 1)
    assert transaction["type"] == TRANSACTION
    check_personal_data(transaction["subject"], json.loads(encode_canonical(transaction["data"])))
