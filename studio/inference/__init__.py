"""Running models through llama.cpp in a process of its own, and proving that prompts are the trained ones."""
