"""Make the files of a new embedded database, whole or not at all."""

import os
import shutil
import subprocess
from pathlib import Path

from config.cluster import DATABASE, MAJOR, ROLE, Cluster, DatabaseUnavailableError, programs
from config.local import local_secret
from config.server_account import Account

MEBIBYTE = 2**20
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

# One role may connect, with its password, over the private socket; the superuser may not.
HBA = f"local all {ROLE} scram-sha-256\n"
SETTINGS = """
# Set by Touchstone when this folder was made; yours to tune.
listen_addresses = ''
max_connections = 200
shared_buffers = {shared_buffers}MB
jit = off
fsync = on
synchronous_commit = on
full_page_writes = on
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] '
"""


def make_files(cluster: Cluster, account: Account) -> None:
    """Make the database if there is none; refuse one of another version of PostgreSQL."""
    if cluster.files.exists():
        _check_version(cluster)
        return
    for left_over in cluster.data.glob("postgresql.new-*"):
        shutil.rmtree(left_over)
    draft = cluster.data / f"postgresql.new-{os.getpid()}"
    draft.mkdir(mode=0o700)
    if account.change:
        os.chown(draft, account.uid, account.gid)
    _fill(draft, account, local_secret(cluster.password))
    draft.rename(cluster.files)


def _fill(folder: Path, account: Account, password: str) -> None:
    _run(
        account,
        [
            "initdb",
            f"--pgdata={folder}",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--auth=peer",
        ],
    )
    (folder / "pg_hba.conf").write_text(HBA)
    with (folder / "postgresql.conf").open("a") as configuration:
        configuration.write(SETTINGS.format(shared_buffers=shared_buffers_mebibytes()))
    # In single-user mode a line is a statement: there is no moment with a half-made database.
    # The secret is of letters, digits, - and _: it needs no quoting.
    sql = (
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}';\n"
        f"GRANT pg_monitor TO {ROLE};\n"
        f"CREATE DATABASE {DATABASE} OWNER {ROLE};\n"
    )
    _run(account, ["postgres", "--single", "-D", str(folder), "postgres"], sql)


def shared_buffers_mebibytes() -> int:
    """256 MB, or an eighth of a small machine's memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in CGROUP_LIMITS:
        try:
            memory = min(memory, int(Path(limit).read_text()))
        except (OSError, ValueError):
            continue
    return max(16, min(256, memory // 8 // MEBIBYTE))


def _check_version(cluster: Cluster) -> None:
    try:
        version = (cluster.files / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise DatabaseUnavailableError(
            f"{cluster.files} holds no database. Move it away, or set TOUCHSTONE_DATA to a new "
            "folder."
        ) from None
    if version != str(MAJOR):
        raise DatabaseUnavailableError(
            f"{cluster.files} is of PostgreSQL {version}, and this Touchstone brings {MAJOR}. "
            "Set TOUCHSTONE_DATA to a new folder and restore a backup there (docs/operations.md)."
        )


def _run(account: Account, command: list[str], text: str = "") -> None:
    done = subprocess.run(  # noqa: S603
        [str(programs() / command[0]), *command[1:]],
        cwd="/",
        input=text,
        capture_output=True,
        text=True,
        preexec_fn=account.before_exec(os.getpid()),
        check=False,
    )
    if done.returncode or "ERROR:" in done.stderr:
        raise DatabaseUnavailableError(
            f"Making the database failed ({command[0]}): {_fault(done.stderr or done.stdout)}"
        )


def _fault(output: str) -> str:
    lines = output.strip().splitlines()
    faults = [line for line in lines if "ERROR:" in line or "FATAL:" in line or "error:" in line]
    return " | ".join(faults or lines[-3:])
