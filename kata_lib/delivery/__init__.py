"""Progressive delivery: a release goes through its steps, and the metrics decide.

    plan = delivery.read("deploy/rollouts/v2.yaml")
    release = delivery.start(lab.cluster, plan)
    release.wait()

plan.py, with steps.py, metric.py and fields.py, reads what should happen. observed.py is what one look sees,
judging.py what the requests counted prove (by statistics/sequential.py), state.py where a release stands,
events.py what each event makes of it, words.py how that is said; chances.py shows, by simulation.py, how
often a plan errs: all that is pure. metrics.py and routes.py are the two ends in the cluster, record.py keeps
the state there, runner.py runs it, handle.py is what a notebook and the command hold of it. argo/ is the same
release by the real controller.
"""

import time

from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery import events, record, routes
from kata_lib.delivery.handle import Release
from kata_lib.delivery.plan import Plan, parse, read

__all__ = ["Plan", "Release", "find", "forget", "parse", "read", "start"]


def start(cluster: Cluster, plan: Plan) -> Release:
    """Begin a release and return at once; a thread runs it, and ends with the kernel.

    ReleaseError where it cannot begin: another one is under way, or something that it needs is missing.
    """
    record.begin(cluster, events.begin(plan, routes.check(cluster, plan), time.time()))
    begun = Release(cluster, plan.service)
    begun.run()
    return begun


def find(cluster: Cluster, service: str) -> Release:
    """Return the service's release, whoever runs it; ReleaseError where there is none."""
    record.load(cluster, service)
    return Release(cluster, service)


def forget(cluster: Cluster) -> None:
    """Delete what the cluster keeps of releases; the weights stay as they are."""
    for obj in cluster.objects("v1", "ConfigMap", record.LABEL):
        cluster.remove("v1", "ConfigMap", obj["metadata"]["name"])
