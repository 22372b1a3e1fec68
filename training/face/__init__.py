"""How the embedded face detector was made, from pictures to weights and table: training/face/README.md."""
