"""The files of deploy/: what they name exists, and nothing runs as root.

No image is built here; docs/deployment.md says so.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeledger.project import ROOT

DEPLOY = ROOT / "deploy"
UNITS = ("pipeledger.service", "pipeledger-web.service")


def instructions() -> list[tuple[str, str]]:
    """Word and rest of each instruction, continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines]


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def test_every_path_that_the_image_copies_exists() -> None:
    """A renamed folder breaks the build, on the day of the release."""
    copied = [
        word
        for name, rest in instructions()
        if name == "COPY" and "--from" not in rest
        for word in [one for one in rest.split() if not one.startswith("--")][:-1]
    ]

    assert {"requirements.lock", "dbt_project", "orchestration"} <= set(copied)
    assert [] == [word for word in copied if not (ROOT / word).exists()]


def test_nothing_that_the_image_copies_is_ignored_and_no_secret_can_get_in() -> None:
    ignored = set((ROOT / ".dockerignore").read_text().split())

    assert {".git", "secrets", "**/.env", "pipeledger.toml"} <= ignored
    copied = {word for name, rest in instructions() if name == "COPY" for word in rest.split()}
    assert not ignored & copied


def test_the_image_installs_the_lock_and_runs_as_a_user_without_rights() -> None:
    """Unpinned, two builds of one release differ; as root, a flaw in any library is the host's."""
    found = instructions()

    last_stage = found[[name for name, _ in found].index("FROM", 1) :]
    (user,) = [rest for name, rest in last_stage if name == "USER"]
    assert user.split(":")[0] not in {"root", "0"}
    after = [name for name, _ in last_stage[last_stage.index(("USER", user)) :]]
    assert "RUN" not in after
    assert any("--require-hashes" in rest and "requirements.lock" in rest for _, rest in found)
    assert "HEALTHCHECK" in after


def test_every_service_is_watched_and_started_again_and_none_is_open_to_the_world() -> None:
    services = compose()["services"]

    assert {"postgres", "webserver", "daemon"} == set(services)
    for name, service in services.items():
        assert "unless-stopped" == service["restart"], name
        if name != "webserver":  # the image's own check asks for the page
            assert service["healthcheck"]["test"], name
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ())), name
    for name in ("webserver", "daemon"):
        assert "service_healthy" == services[name]["depends_on"]["postgres"]["condition"]
        assert (DEPLOY / services[name]["build"]["context"] / "deploy/Dockerfile").exists()


def test_no_password_stands_in_the_files() -> None:
    for path in DEPLOY.iterdir():
        for line in path.read_text().splitlines():
            if "password" in line.lower() and not line.lstrip().startswith("#"):
                assert re.search(r"_FILE|env:|file:|secrets:|password:$|postgres_password", line), (
                    line
                )


def test_both_instances_differ_in_their_storage_alone() -> None:
    """A limit of a pool that one of them lacks would let two writers in."""
    small = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    large = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())

    assert "postgres" in large.pop("storage")
    assert small == large


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_runs_without_rights_and_from_the_environment_that_is_set_up(unit: str) -> None:
    text = (DEPLOY / unit).read_text()

    assert "User=pipeledger" in text
    assert "NoNewPrivileges=true" in text
    assert "ProtectSystem=strict" in text
    (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert command.startswith("/opt/pipeledger/.venv/bin/dagster-")
    assert command.endswith("-m orchestration.definitions")


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_the_unit(unit: str, tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed")
    # The program and its user are on the machine that it is deployed to.
    text = re.sub(r"/opt/pipeledger/.venv/bin/\S+", "/bin/true", (DEPLOY / unit).read_text())
    copy = tmp_path / unit
    copy.write_text(re.sub(r"(?m)^(User|Group)=.*\n", "", text))

    found = subprocess.run(
        [verify, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )

    told = [line for line in found.stderr.splitlines() if unit in line]
    assert [] == told
