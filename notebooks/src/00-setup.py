# %% [markdown]
# # 00 · Setup: one sentence, and who had a hand in it
#
# *About 10 minutes.*
#
# You are about to release version 2 of a service the careful way: to one request in ten first, and to everyone
# only when the numbers allow it. The workshop is small but nothing in it is pretended: a Kubernetes API, Istio's
# resources, and an Envoy proxy beside every program.
#
# Each notebook has the same rhythm. You **predict** a number before you see it, you **do** something, you
# **look** at what really happened, and a **check** tells you whether the cluster shows what it should. Wrong
# predictions are welcome: they are the ones that teach.
#
# Run a cell with <kbd>Shift</kbd>+<kbd>Enter</kbd>. The first one brings up the cluster, or finds it again. Expect
# seconds for the embedded cluster, minutes where it makes one with kind.
# %%
from kata_lib import open_lab

lab = open_lab(step="setup")
# %% [markdown]
# ## Deploy the first version
#
# The folder `deploy/v1` holds three small services. `age` answers a number, `name` answers a musketeer, and
# `sentences` asks both and answers a sentence. The next cell does what this command does in a terminal
# (*File › New › Terminal*; `kubectl` already knows this cluster):
#
# ```sh
# kubectl apply -f deploy/v1
# ```
#
# Expect six lines that end in *created*: three Services and three Deployments.
# %%
lab.apply("deploy/v1")
# %% [markdown]
# A Service is a name and an address that stay; a Deployment keeps a number of pods running behind it. Look at the
# pods, as `kubectl get pods` would show them. The Deployment `name-v1` asks for two, so expect four in all.
# %%
lab.pods()
# %% [markdown]
# Every pod is ready *2/2*, although the manifests name one container each. The second, `istio-proxy`, is an Envoy:
# a **sidecar**. The namespace carries the label `istio-injection=enabled`, and a pod that is created in such a
# namespace gets one. Requests to the pod, and requests from the pod, now go through it. That is the whole trick
# of a service mesh: whoever configures the sidecars decides where requests go, and no program has to change.
#
# ## One sentence
#
# The Service `sentences` has a *node port*, so it answers outside the cluster too. Ask it once; in a terminal this
# is `curl $(kata url)`.
# %%
lab.sample(requests=1)[["version", "status", "latency_ms", "answer"]]
# %% [markdown]
# The column `version` says which version of `name` had a part in the answer. Names from version 2 will carry a
# mark, `(v2)`; without it, the answer is from version 1.
#
# ## Predict: how many sidecars?
#
# ```text
#                                       ┌─▶ age
# you ──▶ node port ──▶ sentences ──────┤
#                                       └─▶ name   (two pods)
# ```
#
# Your request needs all three services. How many *sidecars* does it meet on its way, if you count each one once?
# Put your number in place of the dots, or leave them and go on.
# %% tags=predict
lab.predict("sidecars that one request meets", ...)
# %% [markdown]
# Every Envoy counts the requests that it takes for its pod and those that it sends for it. The next cell sends one
# more request and shows whose counters moved.
# %%
hops = lab.hops()
hops
# %%
lab.compare("sidecars that one request meets", len(hops))
# %% [markdown] tags=look-first
# Three sidecars: that of `sentences`, that of `age`, and that of *one* of the two `name` pods. The sidecar of
# `sentences` did the most: it received your request and sent two. Hold on to this: **which `name` pod answers is
# decided in the sidecar of the caller.** A canary release will be one small change of what that sidecar knows.
#
# The node port is no sidecar. It passes connections on to a pod without looking at the requests inside, as
# kube-proxy does on every Kubernetes node.
# %% [markdown]
# ## Your turn
#
# Take a sample of twenty requests, with the same `lab.sample` as above, and call it `answers`.
# %% tags=your-turn
answers = ...
# %% [markdown] tags=hints
# It is one call. The cell under *One sentence* has it, for one request.
#
# `lab.sample(requests=...)` with the number that you want.
#
# `answers = lab.sample(requests=20)`
# %% tags=solution
answers = lab.sample(requests=20)
# %% [markdown]
# The check looks at the cluster, then at your sample. If something is amiss, it says what, where it saw it, and
# which line mends it.
# %% tags=check
lab.check("v1-runs", answers)
# %% [markdown]
# ## What you have now
#
# - A cluster that goes on running when you close this notebook. `kata status` in a terminal says what is in it;
#   `kata down` removes it.
# - Version 1 of the service, on four pods with a sidecar each.
# - `scripts/loop-query.sh`: start it in a terminal beside the notebooks. It shows one answer after the other, so
#   you see every change the moment it takes effect.
# %%
lab.done()
