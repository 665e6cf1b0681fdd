"""Numbers that are no GS1 keys and carry check characters: containers, companies, units of measure.

The normal form of identifiers stands one floor below, in `sudonglian.chain.identifiers` (docs/decisions/0002).
"""
