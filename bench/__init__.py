"""Measures the embedded engine and the sampler, each figure beside its goal: `scripts/bench`.

`results` says what a figure is; each other module measures one thing on a running cluster; `__main__` runs
them in turn on a cluster of its own.
"""
