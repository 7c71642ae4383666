"""What every connector of a messaging channel is made of: the door in (`inbox`), the way out (`outbox`), and what a channel has to
bring (`channel`). `connectors/README.md` tells how to add one.
"""
