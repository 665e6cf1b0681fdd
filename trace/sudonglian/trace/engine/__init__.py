"""The pure engine: facts from events, the spread of exposure over them, the answer and its walks (tracing.md §1-4)."""
