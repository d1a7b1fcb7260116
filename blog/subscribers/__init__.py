"""The people who asked for mail: sign-up, confirmation, preferences, leaving, and the record of consent."""
