"""Development servers: what makes the environment, and what brings up real Kafka and PostgreSQL on this machine.

`bootstrap` and `installing` run before the environment exists; everything else is `python -m infra.dev` and the classes that
the tests use (`KafkaServer`, `PostgresServer`). The platform itself imports nothing from here.
"""
