"""What runs tell: while they go on, beside each other, and who came from whom."""
