# %% [markdown]
# # 03 · Weight lab: turn it, and see the traffic follow
#
# *About 20 minutes.*
#
# So far you took a sample after each change. Here you turn the weight by hand while requests keep coming, and
# watch. Two questions are behind it: how soon does a new weight show, and how sure can you be that it did?
#
# This notebook begins with both versions and the canary's ten percent.
# %%
from kata_lib import clients, live, open_lab, plots, shares, standards

lab = open_lab(step="weight-lab")
# %% [markdown]
# ## Predict: how long?
#
# In a moment you promote version 2: all requests go to it. No pod is started for that; the sidecar of `sentences`
# only has to learn a number. How many **milliseconds** pass from the API server's *OK* to the first request on
# its new way?
# %% tags=predict
lab.predict("time until everyone gets v2", ...)
# %% [markdown]
# ## The live lab
#
# The next cell returns at once; fifty requests a second go on behind it. What you see:
#
# - one **point a second** for each version: its share among that second's answers, with the 95 % interval of that one
#   look as a band. About one band in twenty misses the true share, so expect a few in each picture. The open mark at
#   the right is the second that still runs;
# - the **dotted line**: the shares that were asked for; the thin dashed one: what v2's pods alone would give it;
# - the **table**: the share since the last change, and how fast each version was. Its range keeps shrinking, and it is
#   one to watch: a 95 % confidence sequence, which over all looks together misses in at most one run of twenty;
# - a **mark** for each change, with the time until it could be seen. Where nothing changed in the mesh, at most one in
#   a thousand appears, however long you watch;
# - below the shares, over the same seconds, what a person on call watches: each version's **errors**, in percent of its
#   own requests, and its **latency**: half of the answers are below the line, nineteen of twenty below the shade's edge.
#
# The slider works with the arrow keys too (<kbd>Page Up</kbd>: ten at once). <kbd>Tab</kbd> leads from the cell to its
# controls, <kbd>Esc</kbd> from them back to the cell. A change that somebody makes elsewhere moves the slider: try
# `kata weights name-v2=30` in a terminal beside it.
# %%
traffic = live.show(lab)
# %% [markdown]
# ## Your turn: promote, and take it back
#
# Press *Promote*, count to five, press *Roll back*, count to five, and press *Promote* again. The solution does the
# last two in code.
# %% tags=your-turn
# your turn, with the buttons
# %% [markdown] tags=hints
# The buttons are in the live lab above, under its slider.
#
# *Promote* sends everyone to v2, *Roll back* nobody.
#
# `traffic.move(100)` does in code what *Promote* does.
# %% tags=solution
traffic.move(0)
traffic.last_change()
traffic.move(100)
# %% [markdown]
# How long was it? This waits until the last change could be seen in the answers, and takes its measured time.
# %%
promoted = lab.turn("promote-live", traffic).last_change()
lab.compare("time until everyone gets v2", promoted.seen_ms)
# %% [markdown]
# Some milliseconds on the embedded cluster, about a tenth of a second on kind, where istiod waits that long for more
# changes; and up to twenty more, because a request starts only every twenty. Between *nobody* and *everybody* one
# answer is proof: before, it was impossible. That is a roll-back, too. It needs no new pod, and nobody waits for one.
#
# ## Predict: 10 or 20?
#
# Now a change that hides. Somebody doubles the canary from 10 % to 20 %. From how many **requests** on can you always
# tell the two apart, wrong less than once in a million?
# %% tags=predict
lab.predict("requests that tell 10 % from 20 %", ...)
# %% [markdown]
# ## Your turn: double the canary
#
# Go up to the live lab. Press *Canary 10 %*, wait until the table's confidence sequence is narrow, then move the slider
# to **20**. Look at the points: could you say from one of them which it is? Now watch the confidence sequence in the
# table. When does it leave 10 % behind?
# %% tags=your-turn
# your turn, with the slider
# %% [markdown] tags=hints
# It is the slider of the live lab above.
#
# Click on its handle; the arrow keys move it by one, <kbd>Page Up</kbd> and <kbd>Page Down</kbd> by ten.
#
# `kata weights name-v2=20` in a terminal, or `traffic.move(20)` here.
# %% tags=solution
traffic.move(10)
traffic.last_change()
traffic.move(20)
# %% [markdown]
# The mark says when the answers were evidence enough that the old share is no longer in force. The number of requests
# that took is partly luck; run the experiment twice, and it differs. Half of the time some 165 are enough
# ([simulated](../docs/evidence.md)).
# %%
lab.turn("double", traffic)
traffic.changes()
# %% [markdown]
# To be sure *always*, whatever luck does, and with one error in a million, takes more. Here it is computed:
# %%
needed = shares.requests_needed(0.2, 0.1)
lab.compare("requests that tell 10 % from 20 %", needed)
# %% [markdown]
# So take that many, at full speed now instead of fifty a second. The check asks whether your sample shows 20 % and
# not 10.
# %%
answers = lab.sample(requests=needed)
# %% tags=check
lab.check("canary-20", answers)
# %% [markdown]
# ## Connections that last
#
# Each of these requests came on a connection of its own. Somebody keeps one open, for hours: do they keep their version, too,
# when the weight changes? Expect everyone on version 1, then on version 2, on connections that stay open all the while:
# %%
lab.set_weights({"name-v2": 0})
with lab.watch(rate=50, connections="keep-alive") as kept:
    lab.sample(requests=100)
    lab.set_weights({"name-v2": 100})
    lab.sample(requests=100)
