"""Any program as a channel, by signed webhooks both ways; and the example of a connector: one module, docs/webhook.md."""
