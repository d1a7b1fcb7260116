"""`blog doctor`: looks at the machine, the relay, the domain and the live site, and says how to mend each."""
