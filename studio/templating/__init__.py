"""Templates of a project: their versions, ready-made ones, the preview, and applying them to what is there."""
