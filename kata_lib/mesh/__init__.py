"""Istio on any cluster: what is in force, weights as written, what the sidecars counted, what is wrong."""
