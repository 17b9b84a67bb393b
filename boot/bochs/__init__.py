"""The Bochs side: its debugger as an instrument that reads the running machine's page tables."""
