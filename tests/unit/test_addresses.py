"""Both address plans."""

import ipaddress
import socket
from pathlib import Path

import pytest

from kata_lib.engines.embedded import addresses
from kata_lib.engines.embedded.addresses import NODE, AddressPlan, LoopbackPlan
from kata_lib.engines.embedded.state import State
from kata_lib.errors import EngineError

KINDS = ["loopback", "ports"]


def state(tmp_path: Path, name: str = "one") -> State:
    (tmp_path / name).mkdir(exist_ok=True)
    return State(tmp_path / name)


def claimed(tmp_path: Path, kind: str, name: str = "one") -> AddressPlan:
    plan, server = addresses.claim(state(tmp_path, name), kind)
    server.close()
    return plan


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_things_listen_at_one_address(kind: str, tmp_path: Path) -> None:
    plan = claimed(tmp_path, kind)
    places = [plan.server_address(), plan.listen_at(NODE, 15080), plan.listen_at(NODE, 30080)]
    for uid in ("a", "b"):
        places += [plan.listen_at(uid, 5000), plan.application_at(uid, 5000), plan.listen_at(uid, 15080)]
    for _ in range(2):
        places.append(plan.service_at(plan.allocate_service(), 5000))
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_stays_over_restarts(kind: str, tmp_path: Path) -> None:
    first = claimed(tmp_path, kind)
    before = first.allocate_pod("a"), first.listen_at("a", 5000), first.server_address()
    again, server = addresses.claim(state(tmp_path), kind)
    server.close()
    assert (again.allocate_pod("a"), again.listen_at("a", 5000), again.server_address()) == before
    assert addresses.load(state(tmp_path)).allocate_pod("a") == before[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_pods_address_is_given_back_but_not_at_once_to_another(kind: str, tmp_path: Path) -> None:
    plan = claimed(tmp_path, kind)
    first = plan.allocate_pod("a")
    assert plan.pods() == ["a"]
    plan.release_pod("a")
    assert plan.pods() == []
    assert plan.allocate_pod("b") != first


@pytest.mark.parametrize("kind", KINDS)
def test_services_get_addresses_that_are_not_in_use(kind: str, tmp_path: Path) -> None:
    plan = claimed(tmp_path, kind)
    first = plan.allocate_service()
    restarted = addresses.load(state(tmp_path))
    assert restarted.allocate_service({first}) != first


@pytest.mark.parametrize("kind", KINDS)
def test_two_clusters_share_nothing(kind: str, tmp_path: Path) -> None:
    one, first = addresses.claim(state(tmp_path, "one"), kind)
    two, second = addresses.claim(state(tmp_path, "two"), kind)
    with first, second:
        assert one.server_address() != two.server_address()
        if kind == "loopback":
            assert one.node_address() != two.node_address()


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_that_another_took_is_an_error_that_says_so(kind: str, tmp_path: Path) -> None:
    plan = claimed(tmp_path, kind)
    host, port = plan.server_address()
    with socket.create_server((host, port)), pytest.raises(EngineError, match=f"{host}:{port}"):
        addresses.claim(state(tmp_path), kind)


def test_loopback_addresses_carry_the_ports_as_they_are(tmp_path: Path) -> None:
    plan = claimed(tmp_path, "loopback")
    assert plan.listen_at("a", 5000) == (plan.allocate_pod("a"), 5000)
    assert plan.listen_at(NODE, 30080) == (plan.node_address(), 30080)
    assert all(place.startswith("127.") for place in (plan.allocate_pod("a"), plan.allocate_service()))


def test_node_ports_are_themselves_and_must_be_free_where_machines_share_an_address(tmp_path: Path) -> None:
    plan = claimed(tmp_path, "ports")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert not plan.can_listen(taken.getsockname()[1])
    assert plan.listen_at(NODE, 30080) == ("127.0.0.1", 30080)
    with socket.create_server(("127.0.0.1", 30080)):
        assert plan.can_listen(30080)  # the cluster's own Envoy listens there


def test_an_unknown_plan_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="'clouds'"):
        addresses.claim(state(tmp_path), "clouds")


def test_damaged_addresses_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    found = state(tmp_path)
    found.addresses.write_text("{")
    with pytest.raises(EngineError, match="kata down"):
        addresses.load(found)


def test_a_port_that_is_roots_alone_is_moved_for_anybody_else(tmp_path: Path) -> None:
    plan = LoopbackPlan(state(tmp_path), {"block": 16}, first_port=1024)
    assert plan.listen_at("a", 80) == (plan.allocate_pod("a"), 20080)
    assert plan.service_at("127.1.1.1", 443) == ("127.1.1.1", 20443)
    assert plan.listen_at("a", 8080)[1] == 8080


def test_a_share_of_loopback_holds_a_persons_clusters(tmp_path: Path) -> None:
    share = ipaddress.IPv4Network("127.3.128.0/18")
    taken = []
    for name in ("one", "two", "three", "four"):
        plan, server = addresses.claim(state(tmp_path, name), str(share))
        taken.append(server)
        mine = [plan.node_address(), plan.allocate_service(), plan.allocate_pod("a")]
        mine.append(plan.application_at("a", 5000)[0])
        assert all(ipaddress.IPv4Address(address) in share for address in mine)
    with pytest.raises(EngineError, match="stop other clusters first"):
        addresses.claim(state(tmp_path, "five"), str(share))
    for server in taken:
        server.close()


def test_a_cluster_that_has_addresses_of_another_share_is_told(tmp_path: Path) -> None:
    claimed(tmp_path, "127.3.0.0/17")
    with pytest.raises(EngineError, match=r"outside 127.4.0.0/17.*kata down"):
        addresses.claim(state(tmp_path), "127.4.0.0/17")


@pytest.mark.parametrize(
    "wrong", ["clouds", "127.0.0.0/17", "127.3.0.0/24", "10.0.0.0/8", "127.3.0.1/17", "127.0.0.0/8"]
)
def test_what_is_no_share_of_loopback_is_refused(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=f"KATA_ADDRESSES is '{wrong}'.*127.3.0.0/17"):
        addresses.claim(state(tmp_path), wrong)
