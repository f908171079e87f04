"""Figures of a report as a note prints them: PDF and PNG, drawn by matplotlib in the style of high-energy physics."""
