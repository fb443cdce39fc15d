"""Do the files that an operator copies fit the service that they start?"""

from __future__ import annotations

import re
import shlex
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from api.access import ACCESS
from api.caching import IMMUTABLE, NO_CACHE
from api.ports import Limits
from audit_cli.main import load_command

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def read(name: str) -> str:
    """A file of `deploy/` without its comments."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    return re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)


def parsed(arguments: list[str]) -> Namespace:
    """What the command itself makes of these arguments."""
    parser = ArgumentParser(exit_on_error=False)
    load_command(arguments[0]).add_arguments(parser)
    return parser.parse_args(arguments[1:])


def test_the_unit_starts_the_service_where_the_proxy_looks_for_it() -> None:
    command = re.search(r"^ExecStart=(.+)$", read("audit.service"), re.MULTILINE)
    assert command is not None
    program, *arguments = shlex.split(command[1])
    assert program.endswith("/audit")
    args = parsed(arguments)
    assert f"server {args.host}:{args.port};" in read("nginx.conf")
    assert f"root {args.data}/public;" in read("nginx.conf")
    assert args.data == Path("/var/lib") / "audit"
    assert "StateDirectory=audit\n" in read("audit.service"), "the one folder that it may write"


@pytest.mark.parametrize(
    "line",
    [
        "User=audit",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
        "MemoryDenyWriteExecute=yes",
        "Restart=on-failure",
    ],
)
def test_the_unit_gives_the_service_no_more_than_it_needs(line: str) -> None:
    assert line in read("audit.service").splitlines()


def test_no_secret_stands_in_a_unit() -> None:
    assert "Environment=" not in read("audit.service")
    assert "EnvironmentFile=-/etc/audit/environment" in read("audit.service")


def test_the_image_is_built_from_what_is_there_and_pinned_by_hash() -> None:
    lines = re.sub(r"\\\n\s*", "", read("Containerfile")).splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY") and "--from=" not in line]
    assert copied
    assert all((ROOT / source).exists() for sources in copied for source in sources)
    installs = [part for line in lines if line.startswith("RUN") for part in line.split("&&") if "pip install" in part]
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes --only-binary=:all:" in install or "--no-deps --no-index" in install


def test_the_image_does_not_run_as_root_and_starts_the_service() -> None:
    final = read("Containerfile").rpartition("\nFROM ")[2]
    user = re.search(r"^USER (\d+)$", final, re.MULTILINE)
    assert user is not None
    assert int(user[1]) > 0
    command = re.search(r"^CMD \[(.+)\]$", final, re.MULTILINE)
    assert command is not None
    args = parsed([word.strip(' "') for word in command[1].split(",")])
    assert f"EXPOSE {args.port}\n" in final
    assert f"VOLUME {args.data}\n" in final


def test_the_proxy_says_about_caches_what_the_service_says() -> None:
    said = re.findall(r'add_header Cache-Control "([^"]+)" always;', read("nginx.conf"))
    assert said == [NO_CACHE, IMMUTABLE]
    assert read("nginx.conf").count('add_header Access-Control-Allow-Origin "*" always;') == 2


def test_the_proxy_serves_full_tiles_and_bundles_from_the_disk_and_no_other_name() -> None:
    pattern = re.search(r'location ~ "([^"]+)"', read("nginx.conf"))
    assert pattern is not None
    for path in ("0/000", "3/255", "entries/000", "0/x001/x234/067", "entries/x001/000"):
        assert re.search(pattern[1], f"/log/tile/{path}"), path
    for path in ("0/000.p/5", "entries/000.p/9", "0/x001", "../keys/log.key", "0/000/", "000/000", "0/x1/000", "a/000"):
        assert not re.search(pattern[1], f"/log/tile/{path}"), path


def test_the_proxy_lets_through_what_the_service_takes() -> None:
    size = re.search(r"client_max_body_size (\d+)m;", read("nginx.conf"))
    assert size is not None
    assert int(size[1]) * 1024 * 1024 == Limits().batch_bytes
    # Set by the proxy: with `$proxy_add_x_forwarded_for` a caller could choose whom its requests are counted for.
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in read("nginx.conf")


def test_figures_are_for_operators() -> None:
    assert "GET /metrics" in ACCESS
    location = read("nginx.conf").partition("location = /metrics {")[2].partition("}")[0]
    assert "deny all;" in location
