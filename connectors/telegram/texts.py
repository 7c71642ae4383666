"""What the bot says by itself: to commands, to what it cannot read, and on its buttons. In the languages that Parley ships."""

import re
from typing import Literal

Text = Literal[
    "help",
    "text_only",
    "file_too_large",
    "file_refused",
    "file_not_fetched",
    "file_too_many",
    "too_long",
    "too_many",
    "private_only",
    "choose_language",
    "language_chosen",
    "delete_ask",
    "delete_yes",
    "delete_no",
    "deleted",
    "delete_anew",
    "kept",
    "nothing_to_delete",
    "thanks",
    "button_void",
    "want_human",
    "up",
    "down",
]

TEXTS: dict[Text, dict[str, str]] = {
    "help": {
        "en": "Write your question, and I look it up for you.\n\n/human – talk to a person\n/language – English or Chinese\n/delete – erase everything that is kept about you",
        "zh": "直接写下您的问题，我来为您查找答案。\n\n/human – 转人工客服\n/language – 中文或英文\n/delete – 删除关于您的全部记录",
    },
    "text_only": {
        "en": "I cannot read this kind of message. Please write what you need.",
        "zh": "我无法读取这类消息，请用文字告诉我您的需要。",
    },
    "file_too_large": {
        "en": "Your file is too large for me: I can take up to {limit} MB. It was not kept.",
        "zh": "您的文件过大，最多可接收 {limit} MB。该文件未被保存。",
    },
    "file_refused": {
        "en": "I cannot take this kind of file, and it was not kept. I can take pictures, voice messages, audio, videos, PDF, and Word, Excel and PowerPoint files without macros.",
        "zh": "我无法接收这类文件，该文件未被保存。可以接收：图片、语音、音频、视频、PDF，以及不含宏的 Word、Excel 和 PowerPoint 文件。",
    },
    "file_not_fetched": {
        "en": "Your file did not reach me. Please send it again.",
        "zh": "我没有收到您的文件，请重新发送。",
    },
    "file_too_many": {
        "en": "Those are more files than I can take just now, and this one was not kept. Please send it again in an hour.",
        "zh": "文件太多，暂时无法接收，该文件未被保存。请一小时后再发送。",
    },
    "too_long": {
        "en": "That is longer than I can take at once (8,000 characters). Please write it in shorter messages.",
        "zh": "内容太长了（最多 8000 字），请分成几条较短的消息发送。",
    },
    "too_many": {
        "en": "You are writing faster than I can read. I have all of it and go through it in order; you need not send anything again.",
        "zh": "您发送消息过快。我会按顺序逐条阅读，无需重新发送。",
    },
    "private_only": {
        "en": "I answer in private chats only: please write to me directly.",
        "zh": "我只在私聊中回答，请直接给我发消息。",
    },
    "choose_language": {"en": "Which language shall we use?", "zh": "请选择语言："},
    "language_chosen": {"en": "We go on in English.", "zh": "好的，我们用中文继续。"},
    "delete_ask": {
        "en": "Shall I erase this conversation and everything that is kept about you here? This cannot be undone.",
        "zh": "确定要删除本对话以及此处保存的关于您的全部记录吗？此操作无法撤销。",
    },
    "delete_yes": {"en": "Erase everything", "zh": "全部删除"},
    "delete_no": {"en": "Keep it", "zh": "保留"},
    "deleted": {
        "en": "Everything that was kept about you here is being erased. If you write again, we begin anew.",
        "zh": "此处关于您的全部记录正在删除。如果您再次发消息，我们将重新开始。",
    },
    "delete_anew": {
        "en": "That button asked about an earlier conversation, which is erased. To erase this one, send /delete.",
        "zh": "该按钮针对的是之前的对话，那次对话已被删除。如需删除当前对话，请发送 /delete。",
    },
    "kept": {"en": "Nothing was erased.", "zh": "没有删除任何内容。"},
    "nothing_to_delete": {"en": "There is nothing kept about you here.", "zh": "此处没有保存关于您的记录。"},
    "thanks": {"en": "Thank you!", "zh": "谢谢您的反馈！"},
    "button_void": {"en": "This button is no longer valid.", "zh": "此按钮已失效。"},
    "want_human": {"en": "I want to talk to a human.", "zh": "我要转人工客服。"},
    "up": {"en": "👍 Helpful", "zh": "👍 有帮助"},
    "down": {"en": "👎 Not helpful", "zh": "👎 没有帮助"},
}
COMMANDS: dict[str, dict[str, str]] = {
    "help": {"en": "what I can do", "zh": "我能做什么"},
    "human": {"en": "talk to a person", "zh": "转人工客服"},
    "language": {"en": "English or Chinese", "zh": "选择语言"},
    "delete": {"en": "erase what is kept about me", "zh": "删除关于我的记录"},
}
LANGUAGES = {"en": "English", "zh": "中文"}
_NAMED = {
    "english": "en",
    "英语": "en",
    "英文": "en",
    "chinese": "zh",
    "中文": "zh",
    "汉语": "zh",
    "简体中文": "zh",
}


def language_of(asked: str) -> str:
    """The code of the language that somebody names, or a tag of it in any case (`ZH`, `zh-Hant`, `zh_TW`); else what they wrote."""
    words = asked.strip().casefold()
    return _NAMED.get(words) or re.split(r"[-_]", words, maxsplit=1)[0]


def say(text: Text, language: str | None) -> str:
    """In this language, or else in English."""
    found = TEXTS[text]
    return found.get((language or "en").partition("-")[0], found["en"])
