"""The EPCIS query language: parameters by name, the conditions they set, and the search (EPCIS 2.0 §8.2.7.1)."""
