"""Plain contact tables, who met whom when, as arrays: what one seed reaches, and a summary over all roots."""
