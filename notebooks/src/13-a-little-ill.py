# %% [markdown]
# # 13 · A little ill: what a canary does not show
#
# *About 30 minutes.*
#
# A version that fails half of its requests is caught by anything. Here are four that are only a little ill: each fails for
# real, you release it to four hundred users a second, and then write a plan that sees them all, and say what that costs a
# version that is well. (In the istio-katas series this goes on where the exercise *Canary deployments* ends.)
# %%
from kata_lib import delivery, endings, live, open_lab, plots, users
from kata_lib.delivery import prices, trials

lab = open_lab(step="a-little-ill")
# %% [markdown]
# ## It fails one request in twenty
#
# You make version 3 such by its environment; `deploy/app/sentences.py` says what else it knows to do wrong. The plan is that of 06
# in a hurry: 10, 50, 100 %, limits 1 and 25 %. (In a terminal: `kubectl set env deployment name-v3 ERROR_RATE=0.05 DELAY-`, then
# `kata release start deploy/rollouts/v3-hurried.yaml`.) Predict: of a hundred such releases, how many go **through**, to everyone?
# %%
lab.set_env("name-v3", ERROR_RATE="0.05", DELAY=None)
hurried = delivery.read("deploy/rollouts/v3-hurried.yaml").without(lab.uncounted())
# %% tags=predict
lab.predict("releases that let a version through that fails 5 %", ...)
# %% [markdown]
# Three real ones, one after the other; take more, if you have the time. Expect not all to end alike.
# %%
with lab.watch(rate=400) as crowd:
    releases = trials.run(lab.cluster, hurried, 3, crowd)
releases
# %% [markdown]
# Three say little. So the class puts its own together: each saves a file, one person copies all into a folder, `trials.pool(FOLDER)`
# reads them. Bars: what was pooled, real, so far yours alone. Dotted: two thousand **simulated** releases, by the code that decided yours.
# %%
trials.save(releases)
pooled = trials.pool()
endings.draw(pooled, hurried, prices.of(hurried, "fails 5 %"))
# %%
lab.compare("releases that let a version through that fails 5 %", trials.through(pooled))
# %% [markdown] tags=look-first
# In the simulation 51 % go through, to within 2.2 percentage points. The plan asks for 17 requests that look well, and
# at 5 % none of 17 fails in 42 % of the cases. It never promised more: between 1 and 25 % nobody knows.
# %% [markdown]
# ## It fails for some users
#
# With everyone on version 3 for a moment: of a hundred users who make ten requests each, how many meet an error?
# %% tags=predict
lab.predict("users who meet an error, where 5 % of the answers fail", ...)
# %%
lab.set_weights({"name-v1": 0, "name-v3": 100})
by_chance = lab.sample(users=100, requests=10, concurrency=16)
lab.compare("users who meet an error, where 5 % of the answers fail", users.failed(by_chance))
# %% [markdown]
# Next, five percent of the *users* in place of the answers: these get nothing else. Expect as many failed requests, nearly:
# %%
lab.set_env("name-v3", ERROR_RATE_OF="users")
for_some = lab.sample(users=100, requests=10, concurrency=16)
lab.set_weights({"name-v1": 0, "name-v3": 0})
users.failures({"of the answers": by_chance, "of the users": for_some})
# %% [markdown]
# A sidecar's counters know no users, so an analysis of requests cannot tell the two apart. What can: a metric by user, or
# by whatever the failing ones have in common. Where it is one user in a hundred, it is one request in a hundred: "healthy".
#
# ## It turns bad after an hour
#
# A token expires, a cache fills up. Here an **hour is six seconds**: from the sixth second after its first request on,
# version 3 fails every second one. The hurried plan takes three or four.
# %%
lab.set_env("name-v3", ERROR_RATE="0.5", ERROR_RATE_OF=None, ERRORS_AFTER="6")
with lab.watch(rate=400) as crowd:
    release = trials.watched(lab.cluster, hurried, seconds=8)
