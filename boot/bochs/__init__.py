"""The Bochs side: its debugger as an instrument that reads the page tables of the running machine."""
