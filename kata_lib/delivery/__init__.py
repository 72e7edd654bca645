"""Progressive delivery: a release goes through its steps, and the metrics decide.

    plan = delivery.read("deploy/rollouts/v2.yaml")
    release = delivery.start(lab.cluster, plan)
    release.wait()

What should happen: plan.py, with steps.py, metric.py and fields.py. What becomes of it, all pure:
observed.py is what one look sees, judging.py what it proves (by statistics/sequential.py), state.py where a
release stands, transitions.py what it can do, events.py when, words.py how that is said. The two ends in the
cluster are metrics.py and routes.py; record.py keeps the state there, runner.py runs it, handle.py is what a
notebook and the command hold of it. How often a plan errs: chances.py, by simulation.py and
common_troubles.py, and beside it other_rules.py. argo/ is the same release by the real controller.
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
