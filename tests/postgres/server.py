"""A PostgreSQL of the system in a folder of its own, on a socket that nobody else finds."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from pipeledger.settings.postgres import PostgresServing
from tests.programs import program

PUBLISHER = "publisher"
_databases = count(1)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; its administrator is ``admin``, and nobody needs a password."""

    folder: Path
    port: int = 5432
    """That of the socket's name, and of 127.0.0.1 where the server listens there."""

    def dsn(self, database: str, user: str = PUBLISHER) -> str:
        """How a role signs in."""
        return f"host={self.folder} port={self.port} dbname={database} user={user}"

    def database(self) -> str:
        """The name of a new empty database that the publisher may make schemas in."""
        name = f"sales_{os.getpid()}_{next(_databases)}"
        with psycopg.connect(self.dsn("postgres", "admin"), autocommit=True) as admin:
            admin.execute(f'create database "{name}" owner {PUBLISHER}')
        return name

    def rows(self, database: str, query: str, user: str = PUBLISHER) -> list[tuple[Any, ...]]:
        """What a role gets."""
        with psycopg.connect(self.dsn(database, user)) as connection:
            return connection.execute(query).fetchall()


def serving(server: Server, database: str, **values: Any) -> PostgresServing:
    """The settings of a publication into a database."""
    return PostgresServing(dsn=SecretStr(server.dsn(database)), **values)


@contextmanager
def running(*, on_loopback: bool = False) -> Iterator[Server]:
    """Start a server as an unprivileged user (it refuses root), and end it with the block.

    ``on_loopback`` has it listen on a port of 127.0.0.1, too, for what knows no socket of a file.
    """
    initdb = program("lib/postgresql/*/bin/initdb")
    # Not below pytest's folder: only root may enter that.
    folder = Path(tempfile.mkdtemp(prefix="pipeledger-pg-"))
    other: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
        other = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    cluster = folder / "cluster"
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, **other}
    silent["cwd"] = folder
    try:
        subprocess.run(
            [initdb, "-D", cluster, "-U", "admin", "-A", "trust", "-N", "-E", "UTF8"],
            check=True,
            env={"LC_ALL": "C.UTF-8"},
            **silent,
        )
        server = Server(folder, _free_port()) if on_loopback else Server(folder)
        listens = "127.0.0.1" if on_loopback else ""
        options = [f"listen_addresses={listens}", f"port={server.port}", "fsync=off"]
        options += [f"unix_socket_directories={folder}"]
        options += ["full_page_writes=off", "synchronous_commit=off", "autovacuum=off", "jit=off"]
        command = [str(initdb.with_name("postgres")), "-D", str(cluster)]
        command += [word for one in options for word in ("-c", one)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stderr=log, **silent)
        try:
            _wait_for(server, process)
            with psycopg.connect(server.dsn("postgres", "admin"), autocommit=True) as admin:
                admin.execute(f"create role {PUBLISHER} login createrole")
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # whoever is still connected is cut off
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(server: Server, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(server.dsn("postgres", "admin")).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((server.folder / "log").read_text()) from None
            time.sleep(0.05)
        else:
            return
