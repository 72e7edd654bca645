# %% [markdown]
# # 07 · Argo Rollouts: the same release by a controller
#
# *About 20 minutes, most of it waiting.*
#
# The loop of the last notebook fits on a few screens so that you can read it. In a company nobody runs a loop in a
# notebook: a *controller* in the cluster does it, and everyone declares what they want in an object. Here the real
# [Argo Rollouts](https://argo-rollouts.readthedocs.io) releases the same version 2 and meets the same version 3.
#
# It must be in the cluster, with a Prometheus that it can ask. In a terminal:
#
# ```sh
# kata addons install prometheus rollouts
# ```
#
# Where that is refused, this cluster cannot have them: `KATA_ENGINE=kind scripts/workshop` starts one that can.
# This notebook begins with version 1 alone, as a *Rollout* in place of the Deployment `name-v1`.
# %%
from kata_lib import argo, live, manifests, open_lab, plots

lab = open_lab(step="argo-rollouts")
# %% [markdown]
# ## A Rollout is a Deployment with a plan
#
# The file has all that a Deployment has (replicas, selector, template) and a `strategy`. Find the three weights, and
# what stands after each:
# %%
print(manifests.text("deploy/rollouts/argo-rollouts/rollout-v2.yaml"))
# %% [markdown]
# The analysis is an object of its own, so that many Rollouts can share it. It asks Prometheus, in PromQL, which share
# of the canary's requests did not fail. Look at its two conditions, and at what it does when there is no answer:
# %%
print(manifests.text("deploy/rollouts/argo-rollouts/success-rate.yaml"))
# %% [markdown]
# | here | Argo Rollouts | Flagger |
# |---|---|---|
# | plan | Rollout, `strategy.canary` | Canary, `analysis` |
# | subsets `name-v1`, `name-v2` | `stable`, `canary`, told apart by a hash of the template | a second Deployment, `name-primary` |
# | `setWeight`, `pause` | the same words | `stepWeights` |
# | `analysis: {}` | `analysis` step, AnalysisTemplate | `metrics` at each interval |
# | a sequential test: as many requests as it needs | conditions on each measurement, `count` of them | `threshold` failed checks |
# | no verdict yet | `Inconclusive` | halted advancement |
# | `falseAbort`, `missed` | | |
# | ConfigMap `release-name` | `status` of the Rollout, AnalysisRuns | `status` of the Canary |
#
# The whole table is in [docs/argo-rollouts.md](../docs/argo-rollouts.md).
#
# ## Predict: how long?
#
# The last notebook printed how many seconds `kata release` took from 1 to 100 %. How many **seconds** will this take?
# Everything you need stands in the two files: three analyses, each with an `initialDelay`, an `interval` and a `count`.
# %% tags=predict
lab.predict("time from 1 to 100 %", ...)
# %% [markdown]
# ## Version 2
#
# First the users, then the release. It begins by applying the file: a changed template is all that the controller
# waits for. In a terminal: `kubectl apply -f deploy/rollouts/argo-rollouts/rollout-v2.yaml`.
# %%
users = lab.watch(rate=200)
lab.apply("deploy/rollouts/argo-rollouts/rollout-v2.yaml")
# %% [markdown]
# The same picture as before, from the controller's objects and the sidecars' counters. Its buttons send what
# `kubectl argo rollouts promote`, `abort` and `retry` send. Do nothing, once more.
# %%
release = argo.find(lab.cluster, "name")
view = live.show_release(lab, release)
# %% [markdown]
# Expect a line for each thing that changes. It takes minutes; the files above are worth reading meanwhile:
# %%
release.wait()
# %% [markdown]
# What it measured is kept in the cluster, one AnalysisRun for each analysis (`kubectl get analysisruns`). Beside each
# value is the rule that judged it; how many requests it rests on is nowhere. **At 1 %, half a minute holds some sixty
# requests to version 2**, and a single failed one makes 0.983.
# %%
release.history()
# %%
plots.timeline(users.frame(), "v2", changes=release.moments())
# %%
lab.compare("time from 1 to 100 %", release.seconds())
# %% [markdown]
# That is three quarters of a minute at each weight. What it took beyond the three analyses went by in waiting for pods: the controller moves a weight only once there are
# pods behind it.
#
# ## Who is stable now?
#
# Everyone has version 2, and yet the weights say something else. Expect `canary` at zero:
# %%
lab.weights()
# %% [markdown]
# What moved last were not the requests but the names: some seconds after the release was through, the controller wrote
# version 2's hash into the subset `stable` and took the weight back from `canary`, ready for the next release. See
# `kubectl get destinationrule name --output yaml`.
# %% tags=check
lab.check("argo-released", lab.sample(requests=150, concurrency=8))
# %% [markdown]
# ## Your turn: release version 3
#
# Version 3 fails every second request. New users first, so that every error they meet is its doing:
# %%
users.stop()
users = lab.watch(rate=200)
# %% [markdown]
# Now apply its file, `deploy/rollouts/argo-rollouts/rollout-v3.yaml`, then find the release and wait for it, as above.
# %% tags=your-turn
release = ...
# %% [markdown] tags=hints
# It is what you did for version 2 in this notebook, with another file.
#
# `lab.apply(...)` or `kubectl apply -f FILE`; then `argo.find(...)` and `release.wait()`.
#
# `kubectl apply -f deploy/rollouts/argo-rollouts/rollout-v3.yaml`, then `release = argo.find(lab.cluster, "name")` and `release.wait()`
# %% tags=solution
lab.apply("deploy/rollouts/argo-rollouts/rollout-v3.yaml")
release = argo.find(lab.cluster, "name")
release.wait()
# %%
release = lab.turn("release-v3-argo", release)
release.history()
# %%
errors = int(users.frame()["error"].notna().sum())
print(f"At {release.reached()} % it was stopped; {errors} users met an error.")
# %% [markdown]
# Compare it with the last notebook: there a handful of requests was enough, and it took seconds. This analysis waited
# for its `initialDelay` before it looked at all. That is a choice, not a fault: Prometheus must have scraped twice before
# there is a rate, and a controller that asks it can ask anything that is in there, of any service.
# %% tags=check
lab.check("argo-caught", lab.sample(requests=150, concurrency=8))
# %% [markdown]
# ## When a person decides
#
# | you want | command | notebook |
# |---|---|---|
# | to see where it stands | `kubectl get rollout name` | `release` |
# | to hold it | `kubectl argo rollouts pause name` | `release.pause()` |
# | to leave this step, or a pause | `kubectl argo rollouts promote name` | `release.promote()` |
# | everything to the new version | `kubectl argo rollouts promote name --full` | `release.promote_fully()` |
# | everyone back, now | `kubectl argo rollouts abort name` | `release.abort()` |
# | to begin an aborted one again | `kubectl argo rollouts retry rollout name` | `release.retry()` |
#
# ## Flagger
#
# [Flagger](https://flagger.app) does the same with another shape: it watches an ordinary Deployment, makes the second
# one, the Services and the VirtualService by itself, and its Canary says no more than this:
# %%
print(manifests.text("deploy/rollouts/flagger/canary.yaml"))
# %% [markdown]
# Both release over an HTTPRoute as well, Argo Rollouts by a plugin: how, what it took, and which traps their users met, is
# in [docs/argo-rollouts.md](../docs/argo-rollouts.md#over-an-httproute).
# %%
users.stop()
view.close()
# %% [markdown]
# ## What you have now
#
# - Version 2 released, and version 3 stopped, by a controller that many companies run.
# - The same plan in three dialects, and what each of them asks before it goes on.
# - A reason to read an analysis before trusting it: **how many requests does its verdict rest on?**
#
# All that you did can be one page, to keep or to hand in: each check with its figures, what you predicted, the pictures. In
# a terminal `kata report` writes it. And `kata exam` asks what you have learned, on services that you have not seen:
# three tasks, of which the page has the results.
# %% tags=report
lab.report()
# %%
lab.done()
