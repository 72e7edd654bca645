"""A kind of one's own: kubectl knows it at once, a controller works on it, a restart keeps it."""

import threading
from typing import Any

import pytest
import yaml
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from embedded.engine_cluster import Cluster, Start, kill_daemon, quiet, until

GROUP, VERSION, PLURAL, NAMESPACE = "stable.example.com", "v1", "crontabs", "default"
NAME = f"{PLURAL}.{GROUP}"

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crontabs.stable.example.com
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, kind: CronTab, shortNames: [ct]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec, description: When it runs.}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Phase, type: string, jsonPath: .status.phase}
    schema:
      openAPIV3Schema:
        type: object
        description: Something that runs again and again.
        properties:
          spec:
            type: object
            required: [cronSpec]
            properties:
              cronSpec: {type: string, pattern: '^(\\S+ ){4}\\S+$', description: When it runs.}
              replicas: {type: integer, minimum: 0, default: 1}
          status:
            type: object
            properties:
              phase: {type: string}
              replicas: {type: integer}
"""
CRON_TAB = """
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: nightly}
spec: {cronSpec: "0 3 * * *"}
"""


@pytest.fixture(scope="module")
def own(cluster: Cluster) -> Any:
    """Yield the shared cluster with the definition."""
    cluster.kubectl("apply", "--filename=-", stdin=DEFINITION)
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{NAME}", "--timeout=10s")
    yield cluster
    cluster.kubectl("delete", "crd", NAME)


def test_kubectl_knows_the_new_kind(own: Cluster) -> None:
    made = own.kubectl("apply", "--filename=-", stdin=CRON_TAB)
    assert made == "crontab.stable.example.com/nightly created\n"
    header, row = own.kubectl("get", "ct").splitlines()
    assert header.split() == ["NAME", "SPEC", "REPLICAS", "PHASE"]
    assert row.split()[:7] == ["nightly", "0", "3", "*", "*", "*", "1"]
    explained = own.kubectl("explain", "crontab.spec.cronSpec")
    assert "When it runs." in explained
    assert "crontabs" in own.kubectl("api-resources", f"--api-group={GROUP}")
    assert own.kubectl("scale", "ct", "nightly", "--replicas=3").endswith("scaled\n")
    applied = own.kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=CRON_TAB)
    assert applied.endswith("serverside-applied\n")
    assert own.kubectl("delete", "ct", "nightly").startswith("crontab.stable.example.com")


def test_kubectl_tells_what_is_wrong(own: Cluster) -> None:
    bad = CRON_TAB.replace("0 3 * * *", "nightly")
    said = own.kubectl("apply", "--filename=-", stdin=bad, ok=False)
    assert 'The CronTab "nightly" is invalid: spec.cronSpec: Invalid value: "nightly"' in said
    misspelt = CRON_TAB.replace("cronSpec", "cronspec")
    assert 'unknown field "spec.cronspec"' in own.kubectl("apply", "--filename=-", stdin=misspelt, ok=False)


@pytest.mark.parametrize("cascade", ["background", "foreground"])
def test_what_it_owns_goes_with_it(own: Cluster, cascade: str) -> None:
    own.kubectl("apply", "--filename=-", stdin=CRON_TAB)
    uid = own.kubectl("get", "ct", "nightly", "--output=jsonpath={.metadata.uid}")
    owner = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "CronTab", "name": "nightly", "uid": uid}
    owned = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "owned", "ownerReferences": [{**owner, "blockOwnerDeletion": True}]},
    }
    own.kubectl("create", "--filename=-", stdin=yaml.safe_dump(owned))
    own.kubectl("delete", "ct", "nightly", f"--cascade={cascade}", "--timeout=10s")
    own.kubectl("wait", "--for=delete", "configmap/owned", "--timeout=10s")


def test_it_goes_with_its_namespace(own: Cluster) -> None:
    own.kubectl("create", "namespace", "short")
    own.kubectl("apply", "--namespace=short", "--filename=-", stdin=CRON_TAB)
    own.kubectl("delete", "namespace", "short", "--timeout=10s")
    assert own.kubectl("get", "ct", "--all-namespaces") == ""


class Controller(threading.Thread):
    """A controller as others write them: it holds a Lease, watches, and writes what it did."""

    def __init__(self, api: client.ApiClient) -> None:
        super().__init__(daemon=True)
        self.custom, self.leases = client.CustomObjectsApi(api), client.CoordinationV1Api(api)
        self.watch = watch.Watch()

    def run(self) -> None:
        spec = client.V1LeaseSpec(holder_identity="controller", lease_duration_seconds=15)
        lease = client.V1Lease(metadata=client.V1ObjectMeta(name="crontabs"), spec=spec)
        self.leases.create_namespaced_lease(NAMESPACE, lease)
        listing = self.custom.list_namespaced_custom_object
        for event in self.watch.stream(listing, GROUP, VERSION, NAMESPACE, PLURAL, timeout_seconds=60):
            obj = event["object"]
            if event["type"] == "DELETED":
                return
            wanted = obj["spec"]["replicas"]
            if obj.get("status", {}).get("replicas") != wanted:
                obj["status"] = {"phase": "Scheduled", "replicas": wanted}
                name = obj["metadata"]["name"]
                self.custom.replace_namespaced_custom_object_status(
                    GROUP, VERSION, NAMESPACE, PLURAL, name, obj
                )


def test_a_controller_of_others_works_on_it(own: Cluster) -> None:
    api = config.new_client_from_config(str(own.location.kubeconfig))
    custom, leases = client.CustomObjectsApi(api), client.CoordinationV1Api(api)
    place = (GROUP, VERSION, NAMESPACE, PLURAL)
    controller = Controller(config.new_client_from_config(str(own.location.kubeconfig)))
    controller.start()
    custom.create_namespaced_custom_object(*place, yaml.safe_load(CRON_TAB))

    def status() -> dict[str, Any]:
        found: dict[str, Any] = custom.get_namespaced_custom_object(*place, "nightly")
        return found | {"status": found.get("status", {})}

    until(lambda: status()["status"] == {"phase": "Scheduled", "replicas": 1})
    assert status()["metadata"]["generation"] == 1
    custom.patch_namespaced_custom_object_scale(*place, "nightly", {"spec": {"replicas": 4}})
    until(lambda: status()["status"].get("replicas") == 4)
    assert status()["metadata"]["generation"] == 2

    held = leases.read_namespaced_lease("crontabs", NAMESPACE)
    assert held.spec.holder_identity == "controller"
    held.metadata.resource_version = "1"
    with pytest.raises(ApiException) as refused:
        leases.replace_namespaced_lease("crontabs", NAMESPACE, held)
    assert refused.value.status == 409

    custom.delete_namespaced_custom_object(*place, "nightly")
    controller.join(10)
    assert not controller.is_alive()
    leases.delete_namespaced_lease("crontabs", NAMESPACE)


def test_a_definition_outlasts_the_daemon_and_takes_its_objects_with_it(start: Start) -> None:
    cluster = start("definitions")
    cluster.kubectl("apply", "--filename=-", stdin=DEFINITION)
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{NAME}", "--timeout=10s")
    cluster.kubectl("apply", "--filename=-", stdin=CRON_TAB)
    kill_daemon(cluster.engine)
    cluster.engine.start(quiet)
    assert "nightly" in cluster.kubectl("get", "ct")
    cluster.kubectl("delete", "crd", NAME)
    assert "the server could not find the requested resource" in cluster.kubectl("get", "ct", ok=False)
    cluster.kubectl("apply", "--filename=-", stdin=DEFINITION)
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{NAME}", "--timeout=10s")
    assert cluster.kubectl("get", "ct") == ""


def test_what_is_kept_and_does_nothing_says_so(cluster: Cluster) -> None:
    kept = ("create", "job", "once", "--image=kata/sentences:v1", "--save-config")
    made = cluster.run(*kept)
    assert made.stdout == "job.batch/once created\n"
    assert "Warning: this Job is kept and does not run" in made.stderr
    assert "once" in cluster.kubectl("get", "jobs")
    cluster.kubectl("delete", "job", "once")
