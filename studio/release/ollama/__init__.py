"""Ollama's side of a bundle: its Modelfile, and its template, derived from the chat template and held against it."""
