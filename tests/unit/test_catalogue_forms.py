"""Which spellings of a date, a code or a period does the catalogue let in? One each."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from audit_service.catalogue import common, service

ACCEPTED = [
    (common.Date, "2021-06-01"),
    (common.Month, "2021-06"),
    (common.PartialDate, "2021"),
    (common.PartialDate, "2021-06"),
    (common.PartialDate, "2021-06-01"),
    (common.ObjectCode, "201-02"),
    (service.Period, "2019"),
    (service.Period, "2019-r1"),
    (service.Period, "2020-Q3"),
    (common.Sha256Hex, "ab" * 32),
    (common.Code, "a/b:c.d_e-F"),
]
REFUSED = [
    (common.Date, "٢٠٢١-06-01"),  # Arabic digits are digits to \d
    (common.Date, "2021-06-01\n"),
    (common.Date, "2021-6-1"),
    (common.Date, "2021-13-01"),
    (common.Month, "2021-0６"),
    (common.PartialDate, "2021-06-32"),
    (common.ObjectCode, "२०१-02"),
    (service.Period, "２０１９"),
    (service.Period, "2019-Q5"),
    (common.Sha256Hex, "AB" * 32),
    (common.Code, "a b"),
    (common.Code, ""),
    (common.Code, "이름"),
]


@pytest.mark.parametrize(("form", "value"), ACCEPTED)
def test_the_one_spelling_is_accepted(form: Any, value: str) -> None:
    assert msgspec.json.decode(msgspec.json.encode(value), type=form) == value


@pytest.mark.parametrize(("form", "value"), REFUSED)
def test_any_other_spelling_is_refused(form: Any, value: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(value), type=form)
