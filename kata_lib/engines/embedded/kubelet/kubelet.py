"""All pods of the node: a worker for each, found again after the daemon was away."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable

from kata_lib.engines.embedded.kubelet import logs
from kata_lib.engines.embedded.kubelet.pod import MANAGER, Host, PodWorker
from kata_lib.engines.embedded.objects import key
from kata_lib.engines.embedded.processes import Identity
from kata_lib.engines.embedded.retries import back_off
from kata_lib.engines.embedded.store import Event, Obj

log = logging.getLogger(__name__)

ADDRESS_REST = 10.0
"""Seconds for which a gone pod's address is nobody's: configuration may still name it."""
STOP_GRACE = 2.0
FIRST_RETRY = 1.0


class Kubelet:
    """Runs every pod that is bound to its node."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> set[Identity]:
        """Take up all pods; return the processes that an earlier daemon started and that still run."""
        pods = self._host.registry.list("pods")
        uids = {pod["metadata"]["uid"] for pod in pods}
        for uid in set(self._host.addresses.pods()) - uids:
            self._host.addresses.release_pod(uid)
        logs.prune(self._host.state.logs / "pods", uids)
        self._unsubscribe = self._host.registry.subscribe(self._on_event, {"pods"})
        for pod in pods:
            self._take(pod)
        containers = [container for worker in self._workers.values() for container in worker.containers]
        return {container.process for container in containers if container.process}

    async def stop(self) -> None:
        """End every pod's processes; the objects stay."""
        if self._unsubscribe:
            self._unsubscribe()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*(worker.kill(STOP_GRACE) for worker in self._workers.values()))

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        follow: bool,
        tail: int | None,
        since: int | None,
        previous: bool,
        limit: int | None,
    ) -> AsyncIterator[bytes]:
        """Return the pieces of a container's log, as the API's log subresource asks for them."""
        found = self._host.registry.get("pods", namespace, pod)
        uid = found["metadata"]["uid"]
        status = next(entry for entry in found["status"]["containerStatuses"] if entry["name"] == container)
        attempt = status["restartCount"]
        path = self._host.state.pod_log(uid, container, attempt - 1 if previous else attempt)
        if not previous and attempt and not path.exists():  # it waits for its next start
            path = self._host.state.pod_log(uid, container, attempt - 1)

        def runs() -> bool:
            worker = self._workers.get(uid)
            return worker is not None and any(c.name == container and c.process for c in worker.containers)

        return logs.read(path, tail=tail, since=since, limit=limit, follow=runs if follow else None)

    def _on_event(self, event: Event) -> None:
        worker = self._workers.get(event.object["metadata"]["uid"])
        if event.type == "DELETED":
            if worker:
                worker.removed()
        elif worker:
            worker.update(event.object)
        else:
            self._take(event.object)

    def _take(self, pod: Obj, failures: int = 0) -> None:
        """Give a pod of this node its worker; where that fails, say so and try again, later each time."""
        uid = pod["metadata"]["uid"]
        if pod["spec"].get("nodeName") != self._host.node_name or uid in self._workers:
            return
        try:
            self._workers[uid] = PodWorker(self._host, pod)
        except Exception as error:
            log.exception("pod %s has no worker", "/".join(key(pod)))
            self._tell(pod, error)
            again = back_off(failures + 1, FIRST_RETRY)
            asyncio.get_running_loop().call_later(again, self._take_again, pod, failures + 1)
        else:
            self._tasks[uid] = asyncio.get_running_loop().create_task(self._run(self._workers[uid]))

    def _take_again(self, pod: Obj, failures: int) -> None:
        now = self._host.read("pods", *key(pod))
        if now and now["metadata"]["uid"] == pod["metadata"]["uid"]:
            self._take(now, failures)

    def _tell(self, pod: Obj, error: Exception) -> None:
        try:
            self._host.registry.record_event(
                pod,
                "Warning",
                "FailedCreatePodSandBox",
                f"Failed to create pod sandbox: {error}",
                component=MANAGER,
            )
        except Exception as failure:
            log.error("no event of pod %s: %s", "/".join(key(pod)), failure)

    async def _run(self, worker: PodWorker) -> None:
        for failures in itertools.count(1):
            try:
                await worker.run()
                break
            except Exception as error:
                log.exception("the worker of pod %s", "/".join(key(worker.pod)))
                worker.failed(error)
                await asyncio.sleep(back_off(failures, FIRST_RETRY))
        del self._workers[worker.uid], self._tasks[worker.uid]
        asyncio.get_running_loop().call_later(ADDRESS_REST, self._host.addresses.release_pod, worker.uid)
