"""All that knows this workshop: steps, checks, mistakes, predictions, progress, how notebooks are made."""
