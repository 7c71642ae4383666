"""What tests share: a small tenant, events, and stories told to a decider. Fakes only for what is outside this machine."""
