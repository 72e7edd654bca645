"""What the API means: which objects there may be, how a write changes them, who may still hold them.

`registry.Registry` is the door for everyone inside the daemon, HTTP handlers among them; `resources` says
what is served, `status` how a refusal looks, `selectors` how objects are chosen.
"""
