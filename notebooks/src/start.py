# %% [markdown]
# # Canary releases: start here
#
# Version 2 of a service is ready. Who should meet it first, how do you see what it does to them, and how fast can you
# take it back? You will do it with Kubernetes, Istio and real Envoy proxies, all on this machine.
#
# **What you will be able to do**
#
# - send a share of the requests that *you* chose to a new version, with two of Istio's resources, and take it back;
# - say how many requests it takes before a number means anything;
# - read from the mesh itself which version answered, how fast, and who got an error;
# - write a plan by which a release goes on or back by itself, and say what the plan promises.
#
# ![The live lab: the weight goes from 10 to 50 percent and back, and each second's share of both versions, with its
# interval, follows; each change is marked with the time until it could be seen. Below it, over the same seconds, each
# version's errors and latency](../docs/live-lab.png)
#
# *From notebook 03: you turn the weight, and the traffic of real proxies follows.*
#
# ## Your way
#
# Each tick is a check that you passed. Later notebooks can be opened at once, too: each sets up what it begins with.
# (The table is drawn when this page opens. Is it missing? Click into the cell and press
# <kbd>Shift</kbd>+<kbd>Enter</kbd>.)
# %% tags=map
from kata_lib import overview

overview.notebook_map()
# %% [markdown]
# ## What you need to know: three questions
#
# Answer each for yourself, then unfold it.
#
# <details><summary><b>1. Kubernetes.</b> A Deployment asks for two pods, and you delete one. What is there a minute
# later, and how do callers find it?</summary>
#
# Two pods again, one of them new, with another name and another address. Callers ask the *Service*, whose name and
# address stay. You knew it: fine. You did not: read on, 00 and 01 show it, and `kubectl get pods` will be a friend.
# Never heard of pods at all? Take an hour for a first Kubernetes tutorial before you come back.
#
# </details>
#
# <details><summary><b>2. YAML and a terminal.</b> What would you change in <code>replicas: 2</code> to get four pods,
# and which command brings the file to the cluster?</summary>
#
# `replicas: 4`, then `kubectl apply -f FILE`. More is not asked at first: in 02 the file is given, in 05 it has gaps,
# in 06 you write one. Python you need hardly any: a call such as `lab.sample(requests=20)` with a number changed.
#
# </details>
#
# <details><summary><b>3. Chance.</b> You throw a fair coin ten times. How often do you see exactly five heads: always,
# most of the time, or less than half of the time?</summary>
#
# In one run of four (24.6 %). If that surprises you, you are in the right place: with ten requests a canary looks just
# as capricious, and 02 is about that. No formula is needed.
#
# </details>
#
# In a class, or to see what you learn: [eight questions](quiz.ipynb), now and again after 05.
#
# ## How a notebook works
#
# - **Run a cell** with <kbd>Shift</kbd>+<kbd>Enter</kbd>, from the top, one after the other. Its answer appears below it.
#   `[*]` beside a cell means that it runs, a number that it is done.
# - **Predict** before you look: put your number in place of the dots in `lab.predict("...", ...)`. `33`, `33 %` and `1/3`
#   are all understood. Wrong ones are welcome: they teach most. You may also go on without. Text that would tell the answer
#   is folded away below it.
# - **Your turn** is a cell for you to fill. What you do in the terminal counts as much. Below it are three hints, each
#   says more than the one before, and the solution: unfold what you need.
# - **Check** looks at the cluster and at your numbers. It says right, wrong with the line that mends it, or not enough yet.
# - **Lost the thread?** *Kernel › Restart Kernel* and run the notebook from its top: what is in the cluster stays.
#
# ## Where the terminal is
#
# It is beside this page. Closed it? *File › New › Terminal*. `kubectl` and `kata` know your cluster there. Three commands
# to begin with:
#
# - `kata status`: what runs in your cluster;
# - `kubectl get pods`: your pods, as on any cluster;
# - `scripts/loop-query.sh`: one answer after the other, until <kbd>Ctrl</kbd>+<kbd>C</kbd>.
#
# The cluster goes on when you close the browser. `kata down` in a terminal removes it.
