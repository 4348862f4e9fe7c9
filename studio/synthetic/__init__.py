"""New prompts made from existing ones: marked as synthetic, reviewed by a person before anything uses them."""
