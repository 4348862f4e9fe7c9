"""The commands of the command line, a module a family; each is thin over the core."""