# %%
plots.timeline(kept.frame(), seconds=0.2)
# %% [markdown]
# Nobody keeps it: the sidecar chooses for each *request*, and the connection goes no farther than to it. What does outlast a
# change is a request that takes long, for it is one request: a download, a stream of gRPC, a WebSocket. Where nobody sees
# requests, as in plain TCP or without a sidecar (01), a connection stays with its pod until one of the two ends. A canary of
# such a service moves only the new ones, and a roll-back does not reach the old.
# %%
lab.set_weights({"name-v2": 20})
# %% [markdown]
# ## Your turn: a control of your own
#
# The lab's slider is one way to turn the weight. `lab.weight` is the weight itself, and anything of
# [ipywidgets](https://ipywidgets.readthedocs.io) can be linked with it: a slider, a field, a dial. Build one in five
# lines, move it, and watch both sliders, the mark and the traffic follow. Of the two that are linked, the first gives
# its value to the second: begin with `(lab.weight, "value")`, or your control's first value goes to the cluster.
# %% tags=your-turn
mine = ...
# %% [markdown] tags=hints
# A slider of whole numbers is an `IntSlider`, a field a `BoundedIntText`; both have a `value`. A screen reader finds a name at the field alone.
#
# `ipywidgets.link((one, "value"), (other, "value"))` links two of them, whoever is moved.
#
# `mine = ipywidgets.IntSlider(max=100)`, then `ipywidgets.link((lab.weight, "value"), (mine, "value"))`, then `mine`.
# %% tags=solution
import ipywidgets

mine = ipywidgets.IntSlider(max=100, description="my v2")
ipywidgets.link((lab.weight, "value"), (mine, "value"))
mine
# %% [markdown]
# What you drag is written where it rests: a drag is one change. And a change that somebody makes elsewhere moves your
# control, too. The next cell moves it and back, without the cluster, to see whether it is linked, and shows it again.
# %%
lab.turn("control", mine)
# %% [markdown]
# ## How sure is sure?
#
# You met three standards of proof. Each is right for its own use, and the surer one costs more requests. The third
# column is what comes of the wrong use: an interval for one look that is watched.
# %%
standards.compare()
# %% [markdown]
# ## Noise and change
#
# | the change | the mark, half of the time | a check, always | so |
# |---|---|---|---|
# | 0 → 100 %, or back | the first answer | the first answer | you see a roll-back work at once |
# | 10 → 33 % | some 40 requests | some 270 | minutes, at three requests a second |
# | 10 → 20 % | some 165 requests | some 1,200 | small steps need much traffic |
#
# A single point that jumps is noise until more points say the same. Whoever turns the weight back at each jump
# steers by dice; whoever waits for the confidence sequence, or for the mark, steers by the canary.
#
# ## The same in plain Python
#
# A program of your own will not have `lab`. It may have Kubernetes' official client, which knows Kubernetes' kinds and
# none of Istio's; its *dynamic* client asks the cluster what a VirtualService is, and takes it as plain data.
# %%
from kubernetes import config, dynamic

api = dynamic.DynamicClient(config.new_client_from_config(str(lab.cluster.kubeconfig)))
rules = api.resources.get(api_version="networking.istio.io/v1", kind="VirtualService")
# %% [markdown]
# Read the rule, and find the weights in it. In a terminal: `kubectl get virtualservice name -o yaml`.
# %%
rule = rules.get(name="name", namespace=lab.cluster.namespace).to_dict()
v1, v2 = rule["spec"]["http"][0]["route"]
v1["weight"], v2["weight"]
# %% [markdown]
# To set them, change what was read and send it back. It still carries the version that was read: had somebody else
# changed the rule meanwhile, the answer would be 409 *Conflict*, and their change would not be lost.
# %%
v1["weight"], v2["weight"] = 90, 10
rules.replace(body=rule, namespace=lab.cluster.namespace)
lab.weights()
# %% [markdown]
# What does that cost? Three clients do one thing here, each as a new process: log in, find the kind, list the rules.
# The workshop's own reads kubeconfigs as the others do and loads no class for any kind, which is all of its secret.
# %%
clients.costs(lab.cluster)
# %% [markdown]
# Last, the minute behind you as a still picture, which stays in this notebook, and the end of the traffic.
# %%
traffic.picture()
# %%
traffic.close()
# %% [markdown]
# ## What you have now
#
# - A weight is in force in a moment, and you measured it. What takes time is *knowing* what it did.
# - Big steps show at once, small ones need requests: four times as many for half the step.
# - The cluster is left at the canary's 10 %, which the next notebook begins with.
# %%
lab.done()
