"""Quantise and test: smaller forms of a model by llama.cpp's own quantiser, and what each of them costs."""
