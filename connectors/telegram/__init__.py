"""Telegram: one bot a tenant, by long polling. `connector` is what the platform asks; `docs/telegram.md` is for operators."""
