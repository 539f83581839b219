"""One server for all who use it: started by the first, stopped by the last, back after a kill."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.cluster import Cluster, is_alive
from tests.database.users import (
    DJANGO,
    Process,
    Start,
    keeper_of,
    wait_until_dead,
    wait_until_gone,
)


def test_users_share_one_server_and_the_last_one_stops_it(data: Path, start: Start) -> None:
    first = start(data)
    server = first.answer()
    second = start(data)

    assert second.answer() == server
    first.end()
    time.sleep(1.0)
    assert is_alive(int(server[0]))
    second.end()
    wait_until_dead(int(server[0]))
    wait_until_gone(data)
    assert not Path(str(server[1])).exists()


def test_many_that_start_at_once_start_one_server(data: Path, start: Start) -> None:
    users = [start(data) for _ in range(6)]

    with ThreadPoolExecutor(len(users)) as pool:
        servers = list(pool.map(Process.answer, users))

    assert servers == [servers[0]] * 6


def test_killed_users_leave_nothing_running(data: Path, start: Start) -> None:
    users = [start(data), start(data)]
    pids = [int(user.answer()[0]) for user in users]

    for user in users:
        user.kill()

    wait_until_dead(pids[0])
    wait_until_gone(data)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does not tell of a parent's death")
def test_killed_keeper_takes_its_server_along_and_the_next_user_gets_another(
    data: Path, start: Start
) -> None:
    server = int(start(data).answer()[0])

    os.kill(keeper_of(server), signal.SIGKILL)

    wait_until_dead(server)
    assert start(data).answer()[0] != server


@pytest.mark.parametrize("whom", ["server", "keeper"])
def test_connections_come_back_with_all_data_after_a_kill(
    data: Path, start: Start, whom: str
) -> None:
    user = start(data, DJANGO)
    user.ask("CREATE TABLE kept (n int)")
    user.ask("INSERT INTO kept VALUES (7)")
    pid = Cluster(data).recorded_pid()
    assert pid is not None

    os.kill(pid if whom == "server" else keeper_of(pid), signal.SIGKILL)
    wait_until_dead(pid)
    user.ask("SELECT 'the broken connection is found here'")

    assert user.ask("SELECT n FROM kept") == [[7]]
    assert Cluster(data).recorded_pid() != pid
