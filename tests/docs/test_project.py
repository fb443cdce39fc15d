"""Do the files around the code agree with each other: tasks, README, locks, continuous integration?"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FENCED = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _headings(page: str) -> list[int]:
    outside_code = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", outside_code, re.MULTILINE)]


def test_make_alone_lists_every_task() -> None:
    declared = re.search(r"^\.PHONY: (.+)$", _read("Makefile"), re.MULTILINE)
    assert declared is not None
    tasks = set(declared[1].split()) - {"help"}
    listing = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True)
    listed = [line.split(maxsplit=2) for line in listing.stdout.splitlines()]
    assert {name for command, name, _ in listed if command == "make"} == tasks


def test_both_readmes_tell_the_same_story() -> None:
    english, korean = _read("README.md"), _read("README.ko.md")
    assert _headings(english) == _headings(korean)
    commands = [_FENCED.findall(page) for page in (english, korean)]
    assert commands[0] == commands[1]
    assert commands[0]


def test_the_readme_s_commands_are_tasks_and_ci_runs_the_test_command() -> None:
    commands = _FENCED.findall(_read("README.md"))[0].split("\n")
    assert [line.partition("#")[0].strip() for line in commands if line] == ["make demo", "make test"]
    steps = re.findall(r'^step "[^"]+" (.+)$', _read(".ci/run"), re.MULTILINE)
    assert steps[-1] == "make test", "the closing lines of pytest are the last thing to read"


@pytest.mark.parametrize("name", ["base", "server", "dev", "build"])
def test_locks_are_pinned_by_hash_and_name_no_index(name: str) -> None:
    lock = _read(f"requirements/{name}.txt")
    assert "://" not in lock
    assert not re.search(r"^\s*-", lock.replace("    --hash=sha256:", ""), re.MULTILINE)
    for requirement in re.split(r"\n(?=\S)", lock.strip()):
        assert re.match(r"[a-z0-9.-]+==\S+", requirement), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", requirement), requirement


def test_locks_agree_on_every_version() -> None:
    versions: dict[str, set[str]] = {}
    for name in ("base", "server", "dev", "build"):
        for package, version in re.findall(r"^([a-z0-9.-]+)==(\S+)", _read(f"requirements/{name}.txt"), re.MULTILINE):
            versions.setdefault(package, set()).add(version)
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads(_read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    for name, wanted in (("base", project["dependencies"]), ("server", extras["server"]), ("dev", extras["dev"])):
        locked = set(re.findall(r"^([a-z0-9.-]+)==", _read(f"requirements/{name}.txt"), re.MULTILINE))
        direct = {re.split(r"[\[<>=~]", requirement)[0] for requirement in wanted} - {"audit-service"}
        assert direct <= locked


def test_the_licence_is_the_apache_licence() -> None:
    licence = _read("LICENSE")
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    assert licence.rstrip().endswith("limitations under the License.")


def test_vendored_files_are_what_their_list_says_and_are_acknowledged() -> None:
    lists = list(ROOT.glob("api/static/vendor/*/VENDOR.json"))
    assert lists
    for path in lists:
        vendored = json.loads(path.read_text(encoding="utf-8"))
        found = {file.name: sha256(file.read_bytes()).hexdigest() for file in path.parent.iterdir() if file != path}
        assert found == vendored["sha256"]
        assert vendored["name"].removesuffix("-dist") in _read("NOTICE")
