"""TRL's trainers set up from a recipe."""
