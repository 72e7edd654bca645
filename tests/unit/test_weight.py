"""The newest version's weight as a trait: what a person sets is written, what is found comes back."""

import ipywidgets
import pytest
import traitlets
from api_server import Api, StartApi

from kata_lib.errors import MeshError
from kata_lib.lab.weight import Weight
from kata_lib.mesh import weights


@pytest.fixture
def canary(start_api: StartApi) -> Api:
    return start_api("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml")


def written(api: Api) -> int:
    return sum(method in ("PATCH", "PUT") for method, _ in api.requests)


def test_a_linked_control_begins_at_the_clusters_weight_and_moves_it(canary: Api) -> None:
    weight = Weight(canary.cluster()).read()
    slider = ipywidgets.IntSlider(max=100)
    before = written(canary)
    ipywidgets.link((weight, "value"), (slider, "value"))
    assert (slider.value, written(canary)) == (10, before)
    slider.value = 35
    assert weights.read(canary.cluster(), "name") == {"name-v1": 65, "name-v2": 35}


def test_what_is_found_in_the_cluster_moves_the_control_and_is_not_written(canary: Api) -> None:
    weight = Weight(canary.cluster()).read()
    slider = ipywidgets.IntSlider(max=50)
    ipywidgets.link((weight, "value"), (slider, "value"))
    before = written(canary)
    weight.follow(80)
    assert (weight.value, slider.value) == (80, 50)  # as far as that control goes
    assert written(canary) == before


def test_a_live_lab_takes_what_is_set(canary: Api) -> None:
    weight = Weight(canary.cluster()).read()
    taken: list[int] = []
    before = written(canary)
    weight.write = taken.append
    weight.value = 40
    assert (taken, written(canary)) == ([40], before)


@pytest.mark.parametrize("value", [101, -1, 10.5, "10"])
def test_what_is_no_weight_is_refused(canary: Api, value: object) -> None:
    with pytest.raises(traitlets.TraitError):
        Weight(canary.cluster()).value = value  # type: ignore[assignment]


def test_without_weights_there_is_nothing_to_move(start_api: StartApi) -> None:
    weight = Weight(start_api("deploy/v1").cluster()).read()
    with pytest.raises(MeshError, match="kubectl apply -f"):
        weight.value = 20
