"""Where customers write from: one package a channel, each a pure translation between the channel and our events."""
