"""One SQLite file that holds everything the user made; knows nothing of models or terminals."""
