"""What Wobble teaches: lessons, the article's claims, and the votes of a room. Every sentence with a number was measured live."""
