"""Follow one won: from an agency's HTTP request to a citizen's check and an auditor's replay.

The tour of the system. A road works agency pays 250,000 won for a bridge inspection. Each step below is one step
of the way of one event (docs/architecture.md), with nothing faked: a real server in its own process, a real
database, real keys, real files. From step 8 on the server is gone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from audit_service.keys import SigningKey, read_seed
from tests.support.running_server import ROOT, running_server
from tests.support.small_city import budget_year, make_small_city, obligation, payment
from verifier.canonical import encode_canonical
from verifier.checkpoints import verify_checkpoint
from verifier.envelope import parse_entry, sign_submission
from verifier.notes import NoteSigner, VerifierKey
from verifier.proofs import verify_log_proof

if TYPE_CHECKING:
    from pathlib import Path

AMOUNT_WON = 250_000


def audit(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command that anybody may run."""
    return subprocess.run(
        [sys.executable, "-m", "audit_cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_follow_one_won(tmp_path: Path) -> None:  # noqa: PLR0915 - a tour is one walk
    # 0. The city begins a ledger. Its verifier key is printed in the newspaper: nobody below asks the server for it.
    city = make_small_city(tmp_path / "ledger")
    printed_vkey = str(NoteSigner.from_seed(city.origin, read_seed(city.keys / "log.key")).vkey)
    roads = SigningKey.from_seed(read_seed(city.keys / "roads.key"))

    with running_server(city.data_dir) as server:
        # 1. The agency's system posts its year: signed events, one after another.
        for event in (*budget_year(appropriated_won=1_000_000), obligation(1, amount_won=300_000)):
            body = encode_canonical(sign_submission(event, roads.private))
            assert server.post(body, agency="roads").status == 201

        # 2. It pays. The payment is signed with the agency's key; the token only says who is calling.
        paid = sign_submission(payment(1, of_obligation=1, amount_won=AMOUNT_WON), roads.private)
        answer = server.post(encode_canonical(paid), agency="roads")
        assert answer.status == 201
        receipt = answer.json()

        # 3. The receipt is evidence at once: the entry is recorded, and a signed checkpoint covers it.
        entry = server.get(receipt["entry_url"])
        verified = verify_log_proof(receipt["proof"].encode(), entry=entry, vkey=VerifierKey.parse(printed_vkey))
        assert verified.index == receipt["index"] == 6

        # 4. The same submission again is no second payment; paying more than was obligated is refused by its rule.
        again = server.post(encode_canonical(paid), agency="roads")
        assert (again.status, again.json()["index"]) == (200, 6)
        too_much = sign_submission(payment(2, of_obligation=1, amount_won=50_001), roads.private)
        refusal = server.post(encode_canonical(too_much), agency="roads")
        assert refusal.status in (409, 422)
        assert refusal.headers["Content-Type"] == "application/problem+json"
        assert refusal.json()["rule_id"] == "budget.obligation-overpaid"

        # 5. A moment later it is published as static files, and the projections have added it up. The refusal is no
        #    secret either: it stands behind the payment, with its rule and without what the submission said.
        server.wait_for("published_size", 8)
        server.wait_for("projected_size", 8)
        told_of = json.loads(server.get("/v1/events/7"))
        assert told_of["type"] == "registry.submission-refused.v1"
        assert (told_of["data"]["id"], told_of["data"]["rule_id"]) == ("payment-2", "budget.obligation-overpaid")
        book = server.get_json("/v1/budgets/roads/2021")
        line = next(row for row in book["tables"]["lines"] if row["id"] == "201-02")
        assert line["executed_won"] == AMOUNT_WON
        assert line["current_won"] - line["executed_won"] - line["carried_out_won"] == line["unspent_won"]

        # 6. A citizen sees 250,000 won on the page. The figure names the entries that it rests on; he takes the
        #    payment's entry and its proof home.
        assert 6 in line["entries"]
        (tmp_path / "entry.json").write_bytes(server.get("/v1/events/6"))
        (tmp_path / "payment.tlog-proof").write_bytes(server.get("/v1/events/6/proof", accept="text/plain"))

        # 7. The city binds itself to that figure: the root over the rows of its budget book goes back into the log, so
        #    that nobody can be shown another row later. One small file proves the citizen's row down to the checkpoint.
        assert audit("report", "publish", "--data", city.data_dir, "--quiet").returncode == 0
        fetched = audit(
            *("report", "proof", "--service", server.url, "--vkey", printed_vkey, "--report", "budget-book/roads/2021"),
            *("--row", "lines/201-02", "--out", tmp_path / "line.row-proof.json", "--quiet"),
        )
        assert fetched.returncode == 0, fetched.stderr
        bound_size = server.get_json("/v1/log")["tree_size"]
        server.wait_for("published_size", bound_size)
        server.wait_for("projected_size", bound_size)
        #    An auditor copies the whole log, and the figures that the service gave.
        mirrored = audit("mirror", f"{server.url}/log", tmp_path / "copy", "--vkey", printed_vkey, "--quiet")
        assert mirrored.returncode == 0, mirrored.stderr

    # 8. The server is stopped and its data are gone. The citizen checks, offline: the payment, and the figure.
    shutil.rmtree(city.data_dir)
    check = ("verify", tmp_path / "payment.tlog-proof", "--entry", tmp_path / "entry.json", "--vkey", printed_vkey)
    checked = audit(*check)
    assert checked.returncode == 0, checked.stderr
    assert parse_entry((tmp_path / "entry.json").read_bytes())["data"]["amount_won"] == AMOUNT_WON

    figure = audit("verify", tmp_path / "line.row-proof.json", "--vkey", printed_vkey)
    assert figure.returncode == 0, figure.stderr
    row = json.loads((tmp_path / "line.row-proof.json").read_bytes())
    assert f'"executed_won":{AMOUNT_WON}' in json.dumps(row, separators=(",", ":")).replace("\\", "")

    # 9. The auditor replays the whole history: every hash, signature and rule, every figure of the service, and every
    #    report to which the city bound itself.
    replay = ("replay", tmp_path / "copy", "--vkey", printed_vkey, "--quiet")
    replayed = audit(*replay)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    checkpoint = verify_checkpoint(
        (tmp_path / "copy" / "log" / "checkpoint").read_bytes(), vkey=VerifierKey.parse(printed_vkey)
    )
    assert checkpoint.tree_size == bound_size > 8

    # 10. One won less in the entry: the citizen's check fails and says where.
    forged = (tmp_path / "entry.json").read_bytes().replace(b'"amount_won":250000', b'"amount_won":249999')
    (tmp_path / "entry.json").write_bytes(forged)
    checked = audit(*check)
    assert checked.returncode == 1
    assert "DOES NOT HOLD" in checked.stdout

    # 11. One won more in a figure of the service: the auditor's replay fails and names the figure.
    answers = [path for path in (tmp_path / "copy" / "answers").rglob("*.json") if "budget-book" in str(path)]
    assert len(answers) == 1
    told = json.loads(answers[0].read_bytes())
    told["tables"]["lines"][0]["executed_won"] += 1
    answers[0].write_bytes(encode_canonical(told))
    replayed = audit(*replay)
    assert replayed.returncode == 1
    assert "executed_won" in replayed.stdout
