"""The vendor API over HTTP: reads requests into commands, renders decisions into replies."""
