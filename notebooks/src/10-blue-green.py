# %% [markdown]
# # 10 · Blue and green: who asks for it, gets it
#
# *About 15 minutes.*
#
# A canary throws dice for each request. Before that, testers want to look at version 2 *on purpose*: they say so in a
# header, and everyone else stays on version 1. You write that rule, see where the choice gets lost on the way, and turn it
# into a canary.
#
# (In the istio-katas series these are the exercises *Blue/green deployments* and *Blue/green deployments with Kubernetes
# Labels*.)
# %%
from kata_lib import live, manifests, open_lab, plots

lab = open_lab(step="blue-green")
tester = {"x-test": "use-v2"}
# %% [markdown]
# Both versions run, and the DestinationRule names the subsets. No rule chooses yet, so v2 gets a third of the requests, of
# testers and of everyone else.
#
# ## Predict: one hundred testers
#
# A rule will send requests with the header `x-test: use-v2` to version 2. Testers send one hundred: what share of their
# answers comes from v2, in percent?
# %% tags=predict
lab.predict("testers' answers from v2", ...)
# %% [markdown]
# ## Your turn: a rule for testers
#
# Two rules, read from the top; the first that takes a request counts. Fill the gaps: testers get v2, everyone else v1. In
# the second rule both subsets stand already, for later.
# %% tags=your-turn
lab.apply_yaml("""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: name
spec:
  hosts: [name]
  http:
  - match:
    - headers:
        x-test: {exact: ...}
    route:
    - destination: {host: name, subset: ...}
  - route:
    - destination: {host: name, subset: name-v1}
      weight: ...
    - destination: {host: name, subset: name-v2}
      weight: ...
""")
# %% [markdown] tags=hints
# The first rule has a match: the value of the header that testers send. The second has none, so it takes the rest.
#
# A match names a header and what its value is; `route` says which subset gets the requests, and `weight` how many.
#
# `x-test: {exact: use-v2}`, to the subset `name-v2`; then the weights 100 and 0. The whole file:
# `kubectl apply -f deploy/blue-green/virtual-service.yaml`
# %% tags=solution
lab.apply("deploy/blue-green/virtual-service.yaml")
# %%
lab.turn("by-header")
# %% [markdown]
# ## Testers, and everyone else
#
# The next picture follows who calls whom, and draws it anew every two seconds: watch the edges to v1 and v2. By hand,
# `curl -H 'x-test: use-v2' $(kata url sentences)` is a tester.
# %%
now = live.show_graph(lab)
# %%
testers = lab.sample(requests=100, rate=50, headers=tester)
others = lab.sample(requests=300, rate=100)
# %%
lab.compare("testers' answers from v2", lab.share(testers))
# %%
seen = {"testers": lab.share(testers), "everyone else": lab.share(others)}
asked = {"testers": lab.expected_share(tester), "everyone else": lab.expected_share()}
plots.distribution(seen, {who: part.get("v2", 0) for who, part in asked.items()})
# %% tags=check
lab.check("testers", testers)
# %% tags=check
lab.check("everyone-else", others)
# %% [markdown] tags=look-first
# With the rule in force: one hundred of one hundred, and none of three hundred. No dice, so the number of requests does not
# matter either: the interval is only as wide as it is because a sample never proves a *never*.
# %%
now.close()
# %% [markdown]
# ## The order of the rules
#
# The same two rules, the one for everyone first. Nothing is refused. What do testers get now?
# %%
lab.apply("deploy/blue-green/wrong-order.yaml")
print(f"testers on v2: {lab.share(lab.sample(requests=100, headers=tester))}")
# %%
lab.analyze()
# %% [markdown]
# Version 1: no request gets past a rule without a match. Special cases come first, the rest last.
# %%
lab.apply("deploy/blue-green/virtual-service.yaml")
# %% [markdown]
# ## Predict: lost on the way
#
# Testers ask `sentences`, and `sentences` asks `name`. The one sidecar that chooses a version of `name` is that of
# `sentences`: it sees the header only if the application hands it on. Ours does; with `FORWARD_HEADERS=no` it does not, like
# any application whose authors never thought of it. What share of the testers' answers comes from v2 then, in percent?
# %% tags=predict
lab.predict("testers' answers from v2, where the header is lost", ...)
# %%
lab.set_env("sentences", FORWARD_HEADERS="no")
lost = lab.sample(requests=100, headers=tester)
lab.compare("testers' answers from v2, where the header is lost", lab.share(lost))
# %% [markdown] tags=look-first
# None, and no error anywhere: rule, subset and header are all right. Whoever wants to choose deep in a chain of services
# needs every service on the way to hand the header on. This is why tracing headers, too, are the application's business.
# %% [markdown]
# The same by hand: `kubectl set env deployment sentences FORWARD_HEADERS=no`, and with `FORWARD_HEADERS-` back.
# %%
lab.set_env("sentences", FORWARD_HEADERS=None)
# %% [markdown]
# ## From blue/green to canary: one rule
#
# The testers are content. Now one user in ten shall meet version 2 as well, while testers keep it for sure: only the second
# rule changes. By hand: `kata weights name-v1=90 name-v2=10`.
# %%
lab.set_weights({"name-v2": 10})
canary = lab.sample(requests=600)
testers = lab.sample(requests=100, headers=tester)
# %%
seen = {"testers": lab.share(testers), "everyone else": lab.share(canary)}
asked = {"testers": lab.expected_share(tester), "everyone else": lab.expected_share()}
plots.distribution(seen, {who: part.get("v2", 0) for who, part in asked.items()})
# %% tags=check
lab.check("testers-and-canary", canary)
# %% [markdown]
# ## By Services
#
# Subsets are one way to name a version. Another one is older: a Service for each, which selects its pods by the label
# `version`. The rule then sends requests for the host `name` to another host, and no DestinationRule is needed.
# %%
print(manifests.text("deploy/blue-green/by-service.yaml").rpartition("---\n")[2])
# %%
lab.apply("deploy/blue-green/by-service.yaml")
print(f"testers on v2: {lab.share(lab.sample(requests=100, headers=tester))}")
# %% [markdown]
# All of them on v2 again. With subsets, versions stay the mesh's business and callers know one name; with Services, each
# version can also be called by name, without any rule: `http://name-v2:5000/` from inside the cluster.
#
# ## What you have now
#
# - Choice by header, for those who know of it; chance by weight, for those who need not.
# - Two ways to lose it without an error: a rule that stands too late, and a service that does not hand the header on.
# %%
lab.done()
