"""What a person would want to know before publishing: found in the files alone, without any database."""
