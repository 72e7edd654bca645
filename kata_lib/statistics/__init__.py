"""What a count proves: shares and their intervals, and tests that may be asked again and again."""
