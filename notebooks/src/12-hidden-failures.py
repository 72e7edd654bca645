# %% [markdown]
# # 12 · Hidden failures
#
# *About 25 minutes.*
#
# Version 3 is not well: every second answer is an error, and each comes 0.2 s late. Its release stands at one half. You hide
# that from its users with three lines, see who still knows, and find out which team is paged when the last of three tiers is
# slow.
#
# (In the istio-katas series: *Observing Delays*, the same in a larger application, and *Distributed Tracing*.)
# %%
from kata_lib import graph, live, open_lab, telemetry

lab = open_lab(step="hidden-failures")
# %% [markdown]
# Half of the requests go to version 3, and half of those fail. Expect one in four.
# %%
bare = lab.sample(requests=200, rate=200)
print(f"failed: {lab.failed(bare)}")
# %% [markdown]
# ## Predict: retries
#
# The sidecar of the caller can try again: twice more, where the answer is a 5xx. It tries the *same subset* again, for the
# dice between versions are thrown once a request. Do the sums before you look:
#
# - What share of all requests fails for good, in percent? (Each attempt fails as often as the first.)
# - Of one hundred requests that go to version 3: how many attempts does it get?
# %% tags=predict
lab.predict("requests that still fail behind retries", ...)
lab.predict("attempts at v3 for 100 requests to it", ...)
# %% [markdown]
# ## Your turn: three lines
# %% tags=your-turn
lab.apply_yaml("""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: name
spec:
  hosts: [name]
  http:
  - route:
    - destination: {host: name, subset: name-v1}
      weight: 50
    - destination: {host: name, subset: name-v3}
      weight: 50
    retries:
      attempts: ...
      retryOn: ...
""")
# %% [markdown] tags=hints
# `attempts` counts those after the first one.
#
# Without `retryOn` Istio tries again where no connection came about, or on a 503. What does version 3 answer?
#
# `attempts: 2` and `retryOn: 5xx`. The whole file: `kubectl apply -f deploy/hidden-failures/retries.yaml`
# %% tags=solution
lab.apply("deploy/hidden-failures/retries.yaml")
# %%
lab.turn("retries")
# %% [markdown]
# ## What users see, what version 3 gets
# %%
before = lab.counters()
retried = lab.sample(requests=400, rate=200)
counted = lab.counters(since=before)
# %%
lab.compare("requests that still fail behind retries", lab.failed(retried))
# %% tags=check
lab.check("retries", retried)
# %% [markdown]
# Both sides count, and they do not agree. The sidecar of `sentences` counts each request once, with the answer that it got in
# the end; the one of version 3 counts each attempt:
# %%
sent = telemetry.by_version(counted, "name", reporter="source")
sent
# %%
got = telemetry.by_version(counted, "name", reporter="destination")
got
# %%
lab.compare("attempts at v3 for 100 requests to it", 100 * got.requests["v3"] / sent.requests["v3"])
# %% [markdown] tags=look-first
# The caller's side says that one request to version 3 in eight fails (0.5³ = 12.5 %), the called side one in two. An analysis
# that looks at the caller promotes a version four times as ill as it seems, and one that does 1.75 times its work. Judge a
# canary by the called side, or without retries.
# %% [markdown]
# A sidecar can write a line of each request. This is the slowest of forty, from those lines: a full bar is a pod that took it,
# a hollow one a pod that waits for another. Expect one hollow bar for `name`, with up to three attempts in it.
# %%
lab.trace(requests=40)
# %% [markdown]
# ## Predict: a time-out
#
# Somebody writes `timeout: 150ms` in place of the retries. Version 3 takes 200 ms for whatever it answers. What share of all
# requests fails now, in percent?
# %% tags=predict
lab.predict("requests that fail with a time-out of 150 ms", ...)
# %%
lab.apply("deploy/hidden-failures/timeout.yaml")
before = lab.counters()
cut = lab.sample(requests=200, rate=200)
lab.compare("requests that fail with a time-out of 150 ms", lab.failed(cut))
# %%
given_up = lab.counters(since=before).groupby(["service", "reporter", "version", "code", "flags"])
given_up[["requests"]].sum().loc[["name"]]
# %% [markdown] tags=look-first
# All that goes to version 3. The caller's sidecar answers 504 for it (`UT`, upstream time-out), without a word about a version,
# because none answered. Version 3 sees callers who hang up: code 0, `DC`, downstream connection closed. In its own log nothing
# went wrong.
# %% [markdown]
# ## Predict: three tiers
#
# Back to version 1 alone. `sentences` asks `age` and `name`, and `name` now asks a third tier, `random`, which takes 0.4 s.
# Each of the four teams is paged where the slowest twentieth of its requests (p95) takes longer than 250 ms. How many are?
# %% tags=predict
lab.predict("services that are slow, of four", ...)
# %%
lab.apply("deploy/hidden-failures/half.yaml")
lab.set_weights({"name-v3": 0})
lab.apply("deploy/hidden-failures/random.yaml")
lab.set_env("name-v1", SENTENCE_RANDOM_SVC_URL="http://random:5000/")
# %% [markdown]
# The graph is drawn anew every two seconds, of the last ten. On its edges now stands p95, too: sidecars count durations in
# steps (100, 250, 500 ms and so on), so `≤ 500 ms` is more than 250.
# %%
now = live.show_graph(lab, services=False, durations=True)
# %%
before = lab.counters(durations=True)
lab.sample(requests=60, rate=30)
tiers = graph.draw(lab.counters(since=before, durations=True), services=False)
lab.compare("services that are slow, of four", len(tiers.slower_than(250)))
# %%
tiers
# %% [markdown] tags=look-first
# Three are: `random`, `name`, which waits for it, and `sentences`, which waits for both. Only `age` sleeps through the night.
# The graph shows the way that slowness takes; who began it stands at its end. A trace tells it for a single request:
# %%
lab.trace()
# %% [markdown]
# What ties these lines together is a header, which the applications hand on. One team never thought of it:
# `kubectl set env deployment name-v1 FORWARD_HEADERS=no`. Expect the same 0.4 s, and fewer bars to explain them.
# %%
lab.set_env("name-v1", FORWARD_HEADERS="no")
lab.trace()
# %% [markdown] tags=look-first
# `name` is to blame now, as far as anyone can see: one service that drops headers hides all that is behind it.
# %%
now.close()
lab.set_env("name-v1", FORWARD_HEADERS=None, SENTENCE_RANDOM_SVC_URL=None)
# %% [markdown]
# ## What you have now
#
# - Retries change what users see, and what callers count; what a version does, only its own side tells.
# - A time-out below a version's delay fails all of it, and its own log stays clean.
# - Slowness climbs: the last tier pages everyone above it. Graph and trace find it, where headers are handed on.
# %%
lab.done()
