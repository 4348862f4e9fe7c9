"""What a project's assistant is for and what it must refuse: its system prompt, and the tests of it."""
