"""Chats with up to four models: what was asked and answered, judged, learnt from, kept and found again."""
