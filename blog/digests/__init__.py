"""Issues: what is new for whom, composed once, planned once, sent by the delivery room."""
