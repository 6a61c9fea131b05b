"""Erasure in landing: one person goes, nobody else's record moves, and a repeat changes nothing."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.base.stream import Record
from pipeledger.erase import Erasure, _clean_landing
from pipeledger.landing import Landing, suppression
from pipeledger.landing.suppression import Suppression
from pipeledger.project import ROOT

EVA = "eva@stone.example"
AT = datetime(2026, 1, 1, tzinfo=UTC)
EVAS = (
    b'{"id":"1","properties":{"email":"Eva@Stone.example","firstname":"Eva","lastname":"Stein",'
    b'"phone":"+49 30 123"},"amount":1.10,"big":12345678901234567890.10}'
)
TOMS = b'{"id":"2","properties":{"email":"tom@stone.example","firstname":"Tom"},"amount":2.00}'
MAIL = (
    b'{"from":[{"address":"tom@stone.example","name":"Tom"}],'
    b'"to":[{"name":"Eva Stein","address":"eva@stone.example"}],'
    b'"body_text":"Hello Tom, yours, Eva Stein",'
    b'"subject":"for Eva Stein <eva@stone.example>, cc eva@stone.example.org"}'
)


def filled(folder: Path) -> Landing:
    """Two people of one company, a mail between them, and a deal that names neither."""
    landing = Landing(folder / "landing")
    old = Record("1", EVAS.replace(b"Eva@Stone.example", b""), AT)
    landing.append("hubspot", "contacts", "crm", [old, Record("2", TOMS, AT)], "s0")
    landing.append("hubspot", "contacts", "crm", [Record("1", EVAS, AT)], "s1")
    landing.append("imap", "messages", "mail", [Record("m1", MAIL, AT)], "s2")
    landing.append("hubspot", "deals", "crm", [Record("9", b'{"amount":"5"}', AT)], "s3")
    return landing


def take_out(landing: Landing) -> Erasure:
    done = Erasure([EVA])
    known = suppression.remember(landing.root, suppression.load(landing.root), EVA)
    _clean_landing(landing, known, done)
    return done


def everything(landing: Landing) -> dict[str, list[str | None]]:
    return {
        f"{source}.{stream}:{record}": [
            version.payload for version in landing.versions(source, stream, connection, record)
        ]
        for source, stream, connection, record in (
            *(("hubspot", "contacts", "crm", "1"), ("hubspot", "contacts", "crm", "2")),
            *(("imap", "messages", "mail", "m1"), ("hubspot", "deals", "crm", "9")),
        )
    }


def raw(landing: Landing) -> bytes:
    return b"".join(p.read_bytes() for p in Path(landing.root).rglob("*") if p.is_file())


def test_a_person_goes_from_every_version_and_nobody_else_changes(tmp_path: Path) -> None:
    """A colleague of the same company, and a longer address that begins alike, are others."""
    landing = filled(tmp_path)
    before = everything(landing)

    done = take_out(landing)

    after = everything(landing)
    assert {"hubspot.contacts": 2, "imap.messages": 1} == done.rows
    for untouched in ("hubspot.contacts:2", "hubspot.deals:9"):
        assert before[untouched] == after[untouched]
    person = " ".join(str(one) for one in after["hubspot.contacts:1"])
    assert 2 == len(after["hubspot.contacts:1"])
    for gone in ("Eva", "Stein", "+49", "eva@"):
        assert gone not in person
    assert '"amount":1.10,"big":12345678901234567890.10' in person
    (mail,) = after["imap.messages:m1"]
    assert mail is not None
    assert "Stein" not in mail
    assert "eva@stone.example.org" in mail
    assert '{"address":"tom@stone.example","name":"Tom"}' in mail
    for trace in (b"Stein", b"Stone.example", b"eva@stone.example,"):
        assert trace not in raw(landing)


def test_the_next_sync_brings_nobody_back_and_adds_no_version(tmp_path: Path) -> None:
    """The vendor still has the person: what it shows is cleaned before it is compared."""
    landing = filled(tmp_path)
    take_out(landing)
    before = everything(landing)

    again = landing.append("hubspot", "contacts", "crm", [Record("1", EVAS, AT)], "s8")
    mail = landing.append("imap", "messages", "mail", [Record("m1", MAIL, AT)], "s8")
    moved = EVAS.replace(b"Eva@Stone.example", b"").replace(b"1.10", b"1.20")
    later = landing.append("hubspot", "contacts", "crm", [Record("1", moved, AT)], "s9")

    assert (0, 0, 1) == (again.appended, mail.appended, later.appended)
    after = everything(landing)
    assert before == {**after, "hubspot.contacts:1": after["hubspot.contacts:1"][:-1]}
    # Known by its place, too: without the address it is the same person's record.
    assert "Eva" not in str(after["hubspot.contacts:1"][-1])


def test_a_repeat_changes_nothing(tmp_path: Path) -> None:
    """Whoever is not sure that it ended runs it again."""
    landing = filled(tmp_path)
    take_out(landing)
    before = everything(landing)

    assert {} == take_out(landing).rows
    assert before == everything(landing)


@pytest.mark.slow
def test_an_erasure_that_is_killed_loses_nobody_and_ends_when_it_is_run_again(
    tmp_path: Path,
) -> None:
    """Between two tables, the one is the new one and the other still the old one."""
    landing = filled(tmp_path)
    code = (
        "from tests.landing.test_erasing import *; import sys; "
        "take_out(Landing(sys.argv[1] + '/landing'))"
    )

    killed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PIPELEDGER_CRASH_AT": "while-erasing-landing"},
        check=False,
    )

    assert killed.returncode == -9
    assert [2, 1, 1, 1] == [len(versions) for versions in everything(landing).values()]
    assert {"imap.messages": 1} == take_out(landing).rows
    assert b"Stone.example" not in raw(landing)


def test_the_list_of_the_erased_tells_nobody_who_they_were(tmp_path: Path) -> None:
    """A list of names of people who asked to be forgotten would be the opposite of that."""
    landing = filled(tmp_path)
    take_out(landing)

    path = Path(landing.root) / suppression.FILE

    assert 0o600 == path.stat().st_mode & 0o777
    assert b"eva" not in path.read_bytes()
    assert Suppression(b"another key", frozenset()).hash(EVA) not in path.read_text()
