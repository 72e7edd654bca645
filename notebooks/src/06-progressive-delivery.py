# %% [markdown]
# # 06 · Progressive delivery: the metrics decide
#
# *About 25 minutes.*
#
# Until now you raised the weight, looked, and decided. Here a loop does it: it raises the share step by step,
# watches the sidecars' counters in between, and goes on or back by itself. You write the plan.
#
# This notebook begins with both versions and the canary's VirtualService.
# %%
from kata_lib import delivery, live, open_lab, plots, telemetry
from kata_lib.delivery import chances, other_rules

lab = open_lab(step="progressive-delivery")
# %% [markdown]
# ## The plan
#
# A file, in the terms of [Argo Rollouts](https://argo-rollouts.readthedocs.io), which you meet in the next notebook.
# Expect four weights, and after each an *analysis* that must succeed before the next. The last weight is 100: the
# release watches on for five seconds before it calls itself Healthy, and can still go back. (`without` leaves out what the
# sidecars of your cluster do not count: nothing, unless a line says so.)
# %%
plan = delivery.read("deploy/rollouts/v2.yaml").without(lab.uncounted())
plan
# %% [markdown]
# Read the metrics at its end. `success-rate` says: 1 % of failures is healthy, 25 % is faulty, and in between nobody
# promises anything. `latency` says it of answers slower than 250 ms, with 5 % and 30 %. `falseAbort` and `missed` say
# how often the analysis may be wrong, and with that **how many requests** it needs.
#
# Only a canary that is *worse than version 1* at the same moment is sent back. Of failures that both have it gets its
# share by chance, one in a hundred at 1 %; three of three that all fall on it are no chance. So a trouble that both have
# is not the canary's: the release then holds, and you decide.
#
# ## Version 2, by itself
#
# First the users, four hundred a second, so that something can be counted:
# %%
users = lab.watch(rate=400)
# %% [markdown]
# Then the release, and its live view with a button for each thing that you could do meanwhile. Do nothing, for once.
# In a terminal: `kata release start deploy/rollouts/v2.yaml`.
# %%
release = delivery.start(lab.cluster, plan)
view = live.show_release(lab, release)
# %% [markdown]
# Expect a line for each decision, and most of the time at 1 %: the analysis needs at least 17 requests to version
# 2, and only one request in a hundred goes there.
# %%
release.wait()
# %% [markdown]
# Each line has its figures and what would have changed the decision. All of it is kept in the cluster, where
# `kata release status` and `kubectl get configmap release-name --output yaml` find it; `release.history()` returns it as
# a table. What the users got meanwhile:
# %%
plots.timeline(users.frame(), "v2", changes=release.moments())
# %% [markdown]
# How long did it take? Keep the number: the next notebook asks a controller to do the same.
# %%
print(f"{release.seconds():.0f} seconds from 1 to 100 %")
# %% tags=check
lab.check("released", lab.sample(requests=150, concurrency=8))
# %% [markdown]
# ## Predict: where does it stop version 3?
#
# Version 3 fails every second request. The plan for it, `deploy/rollouts/v3.yaml`, has the same steps: 1, 10, 50,
# 100 %. At which **weight**, in percent, does the analysis stop it?
# %% tags=predict
lab.predict("weight at which v3 is stopped", ...)
# %% [markdown]
# ## Your turn: release version 3
#
# Apply `deploy/v3-faulty`, which sends nobody there yet, then start a release by its plan and wait for it, as above. Call it
# `release`. (Done in a terminal? Then leave the dots: the next cell finds it.)
# %% tags=your-turn
release = ...
# %% [markdown] tags=hints
# Version 2 was released by two calls: `delivery.start(...)` and `release.wait()`. Its plan came from a file.
#
# `lab.apply(...)` for the folder, then `delivery.start(lab.cluster, delivery.read(...))`. In a terminal: `kubectl apply -f`, and `kata release start`.
#
# `kubectl apply -f deploy/v3-faulty`, then `kata release start deploy/rollouts/v3.yaml`
# %% tags=solution
lab.apply("deploy/v3-faulty")
release = delivery.start(lab.cluster, delivery.read("deploy/rollouts/v3.yaml").without(lab.uncounted()))
release.wait()
# %%
release = lab.turn("release-v3", release)
# %%
lab.compare("weight at which v3 is stopped", release.reached())
# %% tags=check
lab.check("caught", lab.sample(requests=150, concurrency=8))
# %% [markdown]
# Such a canary needs a handful of its own requests. Nobody failed because of version 2, so every failed request of a user since is the
# price of this release:
# %%
with_analysis = int(users.frame()["error"].notna().sum())
print(f"{with_analysis} users met an error.")
# %% [markdown]
# ## Your turn: a plan of your own, from a blank page
#
# What would it have cost all at once? Write the `steps` of a plan for version 3, in YAML: one weight, 100, and an analysis
# after it. Nothing is given this time.
# %% tags=your-turn
steps = """
"""
# %% [markdown] tags=hints
# The plan that was shown at the top has such steps, only more of them: `deploy/rollouts/v2.yaml`.
#
# A list has a line for each step, which begins with a dash. A weight is a number; an analysis takes its rules from the plan, so it is `{}` here.
#
# `- setWeight: 100` and, in the next line, `- analysis: {}`
# %% tags=solution
steps = """
- setWeight: 100
- analysis: {}
"""
# %% [markdown]
# With your steps, and all the rest of version 3's plan, the release begins at once. In a terminal: a copy of
# `deploy/rollouts/v3.yaml` with these steps, and `kata release start` it.
# %%
bold = delivery.read("deploy/rollouts/v3.yaml").changed(steps=lab.turn("own-steps", steps))
release = delivery.start(lab.cluster, bold.without(lab.uncounted()))
release.wait()
# %%
all_at_once = int(users.frame()["error"].notna().sum()) - with_analysis
print(f"Step by step: {with_analysis} users met an error. All at once: {all_at_once}.")
# %% [markdown]
# The same analysis, and it decides just as soon. But at 100 % every request goes to version 3 in that time, and then every
# second one: with everyone on version 3 there is nobody to compare it with, so half of them go back first. Without an
# analysis it would go on until somebody looks.
#
# Try the other direction, too: `missed: 0.0001` in a plan's analysis, or `failureCondition: result < 0.95`. Both need
# more requests, and the first step takes longer. That is the trade: **small steps protect users, and take time**.
# %% tags=check
lab.check("caught", lab.sample(requests=150, concurrency=8))
# %% [markdown]
# ## What is promised, and what is not
#
# A plan's promises are about chance, so they can be simulated: thousands of releases by the code that decided yours, at
# four hundred requests a second. In a terminal: `kata release plan deploy/rollouts/v2.yaml --rate 400`, and any other
# rate.
# %%
chances.table(plan, rate=400)
# %% [markdown]
# Look at the canary that fails 5 %: healthy is 1 %, faulty 25 %, and **in between nobody promises anything**. It goes
# through in about one release of four. Then at the one that fails 1 or 5 % *as stable does*: that is what `falseAbort`
# is for, and it is hardly ever sent back. In the last rows the same failures come three or five in a row, all at one
# version. That the promise does not cover: a clump counts as many times as it has requests.
#
# Try fifty requests a second, too. Most releases are held: one in a hundred of fifty is half a request a second, and
# the plan waits thirty seconds. **A plan fits a traffic.**
#
# How often are other rules wrong? The same users, the same five minutes, a thousand releases for each number: the
# examples of two projects' documents, two plain limits, and yours. (Their sources are in `docs/argo-rollouts.md`.)
# %%
other_rules.table(plan)
# %% [markdown]
# The first three columns should be near zero: there the canary is no worse than version 1. The `through` columns should,
# too: there it is worse. A limit has to choose. One that is loose lets bad versions through, one that is strict sends good
# ones back as soon as something fails for all. `hurt` is the price of a version that fails half of its requests.
# %% [markdown]
# ## When a person decides
#
# | you want | command | notebook |
# |---|---|---|
# | to see where it stands | `kata release status` | `release.status()` |
# | to hold the weight | `kata release pause`, `resume` | `release.pause()` |
# | to skip what a step waits for | `kata release promote`, `promote --full` | `release.promote()` |
# | everyone back, now | `kata release abort` | `release.abort()` |
# | to begin an aborted one again | `kata release retry` | `release.retry()` |
# | the version before, after all | `kata release undo` | `release.undo()` |
#
# A step `pause: {}` waits for you. `setHeaderRoute` sends testers with a certain header first, `setMirrorRoute` copies
# of requests whose answers nobody gets, both before any user meets the new version. If somebody else changes the
# weights meanwhile, or the metrics fall silent, the release holds and says so: silence is no success.
# %%
users.stop()
view.close()
# %% [markdown]
# ## Before any user: copies
#
# That mirror, for once by hand. Everyone gets version 2's answers, and version 3, which is well again, a copy of each
# request. But both **write**: into a store that they share, a record for each answer.
# %%
lab.apply("deploy/store/store.yaml")
lab.set_env("name-v2", STORE_URL="http://store:5000/")
lab.set_env("name-v3", STORE_URL="http://store:5000/", ERROR_RATE=None, DELAY=None)
lab.apply("deploy/store/mirror.yaml")
# %% [markdown]
# A hundred users ask once each. How many records does the store get?
# %% tags=predict
lab.predict("records that a hundred requests write, with a mirror", ...)
# %%
before = lab.counters()
copied = lab.sample(requests=100)
counted = lab.counters(since=before)
written = telemetry.by_version(counted, "store")["requests"].sum()
lab.compare("records that a hundred requests write, with a mirror", written)
# %% [markdown]
# Whom did `sentences` ask, and who was asked? The first table is what the caller's sidecar counted, the second what the
# called ones did:
# %%
telemetry.by_version(counted, "name")
# %%
telemetry.by_version(counted, "name", reporter="destination")
# %% [markdown] tags=look-first
# Twice as many: no caller counts copies, and a store does not know that it got one. What is written twice is an order
# twice, a mail twice. A copy tells whether a version starts, answers, fails, is slow, all before any user meets it. It does
# not tell whether the answer was *right*, for nobody reads it, nor what users would have done next.
# %% [markdown]
# ## What both write into
#
# Now a real canary, one request in ten, whose only novelty is the *format* of its records. It reads the old one, too;
# version 2 cannot read the new one. Who fails?
# %%
lab.set_env("name-v3", STORE_FORMAT="2")
lab.apply("deploy/virtual-service-canary-v3.yaml")
# %%
before = lab.counters()
shared = lab.sample(requests=300)
telemetry.by_version(lab.counters(since=before), "name")
# %% [markdown]
# Version **2** fails, about one time in ten, whenever the record before is version 3's; and version 3 never. An analysis
# that compares them finds the canary the better one and lets it through, and a person who sees the errors rolls back to a
# version that cannot read what is there. So formats change in two releases: first one that reads both, everywhere; then
# one that writes the new.
# %%
lab.apply("deploy/virtual-service-canary-promote.yaml")
# %% [markdown]
# The other two that a young version shares with nobody are a **cache** and a full load. At 10 % of four hundred requests a
# second, a cache of a thousand pages has seen 33 % of them after ten seconds, at 100 % it has seen 98 %: a slow canary may
# only be a cold one, so give it a `pause` before the analysis. What a small weight says of capacity, 13 shows.
# %% [markdown]
# ## What you have now
#
# - A release that took version 2 from 1 to 100 % without you, and one that took version 3 back.
# - The number of users that it cost, beside the number for all at once.
# - The reason for each decision, with the requests it rests on.
#
# All that you did can be one page, to keep or to hand in: each check with its figures, what you predicted, the pictures. In
# a terminal `kata report` writes it. And `kata exam` asks what you have learned, on services that you have not seen:
# three tasks, of which the page has the results.
# %% tags=report
lab.report()
# %%
lab.done()
