"""Where it could have come from: stations that deliver to each other, and the score of each as a source."""
