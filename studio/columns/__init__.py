"""What the columns of the records hold: gathered row by row, in a process of its own, and put into words."""
