"""vCon, the IETF's container of conversations: plain, signed (JWS) and redacted ones; encrypted ones are refused with the reason.

Read as draft-ietf-vcon-vcon-core-04 and the working group's JSON schema have it, with what earlier drafts wrote otherwise. Nothing that a
`url` points at is ever fetched, and no other vCon that this one names (`redacted`, `amended`, `group`) is looked for.
"""
