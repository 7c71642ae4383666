// Every word that the widget says by itself, in each language.
const EN = {
  open: "Open chat", close: "Close chat", title: "Chat", log: "Conversation", input: "Your message",
  placeholder: "Write a message…", send: "Send", you: "You", bot: "Assistant", sources: "Sources",
  helpful: "Helpful", unhelpful: "Not helpful", thanks: "Thanks for telling us.",
  human: "Talk to a person", askHuman: "I would like to talk to a person", newMessages: "New messages",
  typing: "is writing…", offline: "You are offline. Messages are sent as soon as you are back.",
  reconnecting: "Connecting again…", waiting: "Waiting to be sent", failed: "Not sent", tooLong: "Too long by",
  queue: "Looking for a colleague…", joined: "is here for you now", back: "The assistant is back",
  closed: "This conversation is closed. Write again at any time.", unread: "unread", left: "characters left",
  unavailable: "The chat is not available just now.", hint: "Answers come from our help pages. Never share a PIN or a code.",
};
const ZH = {
  open: "打开聊天", close: "关闭聊天", title: "在线客服", log: "对话内容", input: "您的消息",
  placeholder: "请输入消息…", send: "发送", you: "您", bot: "助手", sources: "来源",
  helpful: "有帮助", unhelpful: "没有帮助", thanks: "感谢您的反馈。",
  human: "转人工服务", askHuman: "我想转人工客服", newMessages: "新消息",
  typing: "正在输入…", offline: "网络已断开，恢复后会自动发送。",
  reconnecting: "正在重新连接…", waiting: "等待发送", failed: "未发送", tooLong: "超出字数：",
  queue: "正在为您寻找客服…", joined: "为您服务", back: "助手继续为您服务",
  closed: "本次对话已结束，您可以随时再次留言。", unread: "条未读", left: "字可用",
  unavailable: "暂时无法使用在线客服。", hint: "回答来自帮助文章。请勿透露密码或验证码。",
};
const WORDS = { en: EN, zh: ZH };

export const known = (locale) => (WORDS[locale] ? locale : undefined);

/** The language to speak: the one asked for, else the page's, else the browser's, else the tenant's, else English. */
export function choose(asked, languages) {
  const wanted = [asked, document.documentElement.lang, ...(navigator.languages || [])];
  const short = wanted.map((each) => (each || "").toLowerCase().split("-")[0]);
  return short.find((each) => known(each) && languages.includes(each)) || known(languages[0]) || "en";
}

export const words = (locale) => WORDS[locale] || EN;

export const time = (locale, at) =>
  new Intl.DateTimeFormat(locale === "zh" ? "zh-CN" : "en-GB", { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
