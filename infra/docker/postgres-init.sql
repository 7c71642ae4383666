-- The customers' keys live in a database of their own: its backups expire within the erasure term, the other's do not.
CREATE DATABASE parley_keys;
