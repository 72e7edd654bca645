"""A hub on one machine: learners' clusters never meet, and systemd keeps each out of the others'."""

import ipaddress
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config.loader import PyFileConfigLoader

from kata_lib.engines.embedded.addresses import LoopbackPlan

CONFIG = Path(__file__).parents[2] / "deploy" / "hub" / "jupyterhub_config.py"
MOST = 508


@dataclass
class Spawner:
    """What the hook is given: who the server is for, and what it starts with."""

    user: SimpleNamespace
    environment: dict[str, str] = field(default_factory=lambda: {"KATA_CLASS_URL": "http://127.0.0.1:8780"})
    unit_extra_properties: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def config() -> Any:
    return PyFileConfigLoader(CONFIG.name, str(CONFIG.parent)).load_config()


def started(config: Any, number: int) -> Spawner:
    """Return a spawner as the hook leaves it, of the account with a number."""
    spawner = Spawner(SimpleNamespace(id=number))
    config.Spawner.pre_spawn_hook(spawner)
    return spawner


def network(spawner: Spawner) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(spawner.environment["KATA_ADDRESSES"])


def test_thirty_learners_blocks_never_meet(config: Any) -> None:
    networks = [network(started(config, number)) for number in range(1, 31)]
    assert not any(one.overlaps(other) for one, other in combinations(networks, 2))
    blocks = [block for each in networks for block in LoopbackPlan.blocks_of(each)]
    assert len(set(blocks)) == len(blocks) == 30 * 8


def test_every_account_that_there_is_room_for_has_blocks_and_one_more_is_refused(config: Any) -> None:
    blocks = [LoopbackPlan.blocks_of(network(started(config, number))) for number in range(1, MOST + 1)]
    assert len({block for each in blocks for block in each}) == 8 * MOST
    with pytest.raises(ValueError, match=f"room for {MOST} accounts"):
        started(config, MOST + 1)


def test_a_server_reaches_the_hub_and_its_own_part_of_loopback_alone(config: Any) -> None:
    ada = started(config, 1)
    assert ada.unit_extra_properties["IPAddressDeny"] == "127.0.0.0/8"
    hub, own = ada.unit_extra_properties["IPAddressAllow"].split()
    assert (hub, own) == ("127.0.0.1", str(network(ada)))
    assert ada.environment["KATA_CLASS_URL"] == "http://127.0.0.1:8780"


def test_servers_have_limits_and_the_installation_is_not_theirs(config: Any) -> None:
    assert config.JupyterHub.spawner_class == "systemd"
    assert config.Spawner.mem_limit == "2G"
    assert config.Spawner.cpu_limit == 2
    assert config.SystemdSpawner.readonly_paths == [str(CONFIG.parents[2])]


def test_a_server_ends_its_kernels_before_systemd_ends_the_rest(config: Any) -> None:
    ada = started(config, 1).unit_extra_properties
    assert ada["KillMode"] == "mixed"
    assert int(ada["TimeoutStopSec"]) < 60
