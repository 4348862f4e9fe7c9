"""The process that runs llama.cpp; nothing outside it imports llama_cpp."""
