"""The web channel: the frames that a browser gets (`frames`), which of them a connection sees (`follow`), the widget."""
