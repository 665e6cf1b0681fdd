"""The proof: bytes → digest → log → anchor → bundle → verdict."""
