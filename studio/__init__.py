"""Everything that works without a screen: formats, templates, training, inference."""

__version__ = "0.1.0"
