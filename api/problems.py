"""Which error becomes which answer? RFC 9457 problem documents, mapped in this one place.

No input is echoed, and nothing that a caller sends may end as a 5xx.
Source: RFC 9457 section 3 (members), 4.2.1 (about types).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.problem_types import PROBLEM_TYPES, ProblemType
from audit_service import errors
from audit_service.recording.database import is_unavailable
from audit_service.rules.errors import RuleBroken
from verifier.errors import VerificationError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/docs/problems/"

_log = logging.getLogger("api.problems")

# Rules about who may sign are the caller's rights, all others the state of the ledger.
_ENTITLEMENT_RULES = frozenset(
    {
        "registry.key-unknown",
        "registry.key-revoked",
        "registry.key-role",
        "registry.key-scope",
        "registry.key-subject",
        "registry.source-mismatch",
        "registry.root-signatures",
    }
)
# The rule that HTTP itself adds: a token speaks for one agency.
NOT_THE_CALLERS = "submission.source-not-the-callers"
_SLUG_OF_STATUS = {
    400: "body-incomplete",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "body-too-large",
    415: "unsupported-media-type",
}


class Problem(Exception):
    """A refusal that HTTP itself decides; `members` are added to the document."""

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.type: ProblemType = PROBLEM_TYPES[slug]
        self.detail = detail
        self.headers = headers or {}
        self.members = members


def problem_of(error: Exception) -> Problem:
    """Which problem is this error? Unknown errors are ours: `internal`, with nothing of their text."""
    match error:
        case Problem():
            return error
        case RuleBroken():
            slug = "key-not-entitled" if error.rule_id in _ENTITLEMENT_RULES else "rule-broken"
            return Problem(slug, error.message, **_rule_members(error))
        case errors.SubmissionRefused(rule_id=rule_id) if rule_id == NOT_THE_CALLERS:
            return Problem("not-authorised", error.message, rule_id=rule_id)
        case errors.SubmissionRefused():
            return Problem(error.slug, error.message, rule_id=error.rule_id)
        case errors.NotAuthorised(authenticated=False):
            return Problem("not-authenticated", error.message, headers={"WWW-Authenticate": "Bearer"})
        case errors.NotAuthorised():
            return Problem("not-authorised", error.message)
        case errors.NotInLog():
            return Problem("not-in-log", str(error))
        case errors.Overloaded():
            return Problem(error.slug, str(error), headers={"Retry-After": str(error.retry_after_s)})
        case errors.Quarantined(remedy=remedy) if remedy:
            advice = PROBLEM_TYPES[error.slug].advice
            return Problem(error.slug, f"{advice} {error} {remedy}", headers={"Retry-After": "300"})
        case errors.RecordingFailed() | errors.Quarantined() | errors.ReportRowsDamaged():
            # Their messages may name files and databases: they are for the operator's log.
            advice = PROBLEM_TYPES[error.slug].advice
            return Problem(error.slug, advice, headers={"Retry-After": "5"})
        case SQLAlchemyError() if is_unavailable(error):
            slug = "database-unavailable"
            return Problem(slug, PROBLEM_TYPES[slug].advice, headers={"Retry-After": "5"})
        case _:
            # A VerificationError here speaks about what we hold ourselves: parsers of input have caught theirs.
            return Problem("internal", "Something failed here; it was logged under this request id.")


def problem_document(problem: Problem) -> dict[str, Any]:
    """The JSON document of a problem (RFC 9457 section 3.1), extension members last."""
    return {
        "type": TYPE_PREFIX + problem.type.slug,
        "title": problem.type.title,
        "status": problem.type.status,
        "detail": problem.detail,
        **{name: value for name, value in problem.members.items() if value is not None},
    }


def problem_response(problem: Problem) -> Response:
    """A problem as an HTTP answer."""
    return Response(
        msgspec.json.encode(problem_document(problem), enc_hook=str),
        status_code=problem.type.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **problem.headers},
    )


def response_to(error: Exception) -> Response:
    """Answer an error; what is our fault is logged with its traceback."""
    problem = problem_of(error)
    if problem.type.slug == "database-unavailable":
        # Every request says so while it lasts: one line each, not a traceback.
        _log.error("%s: %s", problem.type.slug, str(getattr(error, "orig", None) or error).partition("\n")[0])
    elif problem.type.status >= 500 and not isinstance(error, Problem | errors.Overloaded):
        _log.error("%s: %s", problem.type.slug, type(error).__name__, exc_info=error)
    return problem_response(problem)


def _rule_members(error: RuleBroken) -> dict[str, Any]:
    return {
        "rule_id": error.rule_id,
        "stream": error.stream,
        "columns": error.columns,
        "allowed": error.allowed,
    }


def install(app: FastAPI) -> None:
    """Let every error of this application answer with a problem document."""
    for kind in (Problem, errors.AuditServiceError, RuleBroken, VerificationError, SQLAlchemyError):
        app.add_exception_handler(kind, _on_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


async def _on_error(_request: Request, error: Exception) -> Response:
    return response_to(error)


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(getattr(error, "headers", None) or {})
    slug = _SLUG_OF_STATUS.get(status, "internal")
    return problem_response(Problem(slug, PROBLEM_TYPES[slug].advice, headers=headers))


async def _on_validation_error(_request: Request, _error: Exception) -> Response:
    # FastAPI's own answer would echo the input, and cannot even encode some of it.
    return problem_response(Problem("invalid-parameter", PROBLEM_TYPES["invalid-parameter"].advice))
