"""What can go wrong while a run trains, and what is done about it: a module for each kind."""
