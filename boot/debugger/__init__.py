"""The debugger of `./umbra debug`: commands over the memory and registers of a stopped machine (../README.md)."""
