"""How the embedded model is made, end to end, and how it is judged."""
