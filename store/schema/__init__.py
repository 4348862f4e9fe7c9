"""The steps of the schema, one a module; each is run once, in order, and never edited after its release."""
