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
# One file, the same two resources, weights 0 and 100: `deploy/virtual-service-canary-promote.yaml`. Read it, then apply it
# as you applied the canary.
# %% tags=your-turn
# your turn, here or in the terminal
# %% [markdown] tags=hints
# The file lies beside that of the canary, in the folder `deploy`.
#
# `kubectl apply -f FILE`, or `lab.apply("FILE")` here.
#
# `kubectl apply -f deploy/virtual-service-canary-promote.yaml`
# %% tags=solution
lab.apply("deploy/virtual-service-canary-promote.yaml")
# %%
lab.turn("promote")
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
# ## Your turn: the canary of version 3, with gaps
#
# This time the YAML is yours to complete: **one request in ten** to version 3, the others to version 2. Four values are
# missing; put them in place of the dots. (In a terminal: the same text in a file of your own, and `kubectl apply -f` it.)
# %% tags=your-turn
lab.apply_yaml("""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: name}
spec:
  hosts: [name]
  http:
  - route:
    - destination: {host: name, subset: ...}
      weight: ...
    - destination: {host: name, subset: ...}
      weight: ...
""")
# %% [markdown] tags=hints
# A route has one entry for each subset. The subset `name-v3` came with `deploy/v3-faulty`; notebook 02 has a route whose weights have the same sizes.
#
# Of `kubectl get virtualservice name -o yaml` you see what is there now. Weights are best written so that they total 100.
#
# `subset: name-v2` with `weight: 90`, `subset: name-v3` with `weight: 10`; the whole is `deploy/virtual-service-canary-v3.yaml`.
# %% tags=solution
lab.apply_yaml("""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: name}
spec:
  hosts: [name]
  http:
  - route:
    - destination: {host: name, subset: name-v2}
      weight: 90
    - destination: {host: name, subset: name-v3}
      weight: 10
""")
# %%
lab.turn("canary-v3")
# %% [markdown]
# Watch it for a while: 1,300 requests, two hundred a second. What goes wrong, and how often?
# %%
canary = lab.sample(requests=1300, rate=200)
canary["error"].value_counts().to_frame()
# %%
lab.compare("failed, of a thousand users", 1000 * canary["error"].notna().mean())
# %% tags=check
lab.check("v3-hurts", canary)
# %% [markdown] tags=look-first
# With the canary in force, one in ten meets version 3, and half of those an error: 50 of a thousand. `name` answers 500;
# what users see is the 502 of `sentences`, which could not make its sentence. So many requests tell the 5.0 % that should
# fail from the 12.5 % that would if v3 had a quarter, as one pod of four has in plain Kubernetes.
# %% [markdown]
# ## Your turn: roll back
#
# Do not repair, do not delete: send everyone to where it worked. You have applied the file for that once already.
# %% tags=your-turn
# your turn, here or in the terminal
# %% [markdown] tags=hints
# It is the file with which this notebook began.
#
# `kubectl apply -f FILE`: a roll-back is one more apply.
#
# `kubectl apply -f deploy/virtual-service-canary-promote.yaml`
# %% tags=solution
lab.apply("deploy/virtual-service-canary-promote.yaml")
# %%
lab.turn("roll-back")
# %%
after = lab.sample(requests=300)
users.stop()
# %% tags=check
lab.check("rolled-back", after)
# %% [markdown]
# Everyone is where it worked, from one moment to the next. Here is what the users in the background met, from before the canary until now: crosses are
# the failures in each half second. (It takes back the requests. What a version has *written* stays: 06 shows what that does.)
# %%
met = users.frame()
plots.timeline(met, "v3", seconds=0.5)
# %%
print(f"{met['error'].notna().sum()} of {len(met)} users met an error.")
# %% [markdown]
# ## Which version was it?
#
# Your sample knows the version of an answer by the name in its sentence, and a failed one has no sentence. (Here the
# error quotes who failed. A time-out or a refused connection quotes nobody.) The mesh knows whom it asked: expect every
# error in the row of v3, and look at `mean ms` too. Version 3 is slow as well.
# %%
versions = telemetry.by_version(lab.counters(since=before), service="name")
versions
# %% [markdown]
# ## Had it been all at once
#
# The same version for everyone, over the same requests, at the share of errors that the mesh saw:
# %%
errors, asked = (versions[column].get("v3", 0) for column in ("errors", "requests"))
everyone = versions["requests"].sum() * errors / max(asked, 1)
print(f"Failed with a canary: {errors}. All at once, about {everyone:.0f}.")
# %% [markdown]
# About ten times as many or more (the table also holds requests from after the roll-back), for the same knowledge. The
# canary did not make version 3 better. It made finding out cheap, and the way back one line.
#
# ## Your turn: clean up
#
# What was applied is deleted by the same files, in any order: the three versions' folders, and the file with the weights.
# %% tags=your-turn
# your turn, here or in the terminal
# %% [markdown] tags=hints
# What is left over? `kubectl get deployments,services,virtualservices,destinationrules`, and the folder `deploy` says where each came from.
#
# `kubectl delete -f PATH`, which takes more than one `-f`; here it is `lab.delete("PATH")`, once for each.
#
# `kubectl delete -f deploy/v1 -f deploy/v2 -f deploy/v3-faulty -f deploy/virtual-service-canary-promote.yaml`
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
