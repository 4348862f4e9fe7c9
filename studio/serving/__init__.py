"""A model over HTTP, as the `openai` client asks it: llama-cpp-python's server with this project's rendering."""
