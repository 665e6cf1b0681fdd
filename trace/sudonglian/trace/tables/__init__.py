"""Tables that epidemiologists have: files in, columns for the engine out. No store is needed."""
