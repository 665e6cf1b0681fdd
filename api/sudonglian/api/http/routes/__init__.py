"""The routes, a module for each of the things they are about; each is a signature and few calls."""
