"""Sheets: a clerk's XLSX or CSV, a row a line of a handoff, becomes EPCIS events, and what is wrong comes back beside its row.

records.md (every other format is translated at the door); docs/sheets.md; docs/decisions/0230.
"""
