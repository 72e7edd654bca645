# %% [markdown]
# # 04 · Observe: what the mesh itself counts
#
# *About 10 minutes.*
#
# So far you judged the canary by the answers that you got. Nobody has that for the requests of real users. The
# sidecars do: each counts every request that passes it. Now you read their counters, and see whether they agree
# with you. (Stop `scripts/loop-query.sh` for this one; the sidecars would count its requests too.)
# %%
from kata_lib import addons, graph, live, open_lab, telemetry

lab = open_lab(step="observe")
# %% [markdown]
# ## Predict: 500 requests
#
# The canary gets one request in ten. You will send 500. How many requests will the sidecar of `sentences` count as
# sent to version 2? And how many will it count as *sent* in all? (Think of who else is asked for each sentence.)
# %% tags=predict
lab.predict("requests sent to v2, by the mesh", ...)
lab.predict("requests that sentences sent in all", ...)
# %% [markdown]
# ## Your turn: count
#
# Counters only grow, from the moment a sidecar starts. What happened in between is the difference of two readings:
# read, send 500 requests, read again.
#
# `lab.counters()` reads them all; `lab.counters(since=...)` returns what was counted since an earlier reading.
# %% tags=your-turn
before = lab.counters()
sample = ...
counted = ...
# %% [markdown] tags=hints
# Two of the three lines miss something: the 500 requests, and the second reading.
#
# `lab.sample(requests=...)` and `lab.counters(since=...)`; the first reading is called `before`.
#
# `sample = lab.sample(requests=500)`, then `counted = lab.counters(since=before)`
# %% tags=solution
before = lab.counters()
sample = lab.sample(requests=500)
counted = lab.counters(since=before)
# %%
sample, counted = lab.turn("count", (sample, counted))
# %% [markdown]
# What `sentences` sent, by whom it went to. `mean ms` is from the sidecars too.
# %%
sent = telemetry.edges(counted).loc["source"]
sent
# %%
lab.compare("requests that sentences sent in all", sent["requests"].sum())
# %% [markdown]
# Now by version of `name`, with what the client saw beside it.
# %%
table = telemetry.side_by_side(sample, counted, service="name")
table
# %%
lab.compare("requests sent to v2, by the mesh", table["source"]["v2"])
# %% [markdown]
# With the canary at 10 % it is near 50, and hardly ever 50 exactly, for the reason you know from 02. But client and mesh agree **to the request**:
# the mesh does not estimate, it counts.
# %% tags=check
lab.check("mesh-agrees", table)
# %% [markdown]
# ## Two reporters
#
# Every hop is counted at both ends, and the label `reporter` says by whom. Expect the same requests once more, and
# one line that the first table did not have: your own requests, as they reached `sentences`.
# %%
telemetry.edges(counted).loc["destination"]
# %% [markdown]
# | reporter | whose sidecar | counts | and so |
# |---|---|---|---|
# | `source` | the caller's | each request once, with its final answer | also sees requests that reached no pod (503) |
# | `destination` | the called pod's | each attempt that arrives | a retry counts again; a caller without sidecar is seen only here |
#
# The callers are *unknown* here, because these sidecars do not say who they are. Istio's own do, in a header of each
# request: with them the names stand there, and only a caller without a sidecar stays unknown. For the share of a
# canary, ask `source`; never add both, or everything counts twice.
#
# ## What to watch
#
# Share and errors by version, each with the 95 % interval of this one look. A release is judged by the same numbers,
# but by a test that may look again and again.
# %%
telemetry.by_version(counted, service="name")
# %% [markdown]
# ## Who calls whom
#
# The same numbers as a picture. Services are square, versions round. On each edge: what part of its node's requests
# takes it, how many a second, and what part of them failed. Expect 50 % twice behind `sentences`, and near 10 % on
# one edge only.
# %%
graph.draw(counted)
# %% [markdown]
# And as it is now: the next picture follows the last ten seconds. It shows nobody until somebody asks: the cell after
# it does for three seconds, `scripts/loop-query.sh` in a terminal for longer.
# %%
now = live.show_graph(lab)
# %%
lab.sample(seconds=3, rate=50)["version"].value_counts()
# %%
now.close()
# %% [markdown]
# ## On a real cluster
#
# Nobody reads pods one by one there. **Prometheus** does, every 15 seconds or so, keeps the numbers, and adds over
# pods and time. The tables above are this question to it:
#
# ```text
# sum by (destination_version, response_code) (
#   rate(istio_requests_total{reporter="source", destination_service_name="name"}[1m]))
# ```
#
# Your `lab.counters(since=...)` is an exact difference: whole requests, between two moments that you chose. `rate` is
# an estimate of requests **a second**: from the first and the last reading in the window it extrapolates to the
# whole window, and what a new counter held at its first reading is left out. (Both know that a counter which falls
# has begun anew.) `rate` needs two readings, so at one every 15 seconds a new version shows nothing for up to half a minute:
# *no data* is not *no errors*.
#
# Where the cluster has them, the next cell opens a way to each, and says what shows the distribution: Grafana draws
# Prometheus' answers as lines, and **Kiali** the graph above, with *Traffic Distribution* (older versions say *Request
# percentage*) on its edges. Expect its numbers two readings behind yours.
# %%
addons.dashboards(lab, service="name")
# %% [markdown]
# ## What you have now
#
# Numbers about everyone's requests, by version, without asking any client.
# %%
lab.done()
