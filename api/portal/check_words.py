"""Which phrases does the script behind "Verify it myself" say? Key: (Korean, English).

`api/static/verify/page.js` speaks them: they stand in the page, so that it speaks the page's language. Those named as
an error of the verifier say in plain words what that error means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECK_WORDS: Mapping[str, tuple[str, str]] = {
    "checking": ("확인하는 중입니다…", "Checking…"),
    "verdict_good": (
        "맞습니다. 화면의 {year}년 결산은 공개장부에 봉인된 것과 같습니다.",
        "It holds. The settlement of {year} on this page is the one that is sealed in the public ledger.",
    ),
    "verdict_bad": (
        "다릅니다. 화면의 {year}년 결산이 공개장부에 봉인된 것과 다릅니다.",
        "It differs. The settlement of {year} on this page is not the one that is sealed in the public ledger.",
    ),
    "verdict_no_proof": (
        "확인되지 않습니다. 서버가 보낸 확인서가 맞지 않습니다.",
        "It does not hold. The proof that the server sent is not right.",
    ),
    "verdict_not_checked": ("아직 확인하지 못했습니다.", "It could not be checked yet."),
    "difference": (
        "{column}: 화면에는 {shown}, 공개장부에는 {proven}",
        "{column}: {shown} on the page, {proven} in the ledger",
    ),
    "step_file": ("확인서를 내려받았습니다 ({bytes}바이트).", "The proof is here ({bytes} bytes)."),
    "step_seal": (
        "{origin} 장부의 봉인(기록 {size}건)이 확인 열쇠의 서명과 맞습니다.",
        "The key has signed the seal of the ledger {origin} ({size} entries).",
    ),
    "step_entry": (
        "시가 기록 {covered}건까지 셈한 결산 보고가 공개장부 {index}번 기록으로 올라 있습니다.",
        "The city's settlement report, computed from the first {covered} entries, is entry {index} of the ledger.",
    ),
    "step_row": (
        "이 해의 결산은 그 보고의 {count}행 가운데 하나입니다.",
        "The settlement of this year is one of the {count} rows of that report.",
    ),
    "step_same": (
        "화면의 숫자가 그 행의 숫자와 모두 같습니다.",
        "Every figure on the page equals the one in that row.",
    ),
    "step_differs": (
        "화면의 숫자 가운데 그 행의 숫자와 다른 것이 있습니다.",
        "Not every figure on the page equals the one in that row.",
    ),
    "comparison": (
        "화면의 값과 공개장부의 값, 단위 천원",
        "What the page shows and what the ledger holds, in thousand won",
    ),
    "figure": ("항목", "Figure"),
    "on_page": ("이 화면", "This page"),
    "in_log": ("공개장부", "The ledger"),
    "compared": ("비교", "Compared"),
    "same": ("같음", "same"),
    "different": ("다름", "different"),
    "own_key": (
        "직접 넣은 열쇠로 확인했습니다.",
        "Checked with the key that you entered.",
    ),
    "page_key": (
        "이 서버가 준 열쇠로 확인했습니다. 다른 곳에서 받은 열쇠로 확인하면 더 확실합니다.",
        "Checked with the key that this server gave. With a key from another place the check proves more.",
    ),
    "later": (
        (
            "이 화면은 기록 {page}건까지, 보고는 {covered}건까지 셈한 것입니다. "
            "그 사이에 결산이 고쳐졌다면 다음 보고부터 다시 같아집니다."
        ),
        (
            "This page counts {page} entries, the report {covered}. If the settlement was corrected in between, the "
            "next report will be the same again."
        ),
    ),
    "what_now": (
        "이 화면을 저장하고 확인서를 내려받아 감사 부서에 알려 주십시오.",
        "Please save this page, download the proof, and tell the audit office.",
    ),
    "key_malformed": (
        "확인 열쇠의 꼴이 맞지 않습니다. 빠진 글자가 없는지 보십시오.",
        "The verifier key is not spelled like one. See whether a letter is missing.",
    ),
    "network": (
        "서버에 닿지 못했습니다. 잠시 뒤 다시 눌러 주십시오.",
        "The server was not reached. Try again later.",
    ),
    "not_published": (
        "이 결산의 보고가 아직 공개장부에 봉인되지 않았습니다. 잠시 뒤 다시 눌러 주십시오.",
        "The report of this settlement is not sealed in the ledger yet. Try again later.",
    ),
    "no_answer": (
        "서버가 확인서를 주지 않았습니다 (응답 {status}).",
        "The server gave no proof (status {status}).",
    ),
    "MalformedInput": (
        "확인서의 꼴이 맞지 않거나, 물은 것이 아닌 다른 것의 확인서입니다.",
        "The proof is not of its form, or proves something else than what was asked for.",
    ),
    "ProofDoesNotHold": (
        "확인서의 값이 장부의 봉인으로 이어지지 않습니다. 값이 고쳐졌을 수 있습니다.",
        "The proof does not lead to the seal of the ledger. A figure may have been changed.",
    ),
    "SignatureDoesNotHold": (
        "장부의 봉인이 이 확인 열쇠로 서명되지 않았습니다. 열쇠가 다르거나 장부가 다릅니다.",
        "This key has not signed the seal of the ledger: it is another key, or another ledger.",
    ),
    "absent": (
        "공개장부의 보고에는 이 해의 결산이 없습니다.",
        "The report in the ledger has no settlement of this year.",
    ),
    "our_mistake": (
        "확인하는 프로그램에 잘못이 있어 확인하지 못했습니다.",
        "The checking program itself failed, so nothing was checked.",
    ),
    "for_experts": ("자세히 (전문가용)", "Details (for experts)"),
    "row_key": ("행의 이름", "Row key"),
    "root_hash": ("장부의 봉인값", "Root hash of the log"),
    "rows_root": ("보고의 봉인값", "Rows root of the report"),
    "publisher": ("보고한 기관과 서명 열쇠", "Publisher and key"),
    "cause": ("까닭", "Reason"),
}
