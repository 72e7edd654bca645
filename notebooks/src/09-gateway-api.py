# %% [markdown]
# # 09 · The Gateway API: the same canary in other words
#
# *About 15 minutes.*
#
# A VirtualService is Istio's own language. Kubernetes has one that other meshes and gateways understand too, the
# **Gateway API**: its `HTTPRoute` says the same of a Service. Here you write the canary of notebook 02 as an HTTPRoute, and
# look at what Envoy makes of either.
# %%
from kata_lib import compared, live, open_lab, shares

lab = open_lab(step="gateway-api")
# %% [markdown]
# The canary of notebook 02 is in force, by its VirtualService. Note what the sidecar of `sentences` has of it now: its route to
# `name`, and the two clusters behind with their pods, value by value, in Envoy's own words. Of the route it is:
# %%
before = lab.proxy_values()
before.filter(like="routes").to_frame("by the VirtualService")
# %% [markdown]
# ## A Service for each version
#
# An HTTPRoute knows no subsets. It sends requests to Services, so each version gets one, which selects its pods:
# %%
lab.apply("deploy/gateway-api/services.yaml")
# %% [markdown]
# ## Predict: what does Envoy notice?
#
# Soon the HTTPRoute takes over, with the same weights. How many **numbers** change in what the sidecar has: weights,
# time-outs, retries, limits?
# %% tags=predict
lab.predict("numbers that change in Envoy", ...)
# %% [markdown]
# ## Your turn: the HTTPRoute
#
# `parentRefs` says for whose requests the route is: here for those to a Service, so for callers inside. `backendRefs` says
# where they go.
# %% tags=your-turn
lab.apply_yaml("""
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: name
spec:
  parentRefs:
  - {group: "", kind: ..., name: name, port: 5000}
  rules:
  - backendRefs:
    - {name: name-v1, port: 5000, weight: ...}
    - {name: ..., port: 5000, weight: 10}
""")
# %% [markdown] tags=hints
# The parent is an object of Kubernetes' own, which callers know by its name; the backends are two more of the same kind.
#
# `kubectl get services` lists them; weights are proportions, as in a VirtualService.
#
# `kind: Service`, `weight: 90`, `name: name-v2`. The whole file: `kubectl apply -f deploy/gateway-api/http-route.yaml`
# %% tags=solution
lab.apply("deploy/gateway-api/http-route.yaml")
# %%
lab.turn("http-route")
# %%
after = lab.proxy_values()
changed = compared.differences(before, after, ("VirtualService", "HTTPRoute"))
changed
# %%
print(f"{len(changed)} of {len(after)} values are others")
lab.compare("numbers that change in Envoy", compared.numbers(changed))
# %% [markdown] tags=look-first
# With the HTTPRoute in force, weights, time-outs, retries, limits and pods are the same: istiod makes a VirtualService of its
# own of each HTTPRoute and goes on from there. Names are others: a cluster is called after a Service, where it was called after
# a subset. Three values stand there only now: the route has a name, Envoy's default `case_sensitive` is written down, and
# `cluster_not_found_response_code` says what is answered where a backend is missing, 500 in place of 503. Requests that find
# their backend cannot tell one from the other:
# %%
sample = lab.sample(requests=300, concurrency=4)
print(lab.share(sample))
# %% tags=check
lab.check("http-route", sample)
# %% [markdown]
# ## Predict: two rules for one host
#
# The VirtualService is still there and says 10. Now the HTTPRoute is set to 30. What share does version 2 get, in percent?
# %% tags=predict
lab.predict("share of v2 where both rules stand", ...)
# %% [markdown]
# Watch it in the live lab of notebook 03. Its slider, and `kata weights`, move the rule that counts.
# %%
traffic = live.show(lab)
# %%
lab.set_weights({"name-v2": 30})
both = lab.sample(requests=300, concurrency=4)
lab.compare("share of v2 where both rules stand", lab.share(both))
# %%
lab.analyze()
# %% [markdown] tags=look-first
# They do not add up, and none is refused: the HTTPRoute counts, and the VirtualService lies there without effect. So you can
# change languages without a gap: apply the HTTPRoute first, then delete the VirtualService. Only whoever edits the idle one
# wonders.
# %%
lab.apply("deploy/gateway-api/http-route.yaml")
lab.delete("deploy/virtual-service-canary.yaml")
traffic.close()
# %% [markdown]
# ## Predict: a backend that is not there
#
# Somebody misspells the Service of version 2, which has a weight of 10: `name-v22`. What share of the requests fails, in percent?
# %% tags=predict
lab.predict("requests that fail where a backend is missing", ...)
# %%
lab.apply("deploy/gateway-api/no-such-backend.yaml")
misspelt = lab.sample(requests=300, concurrency=4)
failed = shares.share_of("failed", int(misspelt["error"].notna().sum()), len(misspelt))
lab.compare("requests that fail where a backend is missing", failed)
# %% [markdown]
# Unlike a VirtualService, an HTTPRoute says itself what is wrong with it, in its `status`: `kubectl describe httproute name`.
# %%
lab.analyze()
# %%
lab.apply("deploy/gateway-api/http-route.yaml")
# %% [markdown]
# ## Which to choose
#
# | | VirtualService | HTTPRoute |
# |---|---|---|
# | whose | Istio's | Kubernetes', for many [implementations](https://gateway-api.sigs.k8s.io/implementations/); Istio [means to make it the default](https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/) |
# | a version is | a subset, of a DestinationRule | a Service |
# | what is wrong says | `kata analyze`, `istioctl analyze` | its status too |
# | for callers inside and outside | `gateways`, as in notebook 08 | `parentRefs`: a Service, a Gateway |
# | only there | [faults on purpose, delegates](https://istio.io/latest/docs/reference/config/networking/virtual-service/) | [grants between namespaces](https://gateway-api.sigs.k8s.io/api-types/referencegrant/) |
# | in ambient mode | [alpha](https://istio.io/latest/docs/ambient/migrate/migrate-policies/) | recommended |
#
# For something new: HTTPRoute, unless you need what only the other has. What runs well as a VirtualService may stay. Never
# both for one host. What else changes without sidecars: [ambient mode](../docs/ambient.md).
#
# ## What you have now
#
# - Two languages, one proxy: with the same weights the same requests go the same way.
# - An order for changing over, HTTPRoute first, and the one trap on the way.
# %%
lab.done()
