"""How recorded answers of real ones are made again: a module a set, each a function that takes the lab.

lab.py       where the real ones are: a kubeconfig, istiod's address, programs, Go modules
sets.py      the sets by name
recorded.py  which versions a set was recorded from
"""
