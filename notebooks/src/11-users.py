# %% [markdown]
# # 11 · Users: whom a canary hits
#
# *About 20 minutes.*
#
# So far you counted requests. Your users do not: they ask for many pages, and remember the one that failed. Here the
# traffic has people in it, each with cookies of their own and so many requests, and you find out how many of them meet
# version 2, how often they are sent back and forth, and how to let one user in ten meet it, and stay.
# (In the istio-katas series this goes on where the exercise *Canary deployments* ends.)
# %%
from kata_lib import live, manifests, meeting, open_lab, users

lab = open_lab(step="users")
# %% [markdown]
# ## Predict: twenty requests each
#
# The canary is in force: one request in ten goes to version 2. One hundred users make twenty requests each. What share of the
# **users** has met version 2 then, in percent? How often, on average, is an answer of another version than the user's one before?
# %% tags=predict
lab.predict("users with 20 requests each who meet v2", ...)
lab.predict("times that a user is sent to the other version", ...)
# %% [markdown]
# ## Watch them
#
# Each user keeps cookies, and waits for an answer before the next request. The picture, drawn anew every two seconds, shows
# how many users have met version 2 after so many requests each, beside its share of the requests. The cell after it waits
# until everyone has asked, and shows the answers of ten of them.
# %%
people = live.show_users(lab, users=100, requests=20)
# %%
sample = people.sample()
sample.groupby("user")["version"].value_counts().unstack(fill_value=0).head(10).T
# %%
print(f"v2, of the requests: {lab.share(sample)}")
lab.compare("users with 20 requests each who meet v2", users.met(sample))
# %%
lab.compare("times that a user is sent to the other version", users.flips(sample).mean())
# %% [markdown] tags=look-first
# With the canary at 10 %, the requests say ten percent, and nearly nine users in ten have met version 2: whoever makes twenty
# requests escapes it with probability 0.9²⁰ = 12 %. Each of them goes there and back, 3.4 changes on average: 2 · 0.1 · 0.9
# for each of the 19 pairs of requests. If version 2 looks different, this is what people call flickering.
# %%
people.close()
# %% [markdown]
# ## Predict: consistentHash
#
# *Session affinity*, somebody says: a hash of the cookie chooses, so each user stays. In Istio that is `consistentHash`.
# Applied beside the same weights, 90 and 10: what share of the users meets version 2 within twenty requests, in percent?
# %%
print(manifests.text("deploy/users/consistent-hash.yaml"))
# %% tags=predict
lab.predict("users who meet v2 under consistentHash", ...)
# %%
lab.apply("deploy/users/consistent-hash.yaml")
hashed = lab.sample(users=60, requests=20, concurrency=16)
lab.compare("users who meet v2 under consistentHash", users.met(hashed))
# %% [markdown] tags=look-first
# As many as before. You know from 02 that the sidecar decides in two steps: the *subset* by weight, then a *pod* of it. The
# hash rules the second step only: of version 1's two pods a user always meets the same one, when it is version 1's turn.
# %% [markdown]
# Without weights there is only the second step, over all three pods. Expect nobody to change sides, and about a third of the
# users on version 2; not the share that you would choose, for it is the pods' again:
# %%
lab.apply("deploy/users/no-weights.yaml")
by_pods = lab.sample(users=60, requests=5, concurrency=16)
print(f"changes of version: {users.flips(by_pods).sum()}; users on v2: {users.met(by_pods)}")
lab.apply("deploy/virtual-service-canary.yaml")
# %% [markdown]
# ## Predict: a cookie
#
# Now the route itself remembers. Who has no cookie throws dice, 90 to 10, and the answer sets the cookie `canary`, to `v1` or
# `v2`. Who has it goes where it says. (`sentences` hands cookies on, in both directions: notebook 10 shows what happens to
# a header where a service does not.) What share of the users meets version 2 now, in percent?
# %% tags=predict
lab.predict("users who meet a sticky canary", ...)
# %% [markdown]
# ## Your turn: the sticky canary, with four gaps
# %% tags=your-turn
lab.apply_yaml("""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: name
spec:
  hosts: [name]
  http:
  - match:
    - headers:
        cookie: {regex: ".*canary=v2.*"}
    route:
    - destination: {host: name, subset: ...}
  - match:
    - headers:
        cookie: {regex: ...}
    route:
    - destination: {host: name, subset: name-v1}
  - route:
    - destination: {host: name, subset: name-v1}
      weight: 90
      headers: {response: {add: {set-cookie: ...}}}
    - destination: {host: name, subset: name-v2}
      weight: 10
      headers: {response: {add: {set-cookie: ...}}}
""")
# %% [markdown] tags=hints
# A rule for each value of the cookie, and the last one for those who have none: what they get must set it.
#
# `regex` looks at the whole line of cookies, so what stands around it is `.*`; `set-cookie` takes `name=value`.
#
# `name-v2`, `".*canary=v1.*"`, `canary=v1`, `canary=v2`. The whole file: `kubectl apply -f deploy/users/sticky.yaml`
# %% tags=solution
lab.apply("deploy/users/sticky.yaml")
# %%
lab.turn("sticky")
# %%
sticky = lab.sample(users=200, requests=5, concurrency=16)
lab.compare("users who meet a sticky canary", users.met(sticky))
# %%
meeting.draw(sticky, expected=lab.expected_share().get("v2", 0))
# %% tags=check
lab.check("sticky", sticky)
# %% [markdown] tags=look-first
# The points stay flat: who has not met version 2 with the first request never will, and who has stays with it. Now the
# share of users and the share of requests are the same.
# %% [markdown]
# ## What it costs
#
# The same thousand requests tell less. Dice were thrown two hundred times, not a thousand: the honest interval is the one of
# the users, and a sticky canary needs more of them for the same proof.
# %%
print(f"v2, of the requests: {lab.share(sticky)}")
print(f"v2, of the users:    {users.met(sticky)}")
# %% [markdown]
# A roll-back by weights is none any more: `kata weights name-v1=100 name-v2=0` changes the last rule only, and who has the
# cookie stays on version 2. What a user without a cookie gets, and what one with it:
# %%
lab.set_weights({"name-v2": 0})
print(lab.expected_share(), lab.expected_share({"cookie": "canary=v2"}))
# %% [markdown]
# The first rule must go too. A real cookie gets a `Max-Age`, so that nobody carries a decision of last year around.
# %%
lab.apply("deploy/virtual-service-canary.yaml")
# %% [markdown]
# ## What you have now
#
# - The question behind every share: of requests, or of users?
# - Weights throw dice for each request; a hash chooses pods; a cookie remembers users.
# - A price: what sticks proves less with the same traffic, and is not rolled back by a weight.
# %%
lab.done()
