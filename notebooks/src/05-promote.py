# %% [markdown]
# # 05 · Promote, and take back
#
# *About 15 minutes.*
#
# The canary did well: version 2 gets everything. Then comes version 3, and it is not well. You will see what a
# canary is for.
# %%
from kata_lib import open_lab, plots, telemetry

lab = open_lab(step="promote")
# %% [markdown]
# ## Your turn: promote version 2
#
# One file, the same two resources, weights 0 and 100. Read it, then apply it:
#
# ```sh
# kubectl apply -f deploy/virtual-service-canary-promote.yaml
# ```
# %% tags=your-turn
# your turn
# %% tags=solution
lab.apply("deploy/virtual-service-canary-promote.yaml")
# %%
promoted = lab.sample(requests=300)
print(lab.share(promoted))
# %% tags=check
lab.check("promoted", promoted)
# %% [markdown]
# Version 1 still runs and gets nothing. Keep it for a while: the way back is then a change of weights, without a pod
# to start.
#
# ## Version 3
#
# The folder `deploy/v3-faulty` holds a Deployment and the subset `name-v3`. Applying it sends nobody there yet: all
# weight is on v2.
# %%
lab.apply("deploy/v3-faulty")
# %% [markdown]
# ## Predict: how many users does it hurt?
#
# Version 3 fails every second request. It will get **one request in ten**. Of a thousand users with one request each,
# how many get an error while the canary runs?
# %% tags=predict
lab.predict("failed, of a thousand users", ...)
# %% [markdown]
# From here on, fifty users a second ask in the background, as they would on any day:
# %%
before = lab.counters()
users = lab.watch(rate=50)
# %% [markdown]
# ## Your turn: the canary of version 3
#
# ```sh
# kubectl apply -f deploy/virtual-service-canary-v3.yaml
# ```
# %% tags=your-turn
# your turn
# %% tags=solution
lab.apply("deploy/virtual-service-canary-v3.yaml")
# %% [markdown]
# Watch it for a while: 1,300 requests, two hundred a second. So many tell the 5.0 % that should fail from the 12.5 %
# that would if v3 had a quarter, as one pod of four has in plain Kubernetes. What goes wrong, and how often?
# %%
canary = lab.sample(requests=1300, rate=200)
canary["error"].value_counts().to_frame()
# %%
lab.compare("failed, of a thousand users", 1000 * canary["error"].notna().mean())
# %% tags=check
lab.check("v3-hurts", canary)
# %% [markdown]
# One in ten meets version 3, and half of those an error: 50 of a thousand. `name` answered 500; what users see is the
# 502 of `sentences`, which could not make its sentence.
#
# ## Your turn: roll back
#
# Do not repair, do not delete: send everyone to where it worked. The file that promoted version 2 is the roll-back:
#
# ```sh
# kubectl apply -f deploy/virtual-service-canary-promote.yaml
# ```
# %% tags=your-turn
# your turn
# %% tags=solution
lab.apply("deploy/virtual-service-canary-promote.yaml")
# %%
after = lab.sample(requests=300)
users.stop()
# %% tags=check
lab.check("rolled-back", after)
# %% [markdown]
# Not one failure since. Here is what the users in the background met, from before the canary until now: crosses are
# the failures in each half second.
# %%
met = users.frame()
plots.timeline(met, "v3", seconds=0.5)
# %%
print(f"{met['error'].notna().sum()} of {len(met)} users met an error.")
# %% [markdown]
# ## Which version was it?
#
# Your sample knows the version of an answer by the name in its sentence, and a failed one has no sentence. (Here the
# error quotes who failed. A time-out or a refused connection quotes nobody.) The mesh knows whom it asked: expect all
# errors in one row, and look at `mean ms` too. Version 3 was slow as well.
# %%
versions = telemetry.by_version(lab.counters(since=before), service="name")
versions
# %% [markdown]
# ## Had it been all at once
#
# The same version for everyone, over the same requests, at the share of errors that the mesh saw:
# %%
v3 = versions.loc["v3"]
everyone = versions["requests"].sum() * v3["errors"] / v3["requests"]
print(f"Failed with a canary: {v3['errors']}. All at once, about {everyone:.0f}.")
# %% [markdown]
# About ten times as many or more (the table also holds requests from after the roll-back), for the same knowledge. The
# canary did not make version 3 better. It made finding out cheap, and the way back one line.
#
# ## Your turn: clean up
#
# What was applied is deleted by the same files, in this order or any other:
#
# ```sh
# kubectl delete -f deploy/v1 -f deploy/v2 -f deploy/v3-faulty -f deploy/virtual-service-canary-promote.yaml
# ```
#
# Here it is `lab.delete`, once for each.
# %% tags=your-turn
# your turn
# %% tags=solution
for path in ("v1", "v2", "v3-faulty", "virtual-service-canary-promote.yaml"):
    lab.delete(f"deploy/{path}")
# %% tags=check
lab.check("cleaned-up")
# %% [markdown]
# ## What you have now
#
# - A release from 10 to 100 %, and one that was taken back, each by a file.
# - The number that matters: how many users a mistake reaches before somebody knows.
# - An empty namespace. Any notebook sets up again what it begins with.
# %%
lab.done()
# %% [markdown] tags=next
# **Next: [06-progressive-delivery](06-progressive-delivery.ipynb)**, where a loop looks and decides in your place.
