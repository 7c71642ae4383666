"""Small finished calls, one in each form, all invented: the same lost card in the files of different recognisers."""

import json
from typing import Any

VCON: dict[str, Any] = {
    "uuid": "0190aaaa-0000-8000-8000-000000000001",
    "created_at": "2026-03-01T10:00:00Z",
    "parties": [
        {"tel": "+15550100", "name": "Mira Holt", "role": "customer"},
        {"name": "Jo Lind", "role": "agent", "mailto": "jo@bank.example"},
    ],
    "dialog": [
        {
            "type": "recording",
            "start": "2026-03-01T09:30:00Z",
            "duration": 20,
            "parties": [0, 1],
            "url": "https://calls.example/1.wav",
            "content_hash": "sha512-x",
            "party_history": [
                {"party": 1, "event": "hold", "time": "2026-03-01T09:30:05Z"},
                {"party": 1, "event": "unhold", "time": "2026-03-01T09:30:09Z"},
                {"party": 0, "event": "keydown", "time": "2026-03-01T09:30:10Z", "button": "7"},
                {"party": 0, "event": "drop", "time": "2026-03-01T09:30:20Z"},
            ],
        }
    ],
    "analysis": [
        {
            "type": "transcript",
            "dialog": 0,
            "vendor": "house",
            "encoding": "json",
            "body": [
                {"speaker": "Agent", "message": "Good morning, how can I help you?", "start": 0.5, "end": 2},
                {"speaker": "Customer", "message": "I lost my card.", "start": 2.4, "end": 4},
            ],
        }
    ],
}
CALL_ANALYTICS: dict[str, Any] = {
    "JobName": "lost-card",
    "LanguageCode": "en-US",
    "ContentMetadata": {"Output": "Redacted"},
    "Participants": [{"ParticipantRole": "AGENT"}, {"ParticipantRole": "CUSTOMER"}],
    "Transcript": [
        {
            "Id": "a",
            "ParticipantRole": "AGENT",
            "BeginOffsetMillis": 500,
            "EndOffsetMillis": 2000,
            "Content": "Good morning, how can I help you?",
            "Sentiment": "NEUTRAL",
            "Items": [
                {"Content": "Good", "Confidence": "0.9", "Type": "pronunciation"},
                {"Content": "morning", "Confidence": "0.7", "Type": "pronunciation"},
            ],
        },
        {
            "Id": "b",
            "ParticipantRole": "CUSTOMER",
            "BeginOffsetMillis": 2400,
            "EndOffsetMillis": 4000,
            "Content": "I lost my card, [PII].",
        },
    ],
}
CONNECT: dict[str, Any] = {
    "ContactId": "contact-7",
    "Segments": [
        {
            "Utterance": {
                "Id": "a",
                "PartialContent": "Good",
                "ParticipantRole": "AGENT",
                "ParticipantId": "p1",
            }
        },
        {
            "Transcript": {
                "Id": "a",
                "ParticipantId": "p1",
                "ParticipantRole": "AGENT",
                "Content": "Good morning.",
                "BeginOffsetMillis": 500,
                "EndOffsetMillis": 2000,
            }
        },
        {"Categories": {"MatchedCategories": []}},
        {
            "Transcript": {
                "Id": "b",
                "ParticipantId": "p2",
                "ParticipantRole": "CUSTOMER",
                "Content": "I lost my card.",
                "BeginOffsetMillis": 2400,
                "EndOffsetMillis": 4000,
            }
        },
    ],
}


def _item(label: str, word: str, start: str, end: str) -> dict[str, Any]:
    alternatives = [{"confidence": "0.8", "content": word}]
    return {
        "type": "pronunciation",
        "speaker_label": label,
        "start_time": start,
        "end_time": end,
        "alternatives": alternatives,
    }


