"""How each method trains: a module for each kind of rows."""
