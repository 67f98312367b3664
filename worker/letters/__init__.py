"""What became of each dead letter, as the state topic has it."""
