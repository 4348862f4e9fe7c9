"""The course of a run in its own process, from its folder to what it leaves."""
