"""What is seen while Raijin works: events, and the mask that keeps secrets out of them."""
