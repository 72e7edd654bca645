"""What the context engine needs: kubectl, a context by name, and a cluster behind it that serves."""

from collections.abc import Iterator

from kata_lib.engines.application import Application
from kata_lib.engines.context import inspection
from kata_lib.engines.context.kubeconfig import contexts, copy
from kata_lib.engines.context.settings import ContextSettings
from kata_lib.engines.folder import Folder
from kata_lib.engines.need import Need
from kata_lib.engines.programs import found
from kata_lib.errors import KataError


def findings(cluster: str, application: Application) -> Iterator[Need]:
    """Yield what there is and what lacks for a namespace on the cluster of KATA_CONTEXT."""
    folder = Folder(cluster)
    settings = ContextSettings.read(cluster, folder.kubeconfig)
    path = found("kubectl")
    if path is None:
        yield Need("kubectl", "missing", "none on PATH", "scripts/get-tools")
        return
    if not settings.context:
        known = contexts(settings.kubeconfig)
        said = f"none is named; your kubeconfig has: {', '.join(known) or 'none'}"
        yield Need("context", "missing", said, f"export KATA_CONTEXT={known[0] if known else 'NAME'}")
        return
    target = folder.path / "doctor.kubeconfig"
    try:
        copy(settings.kubeconfig, settings.context, settings.namespace, target)
        yield Need("context", "ok", settings.context)
        inspection.require_api(target, settings.context)
        inspection.require_istio(target, settings.context)
        yield Need("istio", "ok", "with injection")
        inspection.require_rights(target, settings.namespace, new=True)
        yield Need("rights", "ok", f"all that namespace {settings.namespace} needs")
    except KataError as error:
        yield Need("cluster", "missing", " ".join(str(error).split()))
    finally:
        target.unlink(missing_ok=True)
