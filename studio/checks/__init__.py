"""What an answer must be like: checks that a project names once, for learning by trying and for measuring."""
