"""Services, and the pods behind them."""

from collections.abc import Iterator

from kata_lib.mesh.analyze.finding import Finding, finding
from kata_lib.mesh.analyze.objects import Objects, as_selector


def findings(found: Objects) -> Iterator[Finding]:
    """Yield Services that select no pod."""
    for service in found.own(found.services):
        selector = service["spec"].get("selector")
        if selector and not found.pods_behind(service):
            yield finding(
                "KATA0103",
                service,
                f"The Service {service['metadata']['name']} selects no pod: requests to it get 503 (UH).",
                seen=f"spec.selector: {as_selector(selector)}",
                mend="kubectl get pods --show-labels   # compare",
            )
