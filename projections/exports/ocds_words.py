"""Which word of OCDS stands for which of ours? Codelists of OCDS 1.1.5, closed ones exactly."""

from __future__ import annotations

# OCDS asks publishers to register a prefix; none is registered for this one.
PLACEHOLDER_PREFIX = "ocds-000000"

# Release tags: https://standard.open-contracting.org/1.1/en/schema/codelists/#release-tag
TAGS: dict[str, tuple[str, ...]] = {
    "contract.planned.v1": ("planning",),
    "contract.prior-step-completed.v1": ("planningUpdate",),
    "contract.tender-published.v1": ("tender",),
    "contract.tender-amended.v1": ("tenderAmendment",),
    "contract.tender-cancelled.v1": ("tenderCancellation",),
    "contract.tender-failed.v1": ("tenderCancellation",),
    "contract.bids-opened.v1": ("tenderUpdate",),
    "contract.proposals-evaluated.v1": ("tenderUpdate",),
    "contract.awarded.v1": ("award",),
    "contract.signed.v1": ("contract",),
    "contract.instalment-signed.v1": ("contract",),
    "contract.amended.v1": ("contractAmendment",),
    "contract.started.v1": ("implementationUpdate",),
    "contract.suspended.v1": ("implementationUpdate",),
    "contract.resumed.v1": ("implementationUpdate",),
    "contract.subcontract-approved.v1": ("implementationUpdate",),
    "contract.inspected.v1": ("implementationUpdate",),
    "contract.accepted.v1": ("implementationUpdate",),
    "contract.instalment-closed.v1": ("contractTermination",),
    "contract.advance-paid.v1": ("implementation",),
    "contract.paid.v1": ("implementation",),
    "contract.returned.v1": ("implementation",),
    "contract.subcontract-paid.v1": ("implementation",),
    "contract.delay-damages-assessed.v1": ("implementationUpdate",),
    "contract.terminated.v1": ("contractTermination",),
    "contract.warranty-set.v1": ("implementationUpdate",),
    "contract.warranty-claimed.v1": ("implementationUpdate",),
    "contract.completed.v1": ("contractTermination",),
    "contract.corrected.v1": ("contractUpdate",),
}
METHODS = {
    "OPEN": ("open", "일반경쟁"),
    "LIMITED": ("selective", "제한경쟁"),
    "NEGOTIATED": ("limited", "협상에 의한 계약"),
    "DIRECT": ("direct", "수의계약"),
}
CATEGORIES = {"GOODS": "goods", "WORKS": "works", "SERVICES": "services"}
STEPS = {
    "SCOPE_REVIEW": "과업심의",
    "PRIOR_CONSULTATION": "사전협의",
    "SECURITY_REVIEW": "보안성검토",
    "ROUTINE_AUDIT": "일상감사",
    "CONTRACT_REVIEW": "계약심사",
}
CAUSES = {
    "DESIGN": "설계변경",
    "PRICE": "물가변동",
    "PERIOD": "기간 변경",
    "SCOPE": "과업 변경",
    "LAW": "법령 개정",
}
