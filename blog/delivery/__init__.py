"""Addresses and messages, not people: the ledger of deliveries, the sender, single mails, suppression."""
