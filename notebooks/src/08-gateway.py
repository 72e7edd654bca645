# %% [markdown]
# # 08 · Gateway: callers inside, callers outside
#
# *About 15 minutes.*
#
# So far each request for `name` came from `sentences`, whose sidecar knows your canary. Now a partner asks for `name` too, from
# outside the mesh, and comes in by a gateway. It is one service with two ways to it, and the trap that most people meet: a rule
# for the one way does not act on the other.
# %%
from kata_lib import live, manifests, open_lab, plots

lab = open_lab(step="gateway")
# %% [markdown]
# ## A proxy at the edge
#
# The canary of notebook 02 is in force, 90 to 10. New is a **gateway**: a pod that is nothing but an Envoy, and takes
# requests from outside. What it takes says the object `Gateway`; where they go a VirtualService with it among its `gateways`:
# %%
lab.pods()
# %%
print(manifests.text("deploy/outside/name.yaml"))
# %% [markdown]
# By hand, in a terminal: `curl -H 'Host: name.example' $(kata url gateway)`. Without that host, another rule leads to `sentences`.
#
# ## Predict: callers outside
#
# The partner asks for `name.example`. What share of the answers comes from version 2, in percent?
# %% tags=predict
lab.predict("answers from v2 for callers outside", ...)
# %% [markdown]
# ## Look at both at once
#
# Thirty requests a second inside, and as many from outside. The picture, drawn anew every two seconds, has an edge for each
# *caller* and version: `gateway` is the way of those outside, `sentences` that of those inside.
# %%
users = lab.watch(rate=30)
partner = lab.watch(rate=30, through="gateway", service="name")
now = live.show_graph(lab, services=False)
# %%
inside = lab.sample(requests=300, concurrency=4)
outside = lab.sample(requests=300, concurrency=4, through="gateway", service="name")
lab.compare("answers from v2 for callers outside", lab.share(outside))
# %%
seen = {"callers inside": lab.share(inside), "callers outside": lab.share(outside)}
asked = {"callers inside": lab.expected_share(), "callers outside": lab.expected_share(through="gateway")}
plots.distribution(seen, {who: part.get("v2", 0) for who, part in asked.items()})
# %% [markdown] tags=look-first
# Ten percent inside, a third outside, at the same moment, for the same service. The file of notebook 02 has no `gateways`, which
# means `mesh`: all sidecars, and no gateway. The gateway's own rule sends requests to the Service `name` as a whole, so pods
# decide, as in notebook 01. A new version that should meet one in ten meets a third of those outside.
# %% [markdown]
# `kata analyze` sees it, since both rules are written down:
# %%
lab.analyze()
# %% [markdown]
# Not everyone who comes in by the gateway is outside the canary. Ask it for a *sentence*: the gateway chooses where `sentences`
# is, and then the sidecar of `sentences` chooses the version of `name`. Whoever makes the hop decides about it. Expect ten percent:
# %%
print(lab.share(lab.sample(requests=300, concurrency=4, through="gateway")))
# %% [markdown]
# ## Predict: bound to the gateway
#
# Somebody mends it: the partner's rule goes, and the canary's gets both hosts and a list of gateways, with `gateway` in it.
# %%
print(manifests.text("deploy/outside/gateway-only.yaml"))
# %% [markdown]
# Outside that makes ten percent. What share comes from version 2 for callers **inside** now, in percent?
# %% tags=predict
lab.predict("answers from v2 for callers inside", ...)
# %%
lab.delete("deploy/outside/name.yaml")
lab.apply("deploy/outside/gateway-only.yaml")
inside = lab.sample(requests=300, concurrency=4)
lab.compare("answers from v2 for callers inside", lab.share(inside))
# %%
outside = lab.sample(requests=300, concurrency=4, through="gateway", service="name")
seen = {"callers inside": lab.share(inside), "callers outside": lab.share(outside)}
asked = {"callers inside": lab.expected_share(), "callers outside": lab.expected_share(through="gateway")}
plots.distribution(seen, {who: part.get("v2", 0) for who, part in asked.items()})
# %% [markdown] tags=look-first
# Turned round. A list of gateways is the whole list: what it does not name has no such rule, `mesh` among it. Nothing was refused,
# no request failed, and the canary of everyone inside is gone.
# %% [markdown]
# ## Your turn: one rule for both
#
# Fill the gaps so that callers inside, who ask for `name`, and callers outside, who ask for `name.example`, get the same canary.
# %% tags=your-turn
lab.apply_yaml("""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: name
spec:
  hosts: [name, ...]
  gateways: [gateway, ...]
  http:
  - route:
    - destination: {host: name, subset: name-v1}
      weight: 90
    - destination: {host: name, subset: name-v2}
      weight: 10
""")
# %% [markdown] tags=hints
# Hosts are what callers ask for; gateways are the proxies that get the rule. Sidecars have a name among them.
#
# A rule without `gateways` behaves as if the one word stood there that is missing here.
#
# `hosts: [name, name.example]`, `gateways: [gateway, mesh]`. The whole file: `kubectl apply -f deploy/outside/both.yaml`
# %% tags=solution
lab.apply("deploy/outside/both.yaml")
# %%
lab.turn("one-rule")
# %%
inside = lab.sample(requests=300, concurrency=4)
outside = lab.sample(requests=300, concurrency=4, through="gateway", service="name")
# %%
seen = {"callers inside": lab.share(inside), "callers outside": lab.share(outside)}
asked = {"callers inside": lab.expected_share(), "callers outside": lab.expected_share(through="gateway")}
plots.distribution(seen, {who: part.get("v2", 0) for who, part in asked.items()})
# %% tags=check
lab.check("inside", inside)
# %% tags=check
lab.check("outside", outside)
# %% [markdown]
# Now one weight moves both, and what a release raises it raises for everyone. By hand: `kata weights name-v1=70 name-v2=30`.
# %%
lab.apply("deploy/outside/both.yaml")
lab.set_weights({"name-v2": 30})
print("inside", lab.expected_share(), "outside", lab.expected_share(through="gateway"))
# %%
users.stop()
partner.stop()
now.close()
# %% [markdown]
# ## What you have now
#
# - The question behind every rule: which proxies get it? Sidecars are `mesh`, and no `gateways` means `mesh`; a gateway has its name.
# - Whoever makes the hop decides: behind a gateway, the sidecar of the next caller does.
# - One rule with both hosts and both gateways, so that there are no two weights to forget one of.
# %%
lab.done()
