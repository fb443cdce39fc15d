"""Which phrases do the pages use? Key: (Korean, English).

Words as people use them, no jargon: 공개장부 (log), 기록 (entry), 봉인 (checkpoint), 봉인값 (root hash), 확인서
(proof), 직접 확인하기 (verify). The name of no technology is ours to use; a project's own title may contain it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    # Frame
    "site": ("공개장부", "Public ledger"),
    "skip": ("본문으로 바로 가기", "Skip to the content"),
    "contents": ("차례", "Contents"),
    "other_language": ("English", "한국어"),
    "demo_banner": (
        "시연용 도시입니다. 인쇄된 예산서 한 쪽을 기록으로 다시 만든 것이며, 실제 기관의 서비스가 아닙니다.",
        "A demonstration city, rebuilt from one printed page of a budget book: no service of a real institution.",
    ),
    "home": ("첫 화면", "First page"),
    "api_docs": ("개발자 문서", "API documentation"),
    "all_schemas": ("기록의 유형", "Types of entries"),
    "limit_title": ("이 확인이 뜻하는 것", "What this check means"),
    "limit": (
        (
            "이 확인은 ‘기록이 올라온 뒤 바뀌지 않았음’을 뜻합니다. "
            "처음 입력한 내용이 사실인지는 감사·정보공개로 따로 확인합니다."
        ),
        (
            "This check means that a record has not changed since it was put here. Whether it was true when it was "
            "entered is a matter for audits and freedom-of-information requests."
        ),
    ),
    "unknown": ("적혀 있지 않음", "not stated"),
    "none_yet": ("아직 기록이 없습니다.", "There are no entries yet."),
    "not_found_title": ("찾으시는 쪽이 없습니다", "There is no such page"),
    "not_found_text": (
        "공개장부에 그런 기록이 없거나 주소가 잘못되었습니다.",
        "The ledger has no such entry, or the address is wrong.",
    ),
    # Provenance
    "provenance": ("출처", "Source"),
    "provenance_title": ("표시 읽는 법", "How to read the marks"),
    "printed": ("인쇄됨", "printed"),
    "derived": ("계산됨", "derived"),
    "illustrative": ("예시", "illustrative"),
    "synthetic": ("합성", "synthetic"),
    "actual": ("직접 기록", "first-hand"),
    "computed": ("계산", "computed"),
    "printed_means": ("예산서에 인쇄된 그대로입니다.", "Stands on the printed page as it is."),
    "derived_means": (
        "인쇄된 것에서 셈하거나 끌어낸 것입니다.",
        "Worked out or concluded from what is printed.",
    ),
    "illustrative_means": (
        "장부가 어떻게 움직이는지 보이려고 지어낸 보기입니다.",
        "Invented, to show how the ledger works.",
    ),
    "synthetic_means": (
        "시험용으로 만들어 낸 거래입니다. 시가 발표한 수의 증거가 아닙니다.",
        "Made-up transactions. They are no evidence for the city's numbers.",
    ),
    "actual_means": ("기관의 시스템이 직접 올린 기록입니다.", "Put here by an agency's own system."),
    "basis": ("근거 기록", "Entries"),
    "basis_count": ("기록 {count}건", "{count} entries"),
    "basis_one": ("기록 1건", "1 entry"),
    "entry_n": ("{index}번 기록", "Entry {index}"),
    "entries_range": ("{first}–{last}번 기록", "Entries {first}–{last}"),
    "proof": ("확인서", "Proof"),
    "proof_of": ("{index}번 기록의 확인서", "Proof of entry {index}"),
    "minus": ("감소 ", "minus "),
    # Masthead
    "sheet_of": (
        "{year}년도 예산 사업 설명 — 기록으로 다시 만든 쪽",
        "Budget {year}: a project sheet, rebuilt from entries",
    ),
    "name_basis": ("이름은 예산서 기준", "names as of the budget book"),
    "budget_of_year": ("{year}년 예산", "Budget {year}"),
    "change_from_year": ("{year}년보다", "Change from {year}"),
    "entries_in_log": ("공개장부의 기록", "Entries in the ledger"),
    "entries_unit": ("건", "entries"),
    "thousand_won": ("천원", "thousand won"),
    "rebuilt_note": (
        "이 쪽의 모든 수는 공개장부의 처음 기록부터 {size}번째 기록까지를 다시 더한 것입니다.",
        "Every figure on this page was added up again from the first {size} entries of the ledger.",
    ),
    # 1
    "s1": ("기본 현황", "The basics"),
    "responsible": ("사업 담당", "Responsible"),
    "bureau": ("실·국", "Bureau"),
    "division": ("부서", "Division"),
    "roles": ("담당 직위", "Roles"),
    "roles_note": (
        "사람 이름과 전화번호는 장부에 올리지 않습니다.",
        "Names and telephone numbers of persons do not enter the ledger.",
    ),
    "persons": ("{count}명", "{count}"),
    # 2
    "s2": ("예산 설명", "The budget"),
    "overview_table": ("예산 총괄", "Overview"),
    "unit_thousand_percent": ("(단위: 천원, %)", "(unit: thousand won, %)"),
    "unit_thousand": ("(단위: 천원)", "(unit: thousand won)"),
    "budget_caption": (
        "과목별 {previous}년과 {year}년 예산, 증감, 증감률",
        "Budget by object, {previous} and {year}, with change and rate",
    ),
    "col_object": ("구분", "Object"),
    "col_budget": ("{year}예산액 ({letter})", "Budget {year} ({letter})"),
    "col_change": ("증감 (B−A)", "Change (B−A)"),
    "col_rate": ("(B−A)×100/A", "(B−A)×100/A"),
    "total": ("계", "Total"),
    "zero_base_note": (
        "{year}년이 0인 과목의 증감률은 예산서의 관례대로 100으로 적습니다.",
        "Where {year} is 0 the rate is written as 100, as the budget book does.",
    ),
    "rounding_note": ("단위 반올림으로 합계가 다를 수 있음", "Totals may differ by rounding"),
    "project_overview": ("사업개요", "Project overview"),
    "account": ("회계", "Account"),
    "recurrence": ("사업기간", "Recurrence"),
    "contents_of_project": ("사업내용", "Contents"),
    "cost": ("사업비 ({year}년)", "Cost ({year})"),
    "items_title": ("산출근거", "Calculation basis"),
    "items_caption": ("{year}년 예산 내역과 산출기초", "Items of {year} and how each is calculated"),
    "col_item": ("{year}년 예산내역", "Items of {year}"),
    "col_basis": ("산출기초", "Calculation"),
    "col_amount": ("금액", "Amount"),
    "items_check": (
        "{name}: 내역을 더하면 {items} = 예산 {budget}",
        "{name}: items add up to {items} = budget {budget}",
    ),
    "items_above_budget": (
        "{name}: 내역 {items}이 추경 뒤의 예산 {budget}보다 많다",
        "{name}: items of {items} exceed the budget after supplements, {budget}",
    ),
    "checks": ("맞춰 보기", "Checks"),
    "holds": ("맞음", "holds"),
    "broken": ("맞지 않음", "does not hold"),
    "open_check": ("아직 맞출 수 없음", "cannot be checked yet"),
    # 3
    "s3": ("사업 설명", "The project"),
    "purpose": ("사업목적", "Purpose"),
    "bases": ("사업근거", "Legal basis"),
    "activities": ("사업활동", "Activities"),
    "activities_caption": ("무엇을, 언제, 어느 예산 내역으로 하는가", "What is done, when, and which item pays for it"),
    "col_activity": ("활동", "Activity"),
    "col_kind": ("종류", "Kind"),
    "col_period": ("기간", "Period"),
    "col_times": ("횟수·인원", "How often"),
    "times": ("{count}회", "{count} times"),
    "headcount": ("{count}명", "{count} persons"),
    "history": ("추진경위", "History"),
    "schedule": ("{year}년도 추진일정", "Schedule {year}"),
    "schedule_caption": ("사업추진절차와 기간, 예산집행금액", "Steps, periods and amounts"),
    "col_step": ("사업추진절차", "Step"),
    "col_step_period": ("추진기간", "Period"),
    "col_step_amount": ("예산집행금액", "Amount"),
    "col_step_detail": ("추진세부내용", "Detail"),
    "reconciliation": ("일정과 예산 내역 맞춰 보기", "Schedule against items"),
    "schedule_check": (
        "추진일정을 모두 더하면 {steps} = {year}년 예산 {budget}",
        "All steps add up to {steps} = budget {year} {budget}",
    ),
    # 4
    "s4": ("사업 효과", "Results"),
    "results": ("추진실적", "Results by year"),
    "year_heading": ("{year}년도", "{year}"),
    "also_called": ("다른 곳에서는", "elsewhere called"),
    "effects": ("향후 기대효과", "Expected effects"),
    "services": ("서비스별로 시가 발표한 건수", "What the city published, service by service"),
    "services_caption": (
        "서비스마다 세는 단위가 다르므로 더하지 않습니다",
        "Each service counts in its own unit: never add them",
    ),
    "col_service": ("서비스", "Service"),
    "col_what": ("무엇을 세었나", "What is counted"),
    "col_published": ("발표한 수", "Published"),
    "col_status": ("거래와 대조", "Against transactions"),
    "unreconciled": ("미대조", "unreconciled"),
    "reconciled": ("대조됨", "reconciled"),
    "no_figure": ("발표한 수 없음", "no figure published"),
    "unreconciled_note": (
        "미대조: 발표한 수 뒤에 확인할 수 있는 거래 기록이 없다는 뜻입니다.",
        "Unreconciled: no transactions that could be counted stand behind the published number.",
    ),
    "synthetic_title": ("따로 세는 합성 거래", "Synthetic transactions, counted apart"),
    "synthetic_text": (
        (
            "장부가 많은 거래를 다루는 것을 보이려고 만든 거래입니다. 내용은 가린 값뿐이며, "
            "위의 발표한 수와 섞지 않습니다. 누구나 다시 셀 수 있습니다."
        ),
        (
            "Made to show that the ledger can hold many transactions. Each is only a commitment. They are never "
            "mixed with the published numbers above, and anybody can count them again."
        ),
    ),
    "synthetic_caption": ("서비스별 합성 거래 수", "Synthetic transactions by service"),
    "col_synthetic": ("합성 거래", "Synthetic transactions"),
    # 5
    "s5": ("결산 현황", "Settlement"),
    "settlement_caption": ("연도별 결산", "Settlement by year"),
    "open_years": ("아직 결산하지 않은 해", "Years not yet settled"),
    "open_years_caption": ("기록을 더한 현재 값 (결산 전)", "What the entries add up to so far"),
    "col_year": ("연도", "Year"),
    "col_final_budget_won": ("최종예산", "Final budget"),
    "col_carried_in_won": ("전년이월", "Carried in"),
    "col_budget_change_won": ("예산변경", "Budget change"),
    "col_current_budget_won": ("예산현액", "Current budget"),
    "col_executed_won": ("집행액", "Executed"),
    "col_carried_out_won": ("차년이월", "Carried out"),
    "col_unspent_won": ("집행잔액", "Unspent"),
    "identity_current_budget": (
        "{year}년: 최종예산 {final} + 전년이월 {carried_in} + 예산변경 {change} = 예산현액 {current}",
        "{year}: final budget {final} + carried in {carried_in} + budget change {change} = current budget {current}",
    ),
    "identity_unspent": (
        "{year}년: 예산현액 {current} − 집행액 {executed} − 차년이월 {carried_out} = 집행잔액 {unspent}",
        "{year}: current budget {current} − executed {executed} − carried out {carried_out} = unspent {unspent}",
    ),
    "identity_final_budget": (
        "{year}년: 최종예산 {left} = 당초예산 + 추경예산 + 준예산 + 성립전예산 {right}",
        "{year}: final budget {left} = original + supplementary + provisional + pre-appropriated {right}",
    ),
    "identity_budget_change": (
        "{year}년: 예산변경 {left} = 예비비 + 이용 + 전용 + 이체 + 변경사용 + 수입대체 {right}",
        "{year}: budget change {left} = reserve + transfers + reassignments + adjustments + excess revenue {right}",
    ),
    "chain": (
        "{from_year}년이 넘긴 돈 {carried_out} = {to_year}년이 받은 돈 {carried_in}",
        "Carried out of {from_year} {carried_out} = carried into {to_year} {carried_in}",
    ),
    "chain_open": (
        "{to_year}년이 받은 돈 {carried_in}: {from_year}년은 이 장부 밖에 있어 맞출 수 없음",
        "Carried into {to_year} {carried_in}: {from_year} lies outside this ledger and cannot be checked",
    ),
    "published_check": (
        "{year}년: 시가 발표한 결산의 일곱 칸 = 기록을 다시 더한 값",
        "{year}: all seven published figures = what the entries add up to",
    ),
    # The button beside each settled year
    "check_it": ("직접 확인하기", "Verify it myself"),
    "check_year": ("{year}년 결산 직접 확인하기", "Verify the settlement of {year} myself"),
    "row_proof": ("확인서", "Proof"),
    "row_proof_of": ("{year}년 결산의 확인서", "Proof of the settlement of {year}"),
    "check_how": ("어느 열쇠로, 또 이 화면 없이 확인하려면", "With which key, and how to check without this page"),
    "check_key": ("확인 열쇠", "Verifier key"),
    "check_key_note": (
        (
            "처음에 들어 있는 열쇠는 이 서버가 준 것입니다. 서버가 거짓이면 열쇠도 거짓일 수 있습니다. "
            "시보·신문·다른 기관 등 다른 곳에서 받은 열쇠를 붙여 넣고 확인하면 더 많은 것이 확인됩니다."
        ),
        (
            "The key that stands here at first came from this server. If the server lies, its key may lie too. Paste "
            "the key that you got from another place (a gazette, a newspaper, another institution), and the check "
            "proves more."
        ),
    ),
    "check_offline": (
        (
            "이 화면의 프로그램도 같은 서버가 보낸 것입니다. 확인서를 내려받아 "
            "다른 곳에서 받은 프로그램으로 확인할 수도 있습니다."
        ),
        (
            "The program of this page came from the same server. You can also download the proof and check it with a "
            "program that you got elsewhere:"
        ),
    ),
    # 6
    "s6": ("계약과 자산", "Contracts and assets"),
    "contract_type": ("계약 방식", "Type"),
    "contract_period": ("기간", "Period"),
    "contract_stage": ("단계", "Stage"),
    "contract_budget": ("예산", "Budget"),
    "contract_basis": ("근거", "Basis"),
    "instalments_caption": ("차수별 계약금액과 지급액", "Instalments and payments"),
    "col_instalment": ("차수", "Instalment"),
    "nth_instalment": ("{number}차", "No. {number}"),
    "col_contract_amount": ("계약금액", "Amount"),
    "col_paid": ("지급액", "Paid"),
    "not_signed": ("아직 계약하지 않았습니다.", "Not yet signed."),
    "assets": ("자산", "Assets"),
    "assets_caption": ("이 사업이 쓰는 것", "What the project runs"),
    "col_asset": ("자산", "Asset"),
    "col_count": ("수", "Count"),
    "col_named": ("이름이 적힌 것", "Named"),
    "not_named": ("나머지 {count}{unit}은 이름이 적혀 있지 않음", "{count} not named"),
    "execution": ("{year}년 집행", "Spending in {year}"),
    "execution_caption": ("지출 기록", "Payments"),
    "col_date": ("날짜", "Date"),
    "col_line": ("예산 과목", "Budget line"),
    # 7
    "s7": ("원문에서 맞지 않는 점", "What does not fit in the source"),
    "anomalies_text": (
        "고치지 않고 있는 그대로 둡니다.",
        "Shown as it is, not mended.",
    ),
    # 8
    "s8": ("공개장부와 직접 확인하기", "The ledger, and how to check it"),
    "seal_of_the_day": ("오늘의 봉인", "Root of the day"),
    "seal_day": ("{day} (한국 시각)", "{day} (Korean time)"),
    "seal_covers": ("기록 {size}건", "{size} entries"),
    "seal_value": ("봉인값", "Root hash"),
    "seal_time": ("봉인 시각", "Published"),
    "seal_note": ("봉인 원문", "The signed note"),
    "seal_explained": (
        "봉인값은 모든 기록에서 계산한 값 하나입니다. 지난 기록을 한 글자라도 고치면 이 값이 달라집니다.",
        "One value computed from all entries. Change one letter of a past entry, and it is another value.",
    ),
    "no_seal": ("아직 봉인이 발표되지 않았습니다.", "No checkpoint is published yet."),
    "newest": ("새로 올라온 기록", "Newest entries"),
    "newest_caption": ("가장 최근 기록 {count}건과 그 확인서", "The latest {count} entries, each with its proof"),
    "col_entry": ("기록", "Entry"),
    "col_type": ("유형", "Type"),
    "col_stream": ("흐름", "Stream"),
    "col_recorded": ("올라온 시각", "Recorded"),
    "verify_title": ("직접 확인하기", "Check it yourself"),
    "verify_text": (
        "기록과 확인서를 내려받으면 이 서버 없이도 확인할 수 있습니다.",
        "With an entry and its proof on your disk, you need this server no more.",
    ),
    "verify_key_note": (
        "확인 열쇠는 이 화면 말고 다른 곳(시보, 신문, 다른 기관)에서 받은 것과 같은지 보십시오.",
        "Compare the key with one that you got from another place (a gazette, a newspaper, another institution).",
    ),
    "replay_text": (
        "처음부터 다시 계산하려면 장부 전체를 내려받습니다.",
        "To compute everything again, take a copy of the whole ledger.",
    ),
    "mirror_dir": ("my-copy", "my-copy"),
    # A row that does not count any more, with a link to the entry that says why.
    # What a project says beside its budget
    "project_checks": ("사업 설명과 예산을 견줌", "What the project says, beside its budget"),
    "funding_check": (
        "{year}년 사업비 {funding} = 본예산 {budget}",
        "Funding of {year}, {funding} = appropriated, {budget}",
    ),
    "activities_open": (
        "견줄 산출기초가 없는 활동 {count}개는 열어 둡니다.",
        "{count} activities have no factor to compare with and stay open.",
    ),
    "not_known": ("알려지지 않음", "not known"),
    # A count with and without what was declared void.
    "net_of_voided": ("무효 {voided} 빼면 {net}", "net {net} without {voided} voided"),
    "row_corrected": ("정정됨", "corrected"),
    "row_reversed": ("취소됨", "reversed"),
    "row_repeated": ("겹침", "repeated"),
    # Entry page
    "entry_title": ("{index}번 기록", "Entry {index}"),
    "entry_of": ("공개장부 {size}건 가운데", "of {size} in the ledger"),
    "entry_status": ("상태", "Status"),
    "status_recorded": ("올라옴", "recorded"),
    "status_signed": ("봉인됨", "signed"),
    "status_published": ("공개됨", "published"),
    "entry_facts": ("이 기록이 말하는 것", "What this entry says"),
    "entry_envelope": ("누가, 언제", "Who and when"),
    "source": ("보낸 기관", "Agency"),
    "happened": ("일어난 때 (기관의 말)", "Happened (as claimed)"),
    "legal_date": ("법적 날짜", "Legal date"),
    "recorded": ("장부에 올라온 때", "Recorded"),
    "position": ("흐름 안의 순번", "Position in its stream"),
    "event_id": ("이벤트 번호", "Event id"),
    "leaf_hash": ("기록의 지문 (SHA-256)", "Leaf hash"),
    "signature": ("기관의 서명", "Agency's signature"),
    "signed_yes": ("있음", "yes"),
    "signed_by_batch": ("묶음의 첫 기록이 대신 서명", "by the manifest of its batch"),
    "raw": ("원문 보기", "The entry as it was hashed"),
    "proof_text": ("확인서 보기", "The proof"),
    "download_entry": ("기록 내려받기", "Download the entry"),
    "download_proof": ("확인서 내려받기", "Download the proof"),
    "previous_entry": ("앞 기록", "Previous entry"),
    "next_entry": ("다음 기록", "Next entry"),
    "stream_link": ("같은 흐름의 기록", "Entries of the same stream"),
    "won": ("원", "won"),
    "kst": ("한국 시각", "KST"),
}
