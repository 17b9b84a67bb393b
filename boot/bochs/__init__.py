"""Bochs and its debugger, used as an instrument that reads the page tables of the machine."""
