"""The questions: what was exposed, who, and where it came from (docs/spec/facts.md, docs/spec/trace-document.md)."""
