# %% [markdown]
# # 02 · Canary: one request in ten
#
# *About 15 minutes.*
#
# Version 2 gets a third of the requests, because it has a third of the pods. Now you choose the share: ten
# percent, written down in a file. On the way you find out how little ten requests tell, and how much a thousand.
# %%
from kata_lib import manifests, open_lab, plots

lab = open_lab(step="canary")
# %% [markdown]
# ## Predict: ten, and a thousand
#
# With one request in ten sent to version 2: how many of the next **ten** answers will be from v2? And how many of
# a **thousand**? (Everyone says 1 and 100. How sure are you of each?)
# %% tags=predict
lab.predict("v2 answers in ten requests", ...)
lab.predict("v2 answers in a thousand requests", ...)
# %% [markdown]
# ## Your turn: apply the canary
#
# The file `deploy/virtual-service-canary.yaml` is complete; later ones you will write yourself. Read it line by line. It
# holds two of Istio's resources:
#
# - the **DestinationRule** says which *subsets* the service `name` has: `name-v1` is the pods with the label
#   `version: v1`, `name-v2` those with `version: v2`;
# - the **VirtualService** says what share of the requests for `name` goes to which subset: weight 90, weight 10.
#
# Neither starts a pod nor stops one. They only change what the sidecars know.
# %%
print(manifests.text("deploy/virtual-service-canary.yaml"))
# %% [markdown]
# Apply it, here or by hand:
#
# ```sh
# kubectl apply -f deploy/virtual-service-canary.yaml
# ```
# %% tags=your-turn
# your turn, here or in the terminal
# %% [markdown] tags=hints
# The file stands in the folder `deploy`; the terminal begins in the folder above it.
#
# `kubectl apply -f FILE` in the terminal, or `lab.apply("FILE")` here.
#
# `kubectl apply -f deploy/virtual-service-canary.yaml`
# %% tags=solution
lab.apply("deploy/virtual-service-canary.yaml")
# %%
lab.turn("canary")
# %% [markdown]
# What do the weights say now? This reads them from the cluster, as they are written; `kata weights` does so in a
# terminal.
# %%
lab.weights()
# %% [markdown]
# ## Ten requests
#
# Run the next cell a few times before you go on, and note what you get.
# %%
ten = lab.share(lab.sample(requests=10))
lab.compare("v2 answers in ten requests", ten)
# %% [markdown]
# Sometimes one, often none, now and then two or three. Each request is decided on its own, like the throw of a
# ten-sided die. Ten throws show no canary at all with probability 0.9¹⁰ = 35 %, one time in three. Whoever looks at
# ten requests and says "it does not work" is wrong that often.
#
# ## A thousand requests
# %%
many = lab.sample(requests=1000)
lab.compare("v2 answers in a thousand requests", lab.share(many))
# %% [markdown]
# With the canary in force it is near 100, and hardly ever 100 exactly. The picture shows the share after each request so far, and two ranges around
# it. Both shrink with the square root of the number: for half the width you need four times the requests. They do not
# promise the same.
#
# - The **band** is the 95 % interval for one look. If you decided before at which request to look, it misses the true
#   share there one time in twenty. It promises nothing to somebody who follows it and picks the moment: somewhere among
#   the thousand requests it leaves the true share behind in every second run.
# - The **lines** around it are the 95 % confidence sequence. Follow it as long as you like: over all requests together
#   it misses in at most one run of twenty. That costs width.
# %%
plots.convergence(many, expected=lab.expected_share().get("v2", 0))
# %% [markdown]
# Now cut the same thousand into a hundred tens, and count how many tens hold 0, 1, 2, ... answers of v2. At
# ten percent, expect about 35 tens with none.
# %%
tens = many["version"].eq("v2").groupby(many.index // 10).sum()
tens.value_counts().sort_index().rename_axis("v2 in ten").rename("tens").to_frame().T
# %% [markdown]
# This is the difference between a **share** and a **sample**. The share is what the sidecars were told, exactly
# ten percent. A sample is what happened to come of it. A check that asks for exactly 10 % would fail for no reason
# most of the time; this one asks whether your sample can be told from a third, and is wrong less than once in a
# million.
# %% tags=check
lab.check("canary-10", many)
# %% [markdown]
# ## Predict: more pods?
#
# A colleague finds ten percent too little and scales version 2 from one pod to four. There are two of version 1, so
# plain Kubernetes would give version 2 two thirds. What share do you expect now, in percent?
# %% tags=predict
lab.predict("share of v2 with four v2 pods", ...)
# %% [markdown]
# ## Your turn: scale version 2
#
# Scale the Deployment `name-v2` to four pods, with `lab.scale` or by hand. The command is in the hints.
# %% tags=your-turn
# your turn, here or in the terminal
# %% [markdown] tags=hints
# A Deployment knows how many pods it keeps: `kubectl get deployments` shows it.
#
# `kubectl scale deployment NAME --replicas=N`, or `lab.scale("NAME", N)` here.
#
# `kubectl scale deployment name-v2 --replicas=4`
# %% tags=solution
lab.scale("name-v2", 4)
# %%
lab.turn("scale-v2")
# %%
scaled = lab.sample(requests=400)
lab.compare("share of v2 with four v2 pods", lab.share(scaled))
# %%
seen = {"one v2 pod": lab.share(many), "four v2 pods": lab.share(scaled)}
plots.distribution(seen, dict.fromkeys(seen, lab.expected_share().get("v2", 0)))
# %% tags=check
lab.check("weights-rule", scaled)
# %% [markdown] tags=look-first
# Four pods in place of one change nothing. The sidecar decides in two steps: first the *subset*, by weight; then a *pod* of that subset. More
# pods make version 2 stronger, not more popular. That is what you want from a canary: capacity is one question, the
# share another.
# %% [markdown]
# Put version 2 back to one pod:
# %%
lab.scale("name-v2", 1)
# %% [markdown]
# ## Weights are proportions
#
# One more surprise. The file's weights are in force again, and now somebody sets 10 for v2 and 80 for v1. They do not total
# 100. Is it refused? If not, what share is it?
# %%
lab.apply("deploy/virtual-service-canary.yaml")
lab.set_weights({"name-v2": 10, "name-v1": 80})
lab.expected_share()
# %% [markdown]
# Accepted, and the share is 10 of 90: 11.1 %. Istio divides each weight by their total. Weights that total 100 can be
# read as percent, which is why everyone writes them so, and you should too. Back to the file's:
# %%
lab.apply("deploy/virtual-service-canary.yaml")
# %% [markdown]
# ## What you have now
#
# - A share that you chose, in a file under version control, in force in less than a second, and as fast to take back.
# - A feeling for samples: ten requests tell almost nothing, three hundred tell 10 % from 33 %, a thousand give you
#   8 to 12.
# - Two knobs that do not disturb each other: weights for the share, replicas for the capacity.
# %%
lab.done()
