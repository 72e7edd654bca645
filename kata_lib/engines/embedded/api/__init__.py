"""The Kubernetes API over HTTP: paths, verbs, formats and watches; what they mean is the registry's."""
