"""Two real services on one ledger: the second waits, and goes on when the first one is killed."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING

from tests.support.public_log import Receipt, judge
from tests.support.running_server import RunningServer
from tests.support.small_city import SmallCity, budget_year, obligation, small_city

if TYPE_CHECKING:
    from pathlib import Path


def receipt_of(server: RunningServer, city: SmallCity, number: int) -> Receipt:
    answer = server.post(city.sign(obligation(number, amount_won=1)), agency="roads")
    assert answer.status in {200, 201}, answer.data
    body = answer.json()
    note = server.get("/log/checkpoint")
    return Receipt(f"obligation-{number}", body["index"], note)


def test_the_standby_takes_over_when_the_writer_is_killed(tmp_path: Path) -> None:
    with small_city(tmp_path / "ledger") as city:
        city.post(*budget_year())
    data_dir = tmp_path / "ledger"
    leader = RunningServer(data_dir)
    leader.wait_until_ready()
    standby = RunningServer(data_dir, options=("--standby",))
    receipts = [receipt_of(leader, city, 1)]
    # The standby has the address already, but answers nobody.
    with closing(socket.create_connection(("127.0.0.1", standby.port))) as waiting:
        waiting.settimeout(0.3)
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            answered = waiting.recv(1)
        except TimeoutError:
            answered = b""
    assert answered == b""
    leader.process.kill()
    leader.process.wait()
    killed = time.monotonic()
    standby.wait_until_ready()
    print(f"\ntaken over {time.monotonic() - killed:.2f} s after the death of the writer")  # noqa: T201 - the figure
    receipts += [receipt_of(standby, city, 1), receipt_of(standby, city, 2)]
    assert [receipt.index for receipt in receipts] == [5, 5, 6]
    standby.stop()
    assert judge(data_dir, receipts=receipts).findings == []


def test_a_standby_that_is_not_needed_ends_when_told_to(tmp_path: Path) -> None:
    with small_city(tmp_path / "ledger"):
        standby = RunningServer(tmp_path / "ledger", options=("--standby",))
        while "standing by" not in standby.log_file.read_text():
            time.sleep(0.02)
        standby.stop()
