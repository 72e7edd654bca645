# %% [markdown]
# # 01 · Deploy: version 2 joins in
#
# *About 10 minutes.*
#
# Version 1 runs. Now version 2 of `name` is deployed beside it with Kubernetes alone, no routing rules. You will
# see who gets it, and how soon.
#
# The first cell finds your cluster and sets up what this notebook begins with, if it is not there: version 1.
# %%
from kata_lib import open_lab, plots

lab = open_lab(step="deploy")
# %% [markdown]
# ## Version 1 alone
#
# First the baseline: a hundred requests, and how many of their answers came from version 2. Expect none. The line
# below the cell reads: v2's share, the number of answers, and the 95 % interval: at one look at one sample it holds
# the true share nineteen times in twenty. Even *none in a hundred* leaves a little room, because a rare thing may just
# not have happened.
# %%
alone = lab.sample(requests=100)
print(lab.share(alone))
# %% tags=check
lab.check("v1-alone", alone)
# %% [markdown]
# ## Predict: what share?
#
# `name-v1` has two pods. In a moment `name-v2` will have one. Both carry the label `app: name`, and that is all
# that the Service `name` asks of its pods. What share of the answers, in percent, will come from version 2?
# %% tags=predict
lab.predict("share of v2 beside v1", ...)
# %% [markdown]
# ## Your turn: deploy version 2
#
# Apply the folder `deploy/v2`, here or in a terminal. If `scripts/loop-query.sh` runs beside you, watch it.
#
# ```sh
# kubectl apply -f deploy/v2
# ```
# %% tags=your-turn
# your turn, here or in the terminal
# %% [markdown] tags=hints
# What `deploy/v1` was in notebook 00, `deploy/v2` is now. The line stands just above.
#
# `kubectl apply -f FOLDER` in the terminal, or `lab.apply("FOLDER")` here.
#
# `kubectl apply -f deploy/v2`
# %% tags=solution
lab.apply("deploy/v2")
# %%
lab.turn("deploy-v2")
# %% [markdown]
# Four hundred requests now, and the picture. The bar is what you saw, its whisker the 95 % interval; the mark is
# what the pods that are there would give if they shared evenly.
# %%
both = lab.sample(requests=400)
lab.compare("share of v2 beside v1", lab.share(both))
# %%
name = "v1 + v2, plain Kubernetes"
plots.distribution({name: lab.share(both)}, {name: lab.expected_share().get("v2", 0)})
# %% tags=check
lab.check("a-third", both)
# %% [markdown] tags=look-first
# With one pod of three it is a third, at once, for all users. Nobody chose that share: it is the number of pods. To give version 2 a tenth this
# way you would need nine pods of version 1 for one of version 2, and ninety-nine for a hundredth. And each time
# either is scaled, the share moves along.
#
# **This is why canaries exist.** A new version should first meet few requests, a share that somebody chose, that
# can be taken back in a moment, and that does not hang on how many pods there are. (Coal miners took a canary
# along for the same reason: something small that warns early.)
# %% [markdown]
# ## Connection and request
#
# So far, each request came on a connection of its own. Browsers and most programs do otherwise: they keep a
# connection open and send many requests on it. Suppose we do that too. What share of v2 now, in percent: a third
# still, or all answers from the one pod that the connection led to?
# %% tags=predict
lab.predict("share of v2 on a kept connection", ...)
# %%
kept = lab.sample(requests=400, connections="keep-alive")
lab.compare("share of v2 on a kept connection", lab.share(kept))
# %% tags=check
lab.check("a-third", kept)
# %% [markdown] tags=look-first
# Kept connection or new one, the share is the same. The reason is *who chooses*:
#
# | who | chooses a pod for each | so a kept connection |
# |---|---|---|
# | kube-proxy, plain Kubernetes | **connection** | stays with one pod, for hours if need be |
# | the caller's sidecar, Envoy | **request** | reaches all pods, request by request |
#
# Your connection was kept as far as the only `sentences` pod. From there on, its sidecar chose a `name` pod for
# each request. Without a mesh, a program that keeps its connection to `name` would have got answers from one
# version only, and its neighbour from the other: no share to speak of.
# %% [markdown]
# ## What you have now
#
# Two versions side by side, a third of all requests on the new one, and no handle to turn.
# %%
lab.done()
