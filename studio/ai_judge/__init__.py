"""A model as second reader of pairs: never shown before the person's verdict, never written as one."""
