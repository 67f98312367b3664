"""What reading the topics to their end will take, before anything is spent."""
