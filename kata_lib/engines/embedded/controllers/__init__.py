"""Controllers: each compares what is wanted with what is there, object by object, and mends it."""

from kata_lib.engines.embedded.controllers.api_service import ApiServiceController
from kata_lib.engines.embedded.controllers.autoscaler import HorizontalController
from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.controllers.definition import DefinitionController
from kata_lib.engines.embedded.controllers.deployment import DeploymentController
from kata_lib.engines.embedded.controllers.endpointslice import EndpointSliceController
from kata_lib.engines.embedded.controllers.garbage import GarbageCollector
from kata_lib.engines.embedded.controllers.gateway import GatewayClassController, GatewayController
from kata_lib.engines.embedded.controllers.httproute import HTTPRouteController
from kata_lib.engines.embedded.controllers.load_balancer import LoadBalancerController
from kata_lib.engines.embedded.controllers.namespace import NamespaceController
from kata_lib.engines.embedded.controllers.replicaset import ReplicaSetController
from kata_lib.engines.embedded.controllers.scheduler import Scheduler

__all__ = [
    "ApiServiceController",
    "Controller",
    "DefinitionController",
    "DeploymentController",
    "EndpointSliceController",
    "GarbageCollector",
    "GatewayClassController",
    "GatewayController",
    "HTTPRouteController",
    "HorizontalController",
    "LoadBalancerController",
    "NamespaceController",
    "ReplicaSetController",
    "Scheduler",
]
