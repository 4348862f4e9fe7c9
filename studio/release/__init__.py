"""What was trained, for others to use: the model in the forms that programs take, and what to know of it."""
