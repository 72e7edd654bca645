"""Services that are one version of another, by their selectors."""

from kata_lib.cluster.client import Obj
from kata_lib.mesh import version_services


def service(name: str, **selector: str) -> Obj:
    return {"metadata": {"name": name}, "spec": {"selector": selector} if selector else {}}


def test_a_service_of_one_version_has_all_labels_of_the_others_and_more() -> None:
    found = version_services.of_services(
        [
            service("name", app="name"),
            service("name-v1", app="name", version="v1"),
            service("name-v2", app="name", version="v2"),
            service("again", app="name"),
            service("age", app="age"),
            service("outside"),
        ]
    )
    assert found == {"name": ["name-v1", "name-v2"], "again": ["name-v1", "name-v2"]}
