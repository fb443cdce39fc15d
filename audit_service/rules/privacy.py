"""Does an event carry what looks like a person: a resident number, a telephone, an e-mail, a card, a name?

What is in the log cannot be erased, so this is asked before an event is recorded, and again by every replay. It
is a net, not a proof: it knows forms and checksums, not people. A refusal names the place and the kind of what
it found and never the value. Digests, keys and signatures are left out by name *and* form, so that no other
text can hide under their names.

    resident number   six digits of a birthday and seven more; their checksum, or born after checksums ended
    telephone         mobile and area numbers; a local number only beside a word for a person or a telephone
    e-mail            anything that could be delivered
    card              sixteen (Amex fifteen) digits that pass Luhn
    account           the usual groups of digits; any number behind a word for account
    name              a surname and a given name beside a rank
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from audit_service.rules.errors import RuleBroken
from audit_service.rules.privacy_words import NO_NAMES, SURNAMES, TWO_SYLLABLE_SURNAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def check_personal_data(subject: str, data: Any) -> None:
    """Refuse a payload, as parsed JSON, in which some text looks like personal data.

    Raises:
        RuleBroken: `privacy.personal-data-suspected`.
    """
    for path, name, text in _texts(data, "data", ""):
        kind = suspect(text, field=name)
        if kind is not None:
            raise RuleBroken(
                "privacy.personal-data-suspected",
                f"{path} looks like it holds {kind}; what is recorded cannot be erased",
                stream=subject,
            )


def suspect(text: str, *, field: str = "") -> str | None:
    """Which kind of personal data does this text seem to hold? None if it holds none that we know."""
    exempt = _EXEMPT.get(field)
    if exempt is not None and exempt.fullmatch(text):
        return None
    if not text.isascii():
        # Full-width digits and letters become plain; what is not seen (zero width, soft hyphen) separates nothing.
        text = _INVISIBLE.sub("", _DASHES.sub("-", unicodedata.normalize("NFKC", text)))
        if _names_someone(text):
            return "a person's name"
    if "@" in text and _EMAIL.search(text) is not None:
        return "an e-mail address"
    if len(_DIGIT.findall(text)) < _FEWEST_DIGITS:
        return None
    return next((kind for kind, found in _NUMBERS if found(text)), None)


def _texts(value: Any, path: str, name: str) -> Iterator[tuple[str, str, str]]:
    """All texts below a value: path, name of the member that holds it, text. Keys come from the catalogue."""
    if isinstance(value, str):
        yield path, name, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _texts(member, f"{path}.{key}", key)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _texts(member, f"{path}[{number}]", name)


_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_JWS = re.compile(r"[A-Za-z0-9_-]{1,512}\.\.[A-Za-z0-9_-]{86}", re.ASCII)
_VKEY = re.compile(r"[a-z0-9./-]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{40,4000}", re.ASCII)
_EXEMPT = {
    **dict.fromkeys(("sha256", "digest", "commitment", "submissions_root", "root_hash", "box_root"), _DIGEST),
    **dict.fromkeys(("schema_sha256", "record_schema_sha256", "deletion_receipt_sha256"), _DIGEST),
    **dict.fromkeys(("question_sha256", "options_sha256"), _DIGEST),
    **dict.fromkeys(("kid", "public_key"), _KEY),
    **dict.fromkeys(("possession", "possessions", "signature", "approval"), _JWS),
    **dict.fromkeys(("vkey", "log_key", "successor_log_key"), _VKEY),
}

_FEWEST_DIGITS = 7  # of a local telephone number
_DIGIT = re.compile(r"\d")

# --- numbers --------------------------------------------------------------------------------------------

_DASHES = re.compile(r"[‐‑‒–—―−－․·ㆍ∙]")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# No letter or digit, and no separator with a digit behind it, may stand beside a number: then it is part of more.
_BEFORE = r"(?<![0-9A-Za-z_])(?<![0-9][-.,/])"
_AFTER = r"(?![0-9A-Za-z_])(?![-.,/][0-9])"

_RESIDENT = re.compile(_BEFORE + r"(\d{2})(\d{2})(\d{2})(\s?-\s?|\s)?([0-9])(\d{6})" + _AFTER)
_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_CHECKSUMS_ENDED = dt.date(2020, 10, 1)  # numbers given since then end in random digits
_CENTURY = {1: 1900, 2: 1900, 5: 1900, 6: 1900, 3: 2000, 4: 2000, 7: 2000, 8: 2000, 9: 1800, 0: 1800}

_SEPARATOR = r"[-. )]{1,3}"
_TELEPHONE = re.compile(
    r"(?<![0-9A-Za-z_])(?<![0-9][-.,/])(?:"
    rf"(?:\+?82{_SEPARATOR}?\(?0?\)?|0)1[016789](?:{_SEPARATOR})?[0-9]{{3,4}}(?:{_SEPARATOR})?[0-9]{{4}}"
    rf"|(?:\+?82{_SEPARATOR}\(?0?\)?|0)(?:2|[3-6][1-5]|70|50[0-9]){_SEPARATOR}[0-9]{{3,4}}{_SEPARATOR}[0-9]{{4}}"
    r")" + _AFTER
)
# 02)2133-1234 without its area code. What begins with a year is a document number or a span of years.
_LOCAL_NUMBER = r"(?!(?:19|20)[0-9]{2}-)[2-9][0-9]{2,3}-[0-9]{4}" + _AFTER + r"(?!\s?호)"
_LOCAL = re.compile(_BEFORE + _LOCAL_NUMBER)
_BESIDE_LOCAL = re.compile(
    rf"(?:(?<![가-힣])([가-힣]{{3,4}})\s*)?{_BEFORE}{_LOCAL_NUMBER}(?:\s*([가-힣]{{3,4}})(?![가-힣]))?"
)
_TELEPHONE_WORDS = re.compile(r"전화|연락처|휴대|핸드폰|내선|팩스|☎|☏|[Tt][Ee][Ll]\b|[Pp]hone|[Mm]obile|FAX|[Ff]ax\b")
_EMAIL = re.compile(
    r"[A-Za-z0-9._%+'-]{1,64}\s?@\s?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
_CARD = re.compile(_BEFORE + r"[34569][0-9]{3}([- ]?)(?:[0-9]{4}\1[0-9]{4}\1[0-9]{4}|[0-9]{6}\1[0-9]{5})" + _AFTER)
_ACCOUNT = re.compile(
    _BEFORE
    + r"(?:[0-9]{6}-[0-9]{2}-[0-9]{6}|[0-9]{3}-[0-9]{3}-[0-9]{6}|[0-9]{4}-[0-9]{3}-[0-9]{6}"
    + r"|[0-9]{3}-[0-9]{4}-[0-9]{4}-[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{7}|[0-9]{3}-[0-9]{6}-[0-9]{2}-[0-9]{3})"
    + _AFTER
)
_ACCOUNT_WORDS = re.compile(r"(?:계좌|예금주|입금|통장|[Aa]ccount)[^0-9]{0,24}([0-9][0-9 -]{8,22}[0-9])")


def _has_resident_number(text: str) -> bool:
    return any(_is_resident_number(match) for match in _RESIDENT.finditer(text))


def _is_resident_number(match: re.Match[str]) -> bool:
    year, month, day, separator, seventh, rest = match.groups()
    try:
        born = dt.date(_CENTURY[int(seventh)] + int(year), int(month), int(day))
    except ValueError:
        return False
    if born >= _CHECKSUMS_ENDED:
        return separator is not None  # without checksum and separator thirteen digits say too little
    digits = [int(digit) for digit in year + month + day + seventh + rest]
    total = sum(weight * digit for weight, digit in zip(_RESIDENT_WEIGHTS, digits, strict=False))
    # Foreigners' numbers (seventh digit 5 to 8) have their own complement.
    complement = 13 if seventh in "5678" else 11
    return (complement - total % 11) % 10 == digits[-1]


def _has_local_number(text: str) -> bool:
    match = _LOCAL.search(text)
    if match is None:
        return False
    return (
        (match[0] == text.strip() and len(match[0]) == len("2133-0000"))
        or _TELEPHONE_WORDS.search(text) is not None
        or _RANK.search(text) is not None
        or any(_is_name(name) for pair in _BESIDE_LOCAL.findall(text) for name in pair if name)
    )


def _has_card(text: str) -> bool:
    return any(_passes_luhn(re.sub(r"[- ]", "", match[0])) for match in _CARD.finditer(text))


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _has_account(text: str) -> bool:
    if _ACCOUNT.search(text):
        return True
    match = _ACCOUNT_WORDS.search(text)
    return match is not None and 10 <= sum(character.isdigit() for character in match[1]) <= 16


_NUMBERS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("a resident registration number", _has_resident_number),
    ("a telephone number", lambda text: _TELEPHONE.search(text) is not None or _has_local_number(text)),
    ("a card number", _has_card),
    ("an account number", _has_account),
)

# --- names ----------------------------------------------------------------------------------------------

_RANK_WORDS = (
    "과장|팀장|주무관|사무관|서기관|담당관|정책관|국장|실장|계장|부장|차장|소장|본부장|센터장|담당자|주임|대리|책임자"
)
_RANK = re.compile(rf"과\s?장|{_RANK_WORDS}")
# "과장 김민수", "팀장: 이서연", "주무관(박지훈)", "과 장  김 민 수": the name is the whole next word.
_AFTER_RANK = re.compile(
    rf"(?:과\s장|{_RANK_WORDS})(?P<mark>\s*[:：=(（\[/,]\s*|\s+)"
    r"(?P<name>[가-힣](?: [가-힣]){1,2}|[가-힣]{2,4})(?![가-힣])"
)
# "김민수 과장": only ranks that are written behind names, and the rank must end there.
_BEFORE_RANK = re.compile(
    r"(?<![가-힣])(?P<name>[가-힣]{3,4})\s?(?:과장|팀장|주무관|사무관|서기관|국장|실장|계장|부장|차장|주임|대리)"
    r"(?:님|은|는|이|가|을|를|의|에게|과|와|도)?(?![가-힣])"
)
# Words that begin like a surname and stand beside ranks in budget books. A name that equals one is missed.
_NO_LAST = frozenset("과팀국실부처청급직별및등장")
_PARTICLES = (
    "에게",
    "에서",
    "으로",
    "까지",
    "부터",
    "만",
    "은",
    "는",
    "이",
    "가",
    "을",
    "를",
    "의",
    "과",
    "와",
    "에",
    "로",
    "도",
    "들",
)


def _names_someone(text: str) -> bool:
    if _RANK.search(text) is None:
        return False
    for match in _AFTER_RANK.finditer(text):
        marked = match["mark"].strip() != ""
        if _is_name(match["name"].replace(" ", ""), marked=marked):
            return True
    return any(_is_name(match["name"]) for match in _BEFORE_RANK.finditer(text))


def _is_name(word: str, *, marked: bool = False) -> bool:
    """Is this word built as a name: three syllables, or two or four where only names have so many?"""
    stem = next((word.removesuffix(each) for each in _PARTICLES if word.endswith(each)), word)
    if word in NO_NAMES or stem in NO_NAMES or word[-1] in _NO_LAST or word[-2:] in _RANK_ENDINGS:
        return False
    if word.startswith(TWO_SYLLABLE_SURNAMES):
        return len(word) == 4 or (len(word) == 3 and word[0] in "남황제사선독서동")
    if word[0] not in SURNAMES:
        return False
    # "과장 김구" and "과장 이수" are too often half a sentence: two syllables need a mark between.
    return len(word) == 3 or (len(word) == 2 and marked)


_RANK_ENDINGS = frozenset(
    {"과장", "팀장", "무관", "당관", "책관", "기관", "국장", "실장", "하여", "하고", "하는", "하기", "되는"}
)
