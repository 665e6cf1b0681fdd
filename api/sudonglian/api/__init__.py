"""The doors: settings, command line, worker loop."""
