"""The kubelet: pods in, processes and what they do out."""

from kata_lib.engines.embedded.kubelet.kubelet import Kubelet

__all__ = ["Kubelet"]
