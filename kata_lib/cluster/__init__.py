"""Any Kubernetes API: its client, manifests and how they are applied, pods, waiting, where it is."""
