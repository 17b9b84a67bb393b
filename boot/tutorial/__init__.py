"""The tutorial: chapters that are text, page and test at once, and the labs. See README.md."""
