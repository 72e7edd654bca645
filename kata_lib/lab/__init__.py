"""What a notebook holds: the lab, and the views that are live."""
