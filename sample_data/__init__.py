"""Small projects that ship with the program, each with its README and licence."""
