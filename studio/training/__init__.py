"""Training runs: the recipe, the detached process that trains, and how it is started and watched."""
