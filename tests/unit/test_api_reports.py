"""Does the service show its reports with proofs that hold, and say what exists where something does not?"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from audit_cli.main import main
from audit_service.recording.database import open_sqlite
from projections.read_models.report_requests import ReportRequests
from projections.read_models.row_packs import pack_rows, unpack_rows
from tests.support.api_city import TIMEOUT_S, open_api_city
from verifier.envelope import parse_entry
from verifier.notes import VerifierKey
from verifier.row_proofs import verify_row_proof
from verifier.stream_proofs import parse_stream_head, parse_stream_proof, verify_event_in_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.api_city import ApiCity

SETTLEMENT = "/v1/reports/settlement/seoul-smartcity"
BOOK = "/v1/reports/budget-book/seoul-smartcity/2021"
ROW = "settlements/2019/shared-admin"


def publish(data_dir: Path) -> int:
    engine = open_sqlite(data_dir / "projections.sqlite3")
    try:
        requests = ReportRequests(engine)
        request = requests.add()
        deadline = time.monotonic() + TIMEOUT_S
        while (published := requests.published(request)) is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return published
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports") / "ledger"


@pytest.fixture(scope="module")
def city(data_dir: Path) -> Iterator[ApiCity]:
    """A city that has published, changed one project, and published again."""
    with open_api_city(data_dir) as city:
        for path in (SETTLEMENT, BOOK):
            assert city.client.get(path).json()["detail"] == "no report of this kind is published yet"
        assert city.json("/v1/reports")["reports"] == []
        assert publish(data_dir) == len(city.json("/v1/reports")["reports"]) >= 14
        city.wait_until_published()
        assert publish(data_dir) == 0
        assert city.post(city.effect(1)).status_code == 201
        city.wait_until_published()
        assert publish(data_dir) == 2
        city.wait_until_published()
        yield city


@pytest.fixture(scope="module")
def vkey(city: ApiCity) -> VerifierKey:
    return VerifierKey.parse(city.vkey)


def proof(city: ApiCity, path: str) -> bytes:
    response = city.client.get(path)
    assert response.status_code == 200, response.text
    return response.content


def test_every_row_of_every_report_is_proven_in_less_than_8_kilobytes(city: ApiCity, vkey: VerifierKey) -> None:
    listed = city.json("/v1/reports")
    assert {report["kind"] for report in listed["reports"]} == set(listed["kinds"])
    proven = 0
    for report in listed["reports"]:
        shown = city.json(report["href"])
        assert shown["row_count"] == len(shown["rows"])
        for row in shown["rows"]:
            path = f"/v1/reports/{report['kind']}/{report['key']}/rows/{row['key']}/proof"
            data = proof(city, path)
            assert len(data) < 8192
            found = verify_row_proof(data, vkey=vkey, kind=report["kind"], key=report["key"], row_key=row["key"])
            assert found.row == row
            proven += 1
            # Two rows bear this one: the row, and the next one.
            absent = proof(city, f"/v1/reports/{report['kind']}/{report['key']}/rows/{_quoted(row['key'] + ' ')}/proof")
            assert len(absent) < 8192, (row["key"], len(absent))
            assert verify_row_proof(absent, vkey=vkey, row_key=row["key"] + " ").row is None
    assert proven > 100


def test_what_is_not_there_is_proven_absent(city: ApiCity, vkey: VerifierKey) -> None:
    for key in ("nothing", "~", " ", "가/나", "settlements/2019/", "a?b", "100%"):
        data = proof(city, f"{SETTLEMENT}/rows/{_quoted(key)}/proof")
        found = verify_row_proof(data, vkey=vkey, kind="settlement", row_key=key)
        assert found.row is None


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def test_an_older_report_is_shown_and_proven_as_it_was(city: ApiCity, vkey: VerifierKey) -> None:
    path = "/v1/reports/project-register/all"
    new, old = city.json(path)["tree_sizes"]
    key = max(row["key"] for row in city.json(path)["rows"] if "/effects/" in row["key"])
    assert verify_row_proof(proof(city, f"{path}/rows/{key}/proof"), vkey=vkey).row is not None
    earlier = verify_row_proof(proof(city, f"{path}/rows/{key}/proof?tree_size={old}"), vkey=vkey)
    assert (earlier.row, earlier.report.tree_size) == (None, old)
    assert len(city.json(f"{path}?tree_size={old}")["rows"]) + 1 == len(city.json(path)["rows"])
    changes = city.json(f"{path}/diff?from={old}&to={new}")["changes"]
    (change,) = changes
    assert (change["key"], change["old"]) == (key, None)
    assert change["caused_by"] == change["new"]["entries"]
    assert parse_entry(proof(city, f"/v1/events/{change['caused_by'][0]}"))["type"] == "project.effect-stated.v1"


def test_rows_are_shown_in_the_bytes_that_were_hashed(city: ApiCity) -> None:
    text = city.client.get(SETTLEMENT).text
    row = json.loads(proof(city, f"{SETTLEMENT}/rows/{ROW}/proof"))["rows"][0]["row"]
    assert row in text


def test_an_event_proves_its_place_in_its_stream(city: ApiCity, vkey: VerifierKey) -> None:
    for index in (0, 5, 100):
        parsed = parse_stream_proof(proof(city, f"/v1/events/{index}/stream-proof"))
        head = verify_row_proof(parsed.row_proof, vkey=vkey, kind="stream-heads").row
        assert head is not None
        event = verify_event_in_stream(parsed.entry, parse_stream_head(head), path=parsed.path)
        assert event == parse_entry(proof(city, f"/v1/events/{index}"))


def test_the_newest_entries_are_not_covered_yet(city: ApiCity) -> None:
    last = city.json("/v1/log")["tree_size"] - 1
    response = city.client.get(f"/v1/events/{last}/stream-proof")
    assert response.status_code == 404
    assert "the newest stream heads cover the first" in response.json()["detail"]


MISSING: tuple[tuple[str, str], ...] = (
    ("/v1/reports/weather/all", "there is no such kind"),
    ("/v1/reports/settlement/nobody", "no report of this key"),
    ("/v1/reports/budget-book/seoul-smartcity/1999", "no report of this key"),
    (f"{SETTLEMENT}?tree_size=7", "no report was published at this tree size"),
    (f"{SETTLEMENT}?tree_size=9007199254740991", "the log has"),
    (f"{SETTLEMENT}/rows/{ROW}/proof?tree_size=7", "no report was published at this tree size"),
    ("/v1/reports/weather/all/rows/x/proof", "there is no such kind"),
    (f"{SETTLEMENT}/diff?from=7", "no report was published at this tree size"),
)


@pytest.mark.parametrize(("path", "says"), MISSING)
def test_what_does_not_exist_is_answered_with_what_does(city: ApiCity, path: str, says: str) -> None:
    response = city.client.get(path)
    problem = response.json()
    assert (response.status_code, problem["type"]) == (404, "/docs/problems/not-in-log")
    assert says in problem["detail"]
    assert "7" not in problem["detail"] or "allowed" in problem or "the log has" in problem["detail"]


WRONG: tuple[tuple[str, int], ...] = (
    (f"{SETTLEMENT}/rows//proof", 404),
    (f"{SETTLEMENT}/rows/{'x' * 600}/proof", 404),
    (f"{SETTLEMENT}/rows/{ROW}", 404),
    (f"{SETTLEMENT}?tree_size=0", 400),
    (f"{SETTLEMENT}?size=1", 400),
    (f"{SETTLEMENT}/diff", 400),
    ("/v1/reports/budget-book/seoul-smartcity", 404),
    ("/v1/reports/definitions/settlement/0", 404),
    ("/v1/reports/definitions/settlement/²", 404),
    ("/v1/reports/definitions/..%2Fsettlement/1", 404),
)


@pytest.mark.parametrize(("path", "status"), WRONG)
def test_bad_addresses_are_no_more_than_that(city: ApiCity, path: str, status: int) -> None:
    assert city.client.get(path).status_code == status


def test_a_difference_from_later_to_earlier_is_refused(city: ApiCity) -> None:
    new, old = city.json("/v1/reports/project-register/all")["tree_sizes"]
    response = city.client.get(f"/v1/reports/project-register/all/diff?from={new}&to={old}")
    assert (response.status_code, response.json()["parameter"]) == (400, "from")


def test_a_definition_has_the_digest_that_its_reports_name(city: ApiCity) -> None:
    from hashlib import sha256  # noqa: PLC0415 - only here

    for report in city.json("/v1/reports")["reports"]:
        definition = report["definition"]
        text = proof(city, definition["href"])
        assert sha256(text).hexdigest() == definition["sha256"]


def test_an_unchanged_report_is_not_sent_twice(city: ApiCity) -> None:
    etag = city.client.get(SETTLEMENT).headers["ETag"]
    assert city.client.get(SETTLEMENT, headers={"If-None-Match": etag}).status_code == 304


def _one_event_more(body: bytes) -> bytes:
    return pack_rows([(key, row.replace(b'"events":', b'"events":1')) for key, row in unpack_rows(body)])


def _no_pack(_body: bytes) -> bytes:
    return b"not a pack"


def _text(_body: bytes) -> str:
    return "text where bytes belong"


def test_damaged_rows_are_never_served(data_dir: Path, city: ApiCity) -> None:
    """Somebody edits the read model of the running service: no wrong figure leaves it, and no proof of one."""
    engine = open_sqlite(data_dir / "projections.sqlite3")
    find = "SELECT body, row_key, since FROM report_rows WHERE kind = 'stream-heads'"
    change = "UPDATE report_rows SET body = ? WHERE kind = 'stream-heads' AND row_key = ? AND since = ?"
    # A report that nobody has asked for yet: what was checked once is served from memory.
    old = city.json("/v1/reports/stream-heads/all")["tree_sizes"][-1]
    with engine.begin() as connection:
        packs = connection.exec_driver_sql(find).all()
    damages: list[Callable[[bytes], bytes | str]] = [_one_event_more, _no_pack, _text]
    try:
        for damage in damages:
            with engine.begin() as connection:
                for body, row_key, since in packs:
                    connection.exec_driver_sql(change, (damage(body), row_key, since))
            answers = [
                city.client.get(f"/v1/reports/stream-heads/all?tree_size={old}"),
                city.client.get(f"/v1/reports/stream-heads/all/rows/x/proof?tree_size={old}"),
            ]
            for answer in answers:
                assert (answer.status_code, answer.json()["type"]) == (503, "/docs/problems/report-rows-damaged")
    finally:
        with engine.begin() as connection:
            for body, row_key, since in packs:
                connection.exec_driver_sql(change, (body, row_key, since))
        engine.dispose()
    assert city.client.get(f"/v1/reports/stream-heads/all?tree_size={old}").status_code == 200


# --- the command, on the files that the service gave ----------------------------------------------------


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_audit_verify_reads_a_row_proof(
    city: ApiCity, vkey: VerifierKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "2019.row-proof.json"
    file.write_bytes(proof(city, f"{SETTLEMENT}/rows/{ROW}/proof"))
    assert run("verify", file, "--vkey", vkey, "--json") == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert said["row"]["cells"]["unspent_won"] == 541_831_000
    assert (said["holds"], said["kind"], said["row_key"]) == (True, "settlement", ROW)
    asked = ("--report", "settlement/seoul-smartcity", "--row", ROW)
    assert run("verify", file, "--vkey", vkey, *asked) == 0
    assert "HOLDS: row settlements/2019/shared-admin in report settlement" in capsys.readouterr().out
    assert run("verify", file, "--vkey", vkey, "--row", "settlements/2018/shared-admin") == 1
    assert run("verify", file, "--vkey", vkey, "--report", "settlement/roads") == 1
    assert run("verify", file, "--vkey", vkey, "--publisher-key", "A" * 43) == 1
    assert run("verify", file, "--vkey", vkey, "--publisher-key", "A") == 2
    file.write_bytes(file.read_bytes().replace(b"541831000", b"541831001"))
    capsys.readouterr()
    assert run("verify", file, "--vkey", vkey) == 1
    assert "DOES NOT HOLD" in capsys.readouterr().out


def test_audit_verify_reads_a_proof_of_absence_and_a_stream_proof(
    city: ApiCity, vkey: VerifierKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent, stream = tmp_path / "absent.json", tmp_path / "stream.json"
    absent.write_bytes(proof(city, "/v1/reports/contract-register/all/rows/bridge%2Fplan%2Fplan/proof"))
    stream.write_bytes(proof(city, "/v1/events/5/stream-proof"))
    assert run("verify", absent, "--vkey", vkey) == 0
    assert "HOLDS: no row bridge/plan/plan in report contract-register/all" in capsys.readouterr().out
    assert run("verify", stream, "--vkey", vkey) == 0
    assert "HOLDS: event " in capsys.readouterr().out
    stream.write_bytes(stream.read_bytes().replace(b'"path":["', b'"path":["A', 1))
    assert run("verify", stream, "--vkey", vkey) == 1


def test_audit_report_complete_checks_saved_pages_offline(
    city: ApiCity, vkey: VerifierKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subject = "project/shared-admin"
    head, page = tmp_path / "head.json", tmp_path / "page.json"
    head.write_bytes(proof(city, f"/v1/reports/stream-heads/all/rows/{subject}/proof"))
    page.write_bytes(proof(city, f"/v1/events?subject={subject}&limit=1000"))
    asked = ("report", "complete", "--vkey", vkey, "--subject", subject, "--proof", head, "--events", page)
    assert run(*asked) == 0
    assert "HOLDS: these are all" in capsys.readouterr().out
    document = json.loads(page.read_bytes())
    del document["entries"][1]
    page.write_text(json.dumps(document, ensure_ascii=False))
    assert run(*asked) == 1
    assert "DOES NOT HOLD" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("proof", "--service", "http://127.0.0.1:1"),
        ("diff", "--service", "http://127.0.0.1:1", "--report", "../x"),
        ("complete",),
        ("publish",),
        ("publish", "--data", "/nonexistent"),
        ("list", "--service", "ftp://x"),
    ],
)
def test_wrong_use_is_one_clear_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", *arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
