"""What transformers and PEFT call what a recipe names."""

OPTIMIZERS = {"adamw": "adamw_torch_fused", "adamw_8bit": "adamw_8bit", "paged_adamw_8bit": "paged_adamw_8bit"}

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj"]
"""The linear layers of attention; PEFT takes those that a model has."""
