"""Runs on other machines and in other tools: written-out recipes, many processes, bundles, results that come back."""