TRANSCRIBE: dict[str, Any] = {
    "jobName": "plain-job",
    "results": {
        "language_code": "en-US",
        "transcripts": [{"transcript": "Hello. Lost it."}],
        "items": [
            _item("spk_0", "Hello", "0.5", "1.0"),
            {"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": "."}]},
            _item("spk_1", "Lost", "1.2", "1.5"),
            _item("spk_1", "it", "1.5", "1.8"),
            {"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": "."}]},
        ],
    },
}
SPEECH: dict[str, Any] = {
    "results": [
        {
            "languageCode": "en-us",
            "alternatives": [
                {
                    "transcript": "Hello lost it",
                    "words": [
                        {"word": "Hello", "endOffset": "0.700s", "speakerLabel": "1", "confidence": 0.9},
                        {"word": "lost", "startOffset": "1.500s", "endOffset": "1.900s", "speakerLabel": "2"},
                        {"word": "it", "startOffset": "1.900s", "endOffset": "2.100s", "speakerLabel": "2"},
                    ],
                }
            ],
        }
    ]
}
INSIGHTS: dict[str, Any] = {
    "entries": [
        {
            "text": "I lost my card.",
            "role": "CUSTOMER",
            "user_id": 1,
            "start_timestamp_usec": 1772357402400000,
        },
        {
            "text": "Good morning.",
            "role": "AUTOMATED_AGENT",
            "user_id": 2,
            "start_timestamp_usec": 1772357400000000,
        },
    ]
}
AZURE: dict[str, Any] = {
    "source": "https://x.example/1.wav",
    "recognizedPhrases": [
        {
            "recognitionStatus": "Success",
            "channel": 0,
            "speaker": 1,
            "offsetInTicks": 5000000.0,
            "durationInTicks": 15000000.0,
            "locale": "en-GB",
            "nBest": [{"confidence": 0.91, "display": "Good morning, how can I help you?"}],
        },
        {
            "recognitionStatus": "Success",
            "channel": 0,
            "speaker": 2,
            "offset": "PT2.4S",
            "duration": "PT1.6S",
            "nBest": [{"confidence": 0.8, "lexical": "i lost my card"}],
        },
        {"recognitionStatus": "InitialSilenceTimeout", "channel": 0},
    ],
}
TWILIO: dict[str, Any] = {
    "sid": "GT123",
    "language_code": "en-US",
    "channel": {"participants": [{"channel_participant": 1, "role": "Agent"}]},
    "sentences": [
        {
            "media_channel": 1,
            "start_time": 0.5,
            "end_time": 2.0,
            "transcript": "Good morning.",
            "confidence": 0.9,
        },
        {
            "media_channel": 2,
            "start_time": 2.4,
            "end_time": 4.0,
            "transcript": "I lost my card.",
            "confidence": None,
        },
    ],
}
DEEPGRAM: dict[str, Any] = {
    "metadata": {"request_id": "req-1"},
    "results": {
        "utterances": [
            {
                "speaker": 0,
                "start": 0.5,
                "end": 2.0,
                "transcript": "Good morning, how can I help?",
                "confidence": 0.9,
            },
            {"speaker": 1, "start": 2.4, "end": 4.0, "transcript": "I lost my card."},
        ],
        "channels": [{"alternatives": [{"transcript": "", "words": []}]}],
    },
}
TURNS: dict[str, Any] = {
    "call_id": "c1",
    "turns": [{"role": "caller", "text": "Hi."}, {"role": "agent", "text": "Good morning."}],
}
WEBVTT = """WEBVTT

NOTE nobody speaks here

1
00:00.500 --> 00:02.000 align:start
<v Agent>Good morning &amp; welcome.

00:00:02.400 --> 00:00:04.000
<v.loud Mira Holt>I <i>lost</i> my card.
"""
SRT = """1
00:00:00,500 --> 00:00:02,000
Agent: Good morning.

2
00:00:02,400 --> 00:00:04,000
Customer: I lost my card.
"""
TEXT = """[00:00:01] Agent: Good morning.
[00:00:03] Customer: I lost my card.
"""
CSV = """speaker,text,start,end
Agent,Good morning.,0.5,2.0
Customer,"I lost my card, sorry.",2.4,4.0
"""
JSON_FORMS: dict[str, dict[str, Any]] = {
    "vcon": VCON,
    "amazon_call_analytics": CALL_ANALYTICS,
    "amazon_connect": CONNECT,
    "amazon_transcribe": TRANSCRIBE,
    "google_speech": SPEECH,
    "google_insights": INSIGHTS,
    "azure_speech": AZURE,
    "twilio": TWILIO,
    "deepgram": DEEPGRAM,
    "turns": TURNS,
}
FILES: dict[str, bytes] = {
    **{form: json.dumps(document).encode() for form, document in JSON_FORMS.items()},
    "webvtt": WEBVTT.encode(),
    "srt": SRT.encode(),
    "text": TEXT.encode(),
    "csv": CSV.encode(),
}
