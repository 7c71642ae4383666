"""In which of its tenant's languages a finished call is: as it was told, or by the script of its turns."""

import json

import pytest

from connectors.calls.formats import read
from connectors.calls.languages import language_for
from connectors.calls.transcript import Transcript
from schemas.tenant import primary_language
from tests.support import call_files
from tests.support.small_tenant import CONFIG

CHINESE = "客服：您好，请问有什么可以帮您？\n客户：我的visa卡丢了。\n客服：好的，我帮您挂失。\n"
ENGLISH = "Agent: Hello, how can I help?\nCustomer: 你好, my card is gone.\nAgent: I will block it.\n"


def one(text: str) -> Transcript:
    (call,) = read(text.encode())
    return call


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_chinese_call_that_does_not_say_so_is_told_by_its_script(encoding: str) -> None:
    (call,) = read(CHINESE.encode(encoding))
    assert call.language is None
    assert language_for(call, CONFIG) == "zh"


def test_captions_and_tables_are_told_alike() -> None:
    for text in (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v 客服>您好\n\n00:03.000 --> 00:04.000\n<v 客户>卡丢了\n",
        "1\n00:00:01,000 --> 00:00:02,000\n客服：您好\n\n2\n00:00:03,000 --> 00:00:04,000\n客户：卡丢了\n",
        "角色,内容\n客服,您好\n客户,卡丢了\n",
    ):
        assert language_for(one(text), CONFIG) == "zh"


def test_most_turns_decide_and_not_the_number_of_characters() -> None:
    assert language_for(one(ENGLISH), CONFIG) == "en"
    long = "客户：" + "我的卡丢了，" * 200
    assert language_for(one(ENGLISH * 3 + long), CONFIG) == "en"


def test_where_no_script_tells_the_tenants_default_is_used() -> None:
    assert language_for(one("Agent: 1\nCustomer: 2\n"), CONFIG) is None


def test_a_tenant_that_speaks_one_language_alone_has_that() -> None:
    english = CONFIG.model_copy(update={"languages": ("en",)})
    assert language_for(one(CHINESE), english) == "en"
    regional = CONFIG.model_copy(update={"languages": ("en", "zh-Hans")})
    assert language_for(one(CHINESE), regional) == "zh-Hans"


def test_what_is_told_goes_before_the_script() -> None:
    assert language_for(one(CHINESE), CONFIG, "en-US") == "en"
    assert language_for(one(CHINESE), CONFIG, "de") is None


@pytest.mark.parametrize("code", ["cmn-Hans-CN", "yue-Hant-HK", "cmn", "zho", "zh_CN", "ZH-tw", "wuu"])
def test_the_many_names_of_chinese_are_the_tenants_chinese(code: str) -> None:
    document = json.loads(json.dumps(call_files.SPEECH))
    document["results"][0]["languageCode"] = code
    assert language_for(one(json.dumps(document)), CONFIG) == "zh"


@pytest.mark.parametrize("code", ["und", "mul", "zxx"])
def test_a_code_of_no_language_tells_none(code: str) -> None:
    (call,) = read(
        json.dumps({"language": code, "turns": [{"role": "caller", "text": "我的卡丢了"}]}).encode()
    )
    assert language_for(call, CONFIG) == "zh"


def test_codes_of_three_letters() -> None:
    assert [primary_language(each) for each in ("eng", "deu-AT", "ger", "zh-Hant", "gsw")] == [
        *("en", "de", "de", "zh", "gsw")
    ]
    assert CONFIG.spoken("eng-Latn-GB") == "en"
