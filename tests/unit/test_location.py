"""A cluster with one entry and an instructor's image: what the context and kind engines may say of theirs."""

import pytest
from api_server import StartApi

from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.location import Entry
from kata_lib.errors import ClusterError


@pytest.fixture
def cluster(start_api: StartApi) -> Cluster:
    return start_api("deploy/v1").cluster()


def test_the_sentences_service_gets_the_port_that_is_published(cluster: Cluster) -> None:
    cluster.entry = Entry("sentences", "http://127.0.0.1:30501/", 30500)
    assert cluster.url("sentences") == "http://127.0.0.1:30501/"
    found = cluster.get("v1", "Service", "sentences")
    assert found
    assert [(p["port"], p["nodePort"]) for p in found["spec"]["ports"]] == [(5000, 30500)]
    cluster.patch("v1", "Service", "age", {"spec": {"type": "NodePort"}})
    with pytest.raises(ClusterError, match="only sentences answers from outside, not 'age'"):
        cluster.url("age")


@pytest.mark.parametrize(
    ("image", "used"),
    [
        ("registry.example:5000/sentences", "registry.example:5000/sentences:v1"),
        ("registry.example:5000/sentences:of-2026", "registry.example:5000/sentences:of-2026"),
        ("", "kata/sentences:v1"),
    ],
)
def test_the_instructors_image_stands_for_the_workshops(image: str, used: str, cluster: Cluster) -> None:
    cluster.images = {"kata/sentences": image} if image else {}
    cluster.delete("deploy/v1")
    cluster.apply("deploy/v1")
    found = cluster.get("apps/v1", "Deployment", "age")
    assert found
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == used
    assert cluster.apply("deploy/v1")[1] == "deployment.apps/age unchanged"
