"""The memory: EPCIS events, identifiers, visibility, intake and the tables."""
