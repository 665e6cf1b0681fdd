"""The commands of `sudonglian`, one module for each kind of visitor."""
