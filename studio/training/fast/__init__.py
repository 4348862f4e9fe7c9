"""What makes training faster than a plain script, without other losses or gradients."""
