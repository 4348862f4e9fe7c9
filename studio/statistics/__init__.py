"""Statistics of labels and evaluations: shares, agreement, stopping, strengths."""
