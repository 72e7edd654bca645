"""What an instructor sets for a class on a shared cluster, by the environment.

KATA_CONTEXT             which context of the person's own kubeconfig
KATA_CONTEXT_KUBECONFIG  where it is looked for, in place of KUBECONFIG or ~/.kube/config
KATA_LEARNER             who learns there, by default the login name
KATA_NAMESPACE           the learner's namespace, by default NAME-LEARNER
KATA_IMAGE               the application's image, with or without a tag, where nodes have it not by that name
KATA_REACH               node-port, port-forward, or the URL at which a gateway leads to the application;
                         by default node ports where a node answers, else a port-forward
"""

import getpass
import os
import re
from dataclasses import dataclass
from pathlib import Path

from kata_lib.errors import EngineError

_DNS_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


@dataclass(frozen=True)
class ContextSettings:
    """All of them; "" for what is not set."""

    context: str
    kubeconfig: str
    learner: str
    namespace: str
    image: str
    reach: str

    @classmethod
    def read(cls, cluster: str, kubeconfig: Path) -> "ContextSettings":
        """Return what the environment says for a cluster whose own kubeconfig is that one.

        Raises EngineError for what makes no sense.
        """
        learner = os.environ.get("KATA_LEARNER") or getpass.getuser()
        plain = re.sub(r"[^a-z0-9]+", "-", f"{cluster}-{learner}".lower()).strip("-")[:63]
        namespace = os.environ.get("KATA_NAMESPACE") or plain
        if not re.fullmatch(_DNS_LABEL, namespace):
            raise EngineError(
                f"KATA_NAMESPACE must have up to 63 small letters, digits and dashes, not {namespace!r}."
            )
        reach = os.environ.get("KATA_REACH", "")
        if reach not in ("", "node-port", "port-forward") and not reach.startswith("http://"):
            raise EngineError(f"KATA_REACH must be node-port, port-forward or a URL by http, not {reach!r}.")
        named = os.environ.get("KATA_CONTEXT_KUBECONFIG") or os.environ.get("KUBECONFIG", "")
        own = str(kubeconfig) == named  # a terminal of the workshop points at the workshop's own
        return cls(
            context=os.environ.get("KATA_CONTEXT", ""),
            kubeconfig="" if own else named,
            learner=learner,
            namespace=namespace,
            image=os.environ.get("KATA_IMAGE", ""),
            reach=reach,
        )
