"""Learners' servers as units of systemd: the hub of deploy/hub as it is, three accounts of this machine.

It needs root of a machine that systemd runs. The accounts are made for it, and removed afterwards.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from hub.member import ANSWER_SECONDS, KernelDied, Member, until
from hub.running_hub import HubProcess
from kata_lib.files import read_json

pytestmark = pytest.mark.needs("hub", "systemd")

ADA, BOB, INES = "kata-test-ada", "kata-test-bob", "kata-test-ines"
"""Two learners and the instructor, whose account the hub wants to see before it starts."""
MEMORY_BYTES = 2 << 30
CORES = 2
BURN_SECONDS = 5
READY = "kubectl wait --for=condition=Ready pods --all --timeout=120s"

REACHES = """
import ssl, urllib.error, urllib.request
def reaches(url, seconds):
    asks = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),
    )
    try:
        return asks.open(url, timeout=seconds).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
"""


@contextmanager
def account(name: str) -> Iterator[str]:
    """Make an account of this machine, and yield its password; its unit and it are gone afterwards."""
    password = secrets.token_hex(8)
    subprocess.run(["useradd", "--create-home", "--shell=/bin/bash", name], check=True)
    try:
        subprocess.run(["chpasswd"], input=f"{name}:{password}\n", text=True, check=True)
        yield password
    finally:
        if shown(name, "LoadState") != "not-found":
            subprocess.run(["systemctl", "stop", unit(name)], check=True)
        subprocess.run(["userdel", "--remove", name], stderr=subprocess.DEVNULL, check=True)


def unit(name: str) -> str:
    return f"jupyter-{name}-singleuser.service"


def shown(name: str, what: str) -> str:
    """Return a property of someone's unit."""
    command = ["systemctl", "show", unit(name), f"--property={what}", "--value"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def group(name: str) -> Path:
    """Return the folder of someone's unit among the cgroups."""
    return Path("/sys/fs/cgroup") / shown(name, "ControlGroup").lstrip("/")


def counts(name: str, file: str) -> dict[str, int]:
    """Return what the kernel counts in a file of someone's cgroup."""
    lines = (group(name) / file).read_text().splitlines()
    return {key: int(value) for key, value in map(str.split, lines)}


def processes(name: str) -> list[psutil.Process]:
    """Return the processes of an account."""
    number = pwd.getpwnam(name).pw_uid
    return [each for each in psutil.process_iter() if each.uids().real == number]


def allow(percent: int) -> None:
    """Give ada's unit this much of a core."""
    command = ["systemctl", "set-property", "--runtime", unit(ADA), f"CPUQuota={percent}%"]
    subprocess.run(command, check=True)


def shell(member: Member, command: str) -> str:
    """Return what a command printed that a cell of someone's ran."""
    asks = f"subprocess.check_output(['bash', '-c', {command!r}], text=True)"
    return member.run(f"import subprocess\nprint({asks})").strip()


@pytest.fixture(scope="module")
def members() -> Iterator[tuple[HubProcess, Member, Member]]:
    with ExitStack() as afterwards:
        folder = Path(tempfile.mkdtemp(prefix="hub-"))
        afterwards.callback(shutil.rmtree, folder)
        passwords = [afterwards.enter_context(account(name)) for name in (ADA, BOB, INES)]
        process = HubProcess("ports_config.py", folder, {"KATA_INSTRUCTORS": INES})
        afterwards.callback(process.end)
        process.start()
        ada, bob = (Member(process.url, *each) for each in zip((ADA, BOB), passwords[:2], strict=True))
        ada.start()
        bob.start()
        shell(ada, f"kata apply deploy/v1 && {READY}")
        yield process, ada, bob


@pytest.fixture
def the_hub(members: tuple[HubProcess, Member, Member]) -> HubProcess:
    return members[0]


@pytest.fixture
def ada(members: tuple[HubProcess, Member, Member]) -> Member:
    return members[1]


@pytest.fixture
def bob(members: tuple[HubProcess, Member, Member]) -> Member:
    return members[2]


def test_a_server_is_a_unit_with_the_configured_limits(ada: Member) -> None:
    limits = {name: (group(ADA) / name).read_text().split() for name in ("memory.max", "cpu.max")}
    quota, period = map(int, limits["cpu.max"])
    assert limits["memory.max"] == [str(MEMORY_BYTES)]
    assert quota == CORES * period
    assert shown(ADA, "MemorySwapMax") == "0"


def test_a_learners_cluster_and_kernels_are_in_their_unit(ada: Member) -> None:
    assert "Ready" in ada.run("from kata_lib import open_lab\nlab = open_lab(step='canary')")
    held = set(map(int, (group(ADA) / "cgroup.procs").read_text().split()))
    assert {each.pid for each in processes(ADA)} == held
    assert {"envoy", "python"} <= {psutil.Process(number).name() for number in held}


def test_a_learner_reaches_their_own_pods_and_nothing_of_anothers(ada: Member, bob: Member) -> None:
    cluster = Path(f"~{ADA}/canary-kata/.kata/kata").expanduser()
    pod = shell(ada, "kubectl get pods --selector=app=sentences --output=jsonpath={.items[0].status.podIP}")
    urls = {
        (read_json(cluster / "daemon.json") or {})["server"]: 403,
        shell(ada, "kata url sentences"): 200,
        f"http://{pod}:5000": 200,
        f"http://{pod}:15020/stats/prometheus": 200,
    }

    def answers(member: Member, seconds: int) -> str:
        return member.run(f"{REACHES}\nprint([reaches(url, {seconds}) for url in {list(urls)}])").strip()

    assert answers(ada, ANSWER_SECONDS) == str(list(urls.values()))
    assert answers(bob, 5) == str([None] * len(urls))


def test_a_learner_sees_neither_files_nor_processes_of_anothers(ada: Member, bob: Member) -> None:
    places = [str(Path(f"~{ADA}/canary-kata/.kata").expanduser()), f"/proc/{shown(ADA, 'MainPID')}"]
    look = f"import os\nprint([os.path.exists(place) for place in {places}])"
    assert ada.run(look).strip() == "[True, True]"
    assert bob.run(look).strip() == "[False, False]"


def test_a_cell_that_takes_more_memory_than_the_limit_ends_alone(ada: Member, bob: Member) -> None:
    bob.run("kept = 42")
    before = {each.pid for each in processes(ADA)}
    with pytest.raises(KernelDied):
        ada.run(f"eaten = [b'x' * (1 << 27) for _ in range({2 * MEMORY_BYTES >> 27})]")
    assert counts(ADA, "memory.events")["oom_kill"] >= 1
    assert len(before - {each.pid for each in processes(ADA)}) == 1
    assert shown(ADA, "ActiveState") == "active"
    assert ada.run("print('again')") == "again\n"
    assert shell(ada, "kubectl get pods --output=name")
    assert bob.run("print(kept)") == "42\n"


def test_cells_that_compute_are_held_to_the_quota(ada: Member) -> None:
    """With a tenth of a core, which every machine has more of."""
    burn = f"import time\nlimit = time.monotonic() + {BURN_SECONDS}\nwhile time.monotonic() < limit: pass"
    allow(10)
    try:
        began, before = time.monotonic(), counts(ADA, "cpu.stat")
        ada.run(burn)
        seconds, after = time.monotonic() - began, counts(ADA, "cpu.stat")
    finally:
        allow(100 * CORES)
    assert after["nr_throttled"] > before["nr_throttled"]
    assert (after["usage_usec"] - before["usage_usec"]) / 1e6 < 0.15 * seconds + 0.1


def test_servers_outlive_a_hub_that_is_restarted(the_hub: HubProcess, ada: Member, bob: Member) -> None:
    bob.run("kept = 43")
    servers = [shown(name, "MainPID") for name in (ADA, BOB)]
    the_hub.end()
    the_hub.start()
    assert [shown(name, "MainPID") for name in (ADA, BOB)] == servers
    assert ada.servers() == bob.servers() == [True]
    assert bob.run("print(kept)") == "43\n"


def test_the_end_of_a_server_leaves_nothing_and_the_next_has_its_objects(ada: Member) -> None:
    known = read_json(Path(f"~{ADA}/canary-kata/.kata/kata/addresses.json").expanduser())
    objects = shell(ada, "kubectl get deployments,services --output=name")
    ada.stop()
    assert processes(ADA) == []
    assert not list(Path("/tmp").glob(f"systemd-private-*-{unit(ADA)}-*"))
    assert not Path("/run", unit(ADA).removesuffix(".service")).exists()
    ada.start()
    shell(ada, READY)
    assert shell(ada, "kubectl get deployments,services --output=name") == objects
    now = read_json(Path(f"~{ADA}/canary-kata/.kata/kata/addresses.json").expanduser())
    assert known
    assert now == known


def test_the_culler_ends_a_server_that_nobody_uses(the_hub: HubProcess, bob: Member) -> None:
    culler = [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=1", "--cull-every=1"]
    process = subprocess.Popen(
        [*culler, f"--url={the_hub.url}/hub/api"],
        env={**os.environ, "JUPYTERHUB_API_TOKEN": the_hub.culler_token},
    )
    try:
        until(lambda: shown(BOB, "ActiveState") == "inactive", "the end of an idle server")
        assert processes(BOB) == []
    finally:
        process.terminate()
        process.wait()
