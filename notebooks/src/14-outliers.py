# %% [markdown]
# # 14 · Outliers: an ejection is no canary
#
# *About 20 minutes.*
#
# A mesh can leave out a pod that fails, refuse requests before a service drowns, and count its retries. All of them sound like
# what a canary does. You see pods go dark, then how that makes a canary's failures vanish from its metrics.
# (The istio-katas series has no exercise on this; its *Locality Aware Load Balancing* uses the same field.)
# %%
from kata_lib import live, open_lab, runs, telemetry

lab = open_lab(step="outliers")
# %% [markdown]
# No rule routes `name`: two pods of version 1 and one of version 3 take a third each. Version 3 is as fast as the others today
# (`DELAY` is 0), and fails every second request. The picture shows who gets what, drawn anew every two seconds, of the last ten.
# %%
lab.set_env("name-v3", DELAY="0")
# %%
pods = live.show_pods(lab)
# %%
print(f"failed: {lab.failed(lab.sample(requests=300, rate=200))}")
# %% [markdown]
# ## Predict: two errors in a row
#
# *Outlier detection*: whoever calls leaves a pod out for 30 seconds after two errors in a row. How many of the pods may be out
# at a time is `maxEjectionPercent`; where nothing is said, 10. What share of the requests fails then, in percent? And once one
# pod of three *may* go, and has gone?
# %% tags=predict
lab.predict("requests that fail, with a tenth of the pods to eject", ...)
lab.predict("requests that fail after the ejection", ...)
# %%
lab.apply("deploy/outliers/default.yaml")
a_tenth = lab.failed(lab.sample(requests=300, rate=200))
lab.compare("requests that fail, with a tenth of the pods to eject", a_tenth)
# %% [markdown] tags=look-first
# As many as without. One pod of three is 33 %, more than a tenth: nobody is ever ejected, and nothing says so.
# %% [markdown]
# ## Your turn: an ejection that happens
# %% tags=your-turn
lab.apply_yaml("""
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: name
spec:
  host: name
  trafficPolicy:
    outlierDetection:
      consecutive5xxErrors: ...
      interval: 1s
      baseEjectionTime: 30s
      maxEjectionPercent: ...
""")
# %% [markdown] tags=hints
# Two errors in a row, and at least one pod of three.
#
# A third is 33.3 %, so 33 is too little; 100 would let all of them go.
#
# `consecutive5xxErrors: 2`, `maxEjectionPercent: 50`. The file: `kubectl apply -f deploy/outliers/half-of-the-pods.yaml`
# %% tags=solution
lab.apply("deploy/outliers/half-of-the-pods.yaml")
# %%
lab.turn("ejection")
# %% [markdown]
# The first two hundred requests lead to the ejection; watch the pod go dark. Then three hundred more:
# %%
print(f"until it is ejected: {lab.failed(lab.sample(requests=200, rate=200))}")
after = lab.sample(requests=300, rate=200)
lab.compare("requests that fail after the ejection", lab.failed(after))
# %% tags=check
lab.check("ejected", after)
# %% [markdown]
# After 30 seconds it comes back, fails twice in a row again, and goes for a minute: each time longer.
#
# ## Why this finds no bad version
#
# *In a row* is a strong word. Istio's own number is 5. How many requests does a version get on average before five of them in a
# row fail, if it fails always, half, a fifth, or a twentieth of them?
# %%
{f"fails {share:.0%}": f"{runs.until(5, share):,.0f} requests" for share in (1, 0.5, 0.2, 0.05)}
# %% [markdown]
# A pod that is broken goes at once. A version that fails one request in twenty stays for millions.
#
# ## Predict: a canary of one pod
#
# Now version 3 is a canary, with a weight of 10, and *all* pods of a subset may be ejected. It has one. Without ejections 5 % of
# all requests would fail. What share does while its pod is ejected, in percent?
# %% tags=predict
lab.predict("requests that fail while the canary is ejected", ...)
# %%
lab.apply("deploy/outliers/canary.yaml")
lab.sample(requests=300, rate=200)
before = lab.counters()
canary = lab.sample(requests=300, rate=200)
lab.compare("requests that fail while the canary is ejected", lab.failed(canary))
# %% [markdown]
# Twice as many as the version itself fails. And what do the metrics of the canary say? What the callers' sidecar counted:
# %%
counted = lab.counters(since=before)
telemetry.by_version(counted, "name")
# %%
print(f"of the requests to name-v3: {telemetry.failures_of(counted, 'name-v3')}")
# %% [markdown] tags=look-first
# No request to version 3, no failure of version 3: a tenth of all users get 503, `no healthy upstream`, from a version that
# is unknown. An analysis that asks for the canary's error rate finds nothing, and nothing must never be taken for zero.
# %%
pods.close()
# %% [markdown]
# ## Circuit breakers
#
# A breaker counts what is under way, and looks at no answer: one connection, one request that waits, and the rest is refused
# (flag `UO`, overflow). Everyone goes to version 1 now, which is healthy; sixteen ask at a time. Expect failures all the same.
# %%
lab.set_weights({"name-v3": 0})
lab.apply("deploy/outliers/breaker.yaml")
before = lab.counters()
print(f"failed: {lab.failed(lab.sample(requests=300, concurrency=16))}")
# %%
refused = lab.counters(since=before).xs("source", level="reporter")[["requests"]]
refused.groupby(["service", "code", "flags"]).sum()
# %% [markdown]
# It protects a service from its callers. It does not protect users from a version.
#
# ## Retry budgets
#
# Notebook 12 hid failures behind retries, at 1.75 times the work. A budget limits that: of the requests under way a tenth may be
# retries. Half of the requests go to version 3, with its 0.2 s again, thirty-two at a time:
# %%
lab.set_env("name-v3", DELAY=None)
lab.apply("deploy/hidden-failures/retries.yaml")
lab.apply("deploy/outliers/retry-budget.yaml")
# %%
before = lab.counters()
print(f"failed: {lab.failed(lab.sample(requests=300, concurrency=32))}")
counted = lab.counters(since=before)
sent, got = (telemetry.failures_of(counted, "name-v3", side).n for side in ("source", "destination"))
print(f"attempts at v3 for 100 requests to it: {100 * got / sent:.0f}")
# %% [markdown] tags=look-first
# Fewer attempts than 175, more failures than 6 %: the budget protects a version in trouble from its callers' patience, and
# gives its failures back to whoever watches.
# %% [markdown]
# ## What you have now
#
# - Ejection is for pods: it needs many failures in a row, and room to leave one out.
# - A canary whose pods are ejected has no failures in its metrics, and no requests: look at both.
# - Breakers and budgets limit work. Only an analysis judges a version.
# %%
lab.done()
