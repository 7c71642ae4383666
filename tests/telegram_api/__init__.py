"""Telegram's Bot API as a process of its own, for tests; written from its public description, API 10.3.

`python -m tests.telegram_api --port 0` serves bots at one port and tests at another, /control/…:

    state.py       bots, chats, users, messages, files: what there is; pure
    updates.py     a bot's updates until they are confirmed; pure
    formatting.py  HTML and UTF-16 as Telegram counts it; pure
    markup.py      keyboards and replies; pure
    people.py      what users do: say, edit, press, block; pure
    faults.py      what goes wrong when; pure
    params.py      a call's parameters from every form that they come in
    messages.py, receiving.py, methods.py   the API's methods
    webhooks.py    updates posted to a bot's own address
    api.py         the bots' HTTP side
    control.py, doors.py   the tests' HTTP side
    listening.py   a port that can be shut

Left out on purpose: Markdown (400 "unsupported parse_mode"), entities that Telegram finds by itself in a
bot's text (links, mentions), channels, inline mode, payments, and uploads by bots.
"""
