"""EPCIS 2.0 at the door: documents, plain events, findings."""
