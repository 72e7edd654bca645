"""An exam: what was learned, on services that nobody has seen before, drawn with a seed.

`tasks` draws them (`scenario` has the services, `faults` what is wrong), `sitting` gives one after the other
in a namespace of its own, `judging` looks at what is in force and what requests meet. Nothing says how it is
done.
"""
