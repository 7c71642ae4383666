"""The loops that drive deciders and effectors, and what they share. No rule of the business, no technology."""
