"""The HTTP door: EPCIS 2.0 capture and query, proofs for auditors, traces for epidemiologists."""
