"""Golden records: every number of one engine as plain JSON, so that a rebuilt engine can be compared with it.

`python -m benchmarks.golden` records an old commit and the present code on one machine in one go and compares the two.
"""
