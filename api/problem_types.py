"""Which kinds of problems does this service answer with, and what can one do about each?

One table: `problems.py` builds documents from it, `/docs/problems` shows it, a test holds that every error has
its row. Sorted by who can act.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ProblemType:
    """One row: the slug of its page, the HTTP status, and words for people."""

    slug: str
    status: int
    title: str
    title_ko: str
    advice: str


_ROWS = (
    # The caller: the request itself.
    ProblemType(
        "not-found",
        404,
        "There is nothing at this address",
        "이 주소에는 아무것도 없습니다",
        "Check the path; /openapi.json lists every one.",
    ),
    ProblemType(
        "method-not-allowed",
        405,
        "This address does not take that method",
        "이 주소에서는 쓸 수 없는 방식입니다",
        "The Allow header lists the methods that it takes.",
    ),
    ProblemType(
        "invalid-parameter",
        400,
        "A query parameter is not as documented",
        "질의 항목이 정해진 형식이 아닙니다",
        "The member `parameter` names it. Integers are plain ASCII digits without sign or leading zeros; "
        "unknown and repeated parameters are refused.",
    ),
    ProblemType(
        "not-acceptable",
        406,
        "No representation that you accept exists",
        "요청한 형식으로는 드릴 수 없습니다",
        "Ask for one of the media types named in `allowed`.",
    ),
    ProblemType(
        "unsupported-media-type",
        415,
        "The body's media type is not taken here",
        "본문의 형식을 받을 수 없습니다",
        "Send one of the media types named in `allowed`, UTF-8, without Content-Encoding.",
    ),
    ProblemType(
        "body-too-large",
        413,
        "The body is larger than this address takes",
        "본문이 너무 큽니다",
        "OPTIONS /v1/events states the limits. Split the batch.",
    ),
    ProblemType(
        "too-many-items",
        413,
        "The batch holds more items than one request may",
        "한 번에 보낼 수 있는 건수를 넘었습니다",
        "OPTIONS /v1/events states the limits. Split the batch.",
    ),
    ProblemType(
        "body-timeout",
        408,
        "The body did not arrive in time",
        "본문이 제시간에 도착하지 않았습니다",
        "Send the body at once; nothing of it was recorded.",
    ),
    ProblemType(
        "body-incomplete",
        400,
        "The body ended before it was complete",
        "본문이 중간에 끊겼습니다",
        "Send it again; nothing of it was recorded.",
    ),
    ProblemType(
        "not-authenticated",
        401,
        "A bearer token is required",
        "인증 토큰이 필요합니다",
        "Send `Authorization: Bearer <id>.<secret>`.",
    ),
    ProblemType(
        "not-authorised",
        403,
        "This token may not do that",
        "이 토큰으로는 할 수 없습니다",
        "An agency submits only events whose `source` is its own.",
    ),
    ProblemType(
        "too-many-requests",
        429,
        "You send more requests than you may",
        "허용된 요청 수를 넘었습니다",
        "Send the same request again after Retry-After seconds; send many events as one batch.",
    ),
    # The submitter: the event.
    ProblemType(
        "malformed-submission",
        400,
        "The body is not strict JSON of the entry format",
        "엄격한 JSON 형식에 맞지 않습니다",
        "UTF-8 without BOM, no duplicate keys, no floats, NFC text, known attributes only. "
        "`rule_id` names what is wrong.",
    ),
    ProblemType(
        "unknown-type",
        422,
        "The event type is not in the catalogue",
        "목록에 없는 이벤트 유형입니다",
        "/v1/schemas lists the types.",
    ),
    ProblemType(
        "schema-invalid",
        422,
        "The event does not fit its schema",
        "이벤트가 정해진 형식에 맞지 않습니다",
        "/openapi.json has the schema of the envelope, /v1/schemas/{type} that of `data`.",
    ),
    ProblemType(
        "too-large",
        413,
        "The event does not fit an entry",
        "이벤트가 기록 하나의 크기를 넘습니다",
        "An entry holds at most 65,535 bytes; documents enter as SHA-256 and title.",
    ),
    ProblemType(
        "signature-invalid",
        422,
        "The agency's signature does not hold",
        "기관의 서명이 맞지 않습니다",
        "Sign the canonical JSON of the submission with a key of the registry (docs: entry format).",
    ),
    ProblemType(
        "submission-refused",
        422,
        "The submission was refused",
        "제출이 거부되었습니다",
        "`rule_id` names why; nothing of it was recorded.",
    ),
    ProblemType(
        "rule-broken",
        409,
        "A rule of the ledger would be broken",
        "장부의 규칙에 어긋납니다",
        "`rule_id` names the rule, `stream` the stream, `columns` what stands there now, `allowed` what would pass.",
    ),
    ProblemType(
        "key-not-entitled",
        403,
        "The signing key may not sign this event",
        "이 열쇠로는 서명할 수 없는 이벤트입니다",
        "Keys, their agency and their scopes stand in the log (registry/log).",
    ),
    ProblemType(
        "duplicate-id",
        409,
        "Another event has this source and id",
        "같은 번호의 다른 이벤트가 이미 있습니다",
        "A repeat must be byte for byte the same event; a new fact needs a new id.",
    ),
    ProblemType(
        "position-conflict",
        409,
        "The stream is at another position than expected",
        "흐름의 현재 순번이 예상과 다릅니다",
        "Read the stream again, then decide and send a new event.",
    ),
    ProblemType(
        "batch-refused",
        409,
        "Another item of the same atomic batch was refused",
        "같은 묶음의 다른 항목이 거부되었습니다",
        "All or none: nothing of the batch was recorded. Correct the item that is named.",
    ),
    # The reader: what is asked for does not exist, or not yet.
    ProblemType(
        "not-in-log",
        404,
        "The log has no such entry, size or checkpoint",
        "장부에 그런 기록이나 봉인이 없습니다",
        "/v1/log says how far the log reaches, /v1/checkpoints which checkpoints are kept.",
    ),
    # Us: nothing the caller did; the same request may be sent again.
    ProblemType(
        "overloaded",
        503,
        "The service cannot take this now",
        "지금은 요청이 많아 받을 수 없습니다",
        "Send the same request again after Retry-After seconds; a repeat is never recorded twice.",
    ),
    ProblemType(
        "clock-behind",
        503,
        "The service's clock is wrong, so nothing is signed",
        "서버 시계가 맞지 않아 서명하지 않습니다",
        "Reading goes on. Send the same request again after Retry-After seconds; `detail` says how far the clock is "
        "behind what was recorded.",
    ),
    ProblemType(
        "recording-failed",
        503,
        "Recording failed",
        "기록하지 못했습니다",
        "Send the same request again; a repeat is never recorded twice.",
    ),
    ProblemType(
        "database-unavailable",
        503,
        "The database does not answer",
        "데이터베이스가 응답하지 않습니다",
        "Send the same request again after `Retry-After`; a repeat is never recorded twice.",
    ),
    ProblemType(
        "report-rows-damaged",
        503,
        "The kept rows of this report are not those that the log commits to",
        "보관된 보고서 내용이 장부와 맞지 않습니다",
        "Nothing of them is shown. The operator runs `audit db rebuild`; anybody computes them with `audit replay`.",
    ),
    ProblemType(
        "quarantined",
        503,
        "The log is read-only until its operator has looked",
        "운영자가 확인할 때까지 쓰기를 멈췄습니다",
        "Reading and proofs go on; nothing is signed.",
    ),
    ProblemType(
        "not-ready",
        503,
        "The service is not fit to serve",
        "서비스가 아직 준비되지 않았습니다",
        "See /readyz.",
    ),
    ProblemType(
        "internal",
        500,
        "Our fault",
        "서비스의 오류입니다",
        "Tell the operator the X-Request-Id of this answer.",
    ),
)

PROBLEM_TYPES: Mapping[str, ProblemType] = MappingProxyType({row.slug: row for row in _ROWS})
