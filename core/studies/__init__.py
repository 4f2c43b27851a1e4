"""What is made of a reference and its cases."""