# %%
plots.timeline(crowd.frame(), "v3", changes=release.moments())
# %% [markdown]
# The release says *Healthy* (unless a busy machine was late), then the crosses begin, for everyone. Only time shows that.
#
# ## It is slow under load
#
# Now each answer makes the others wait for 10 ms: all is well, up to some hundred requests a second. At which weight does the
# hurried plan stop it, in percent of four hundred a second?
# %% tags=predict
lab.predict("weight at which a version is stopped that is slow under load", ...)
# %%
lab.set_env("name-v3", ERROR_RATE=None, ERRORS_AFTER=None, ONE_AT_A_TIME="0.01")
with lab.watch(rate=400):
    release = trials.watched(lab.cluster, hurried)
lab.compare("weight at which a version is stopped that is slow under load", release.reached())
# %% [markdown] tags=look-first
# At 10 % it gets 40 requests a second, and hardly one waits; at 50 % it gets 200, and they queue. A small weight says nothing of
# **capacity**: a plan that goes from 10 to 100 at once meets it with everyone. And who scales version 2 down at 50 % has no way back.
# %% [markdown]
# ## Your turn: a plan that sees them
#
# Fill the gaps, so that of the versions that fail 5 %, and of those that turn bad after six seconds, at most one in a hundred
# goes through, and of healthy ones 95 at least. What is not written here is as in the hurried plan.
# %% tags=your-turn
plan = """
steps:
- setWeight: 10
- pause: {duration: ...}
- analysis: {}
- setWeight: 50
- analysis: {}
analysis:
  interval: 250ms
  inconclusiveLimit: 160
  metrics:
  - {name: success-rate, successCondition: result >= 0.99, failureCondition: result < ...}
  - {name: latency, within: 250ms, successCondition: result >= 0.95, failureCondition: result < 0.70}
"""
# %% [markdown] tags=hints
# Two of the four are let through now, each for a reason of its own: one limit, and one time.
#
# The limit says from how many failures on a version is *faulty*; 25 % is `result < 0.75`. The pause must outlast the hour.
#
# `8s` and `0.95`. The whole file: `deploy/rollouts/v3-careful.yaml`
# %% tags=solution
plan = delivery.read("deploy/rollouts/v3-careful.yaml")
# %%
own = lab.turn("own-plan", plan).without(lab.uncounted())
# %% [markdown]
# Now the price. A healthy version took the hurried plan four seconds. How many does it take by yours?
# %% tags=predict
lab.predict("seconds that a healthy version takes by your plan", ...)
# %%
took = prices.of(own, "healthy, fails 0.1 %").seconds
lab.compare("seconds that a healthy version takes by your plan", took)
# %% [markdown]
# All of it in one table, two thousand simulated releases in each cell: what goes through, how many of the canary's requests
# go wrong, how long it takes. The third plan is yours with 0.1 % for healthy and 1 % for faulty:
# %%
prices.table({"hurried": hurried, "yours": own, "strictest": prices.strictest(own)})
# %% [markdown]
# Look along the first row: who wants to see one request in a hundred waits for 509 that are well at each weight, half a minute
# in place of four seconds. In a real hour, read minutes for seconds: **evidence is paid in requests, patience in time**.
#
# And does yours catch the one that fails 5 %, for real? The view is live, and its buttons are yours; leave them alone.
# %%
lab.set_env("name-v3", ERROR_RATE="0.05", ONE_AT_A_TIME=None)
crowd = lab.watch(rate=400)
release = delivery.start(lab.cluster, own)
view = live.show_release(lab, release)
# %%
release.wait()
crowd.stop()
# %% tags=check
lab.check("a-little-ill", lab.sample(requests=150, concurrency=8))
# %% [markdown]
# ## What you have now
#
# - Four versions that are a little ill, and for each what sees it: more requests, users, time, load.
# - A plan of your own, with its price for those that are well, in requests and in seconds.
# - A histogram that only a class can fill. (What else misleads a canary: shared data, 06, and lasting connections, 03.)
# %%
lab.done()
