"""What is wrong with this data: checks, how they are run over all of it, and what is done about their findings."""
