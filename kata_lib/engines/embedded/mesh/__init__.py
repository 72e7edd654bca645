"""The mesh: from Services, pods and Istio's resources to what every Envoy runs.

pilot.py      watches the registry, asks translate/ what each proxy should have
translate/    pure: a snapshot of the cluster and one proxy in, Envoy's configuration out
discovery.py  serves that to the Envoys, stage by stage (stages.py), and knows what they have accepted
injection.py  gives a pod its sidecar; bootstrap.py starts that sidecar's Envoy
admission.py  refuses what translate/ does not understand, by name
metrics.py    turns Envoy's counters into Istio's
"""
