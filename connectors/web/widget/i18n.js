// Every word that the widget itself says.
const EN = {
  open: "Open chat", close: "Close chat", title: "Chat", log: "Conversation", input: "Your message",
  placeholder: "Write a message…", send: "Send", bot: "Assistant", sources: "Sources",
  helpful: "Helpful", unhelpful: "Not helpful", thanks: "Thanks for telling us.",
  human: "Talk to a person", askHuman: "I would like to talk to a person", newMessages: "New messages",
  offline: "You are offline. Messages are sent as soon as you are back.",
  reconnecting: "Connecting again…", waiting: "Waiting to be sent", failed: "Not sent", tooLong: "Too long by",
  queue: "Looking for a colleague…", joined: "is here for you now", back: "The assistant is back",
  closed: "This conversation is closed. Write again at any time.", unread: "unread", left: "characters left",
  slow: "Your message has arrived. The answer takes longer than usual…",
  edited: "edited",
  unavailable: "The chat is not available just now.", hint: "Answers from our help pages. Never share a PIN or code.",
};
const ZH = {
  open: "打开聊天", close: "关闭聊天", title: "在线客服", log: "对话内容", input: "您的消息",
  placeholder: "请输入消息…", send: "发送", bot: "助手", sources: "来源",
  helpful: "有帮助", unhelpful: "没有帮助", thanks: "感谢您的反馈。",
  human: "转人工服务", askHuman: "我想转人工客服", newMessages: "新消息",
  offline: "网络已断开，恢复后会自动发送。",
  reconnecting: "正在重新连接…", waiting: "等待发送", failed: "未发送", tooLong: "超出字数：",
  queue: "正在为您寻找客服…", joined: "为您服务", back: "助手继续为您服务",
  closed: "本次对话已结束，您可以随时再次留言。", unread: "条未读", left: "字可用",
  slow: "消息已收到，回复所需时间比平时稍长…",
  edited: "已编辑",
  unavailable: "暂时无法使用在线客服。", hint: "回答来自帮助文章。请勿透露密码或验证码。",
};
const WORDS = { en: EN, zh: ZH };

/** `zh` of `zh-CN`, if the widget speaks it. */
export function known(tag) {
  const language = `${tag ?? ""}`.toLowerCase().split(/[-_]/)[0];
  return WORDS[language] && language;
}

/** The language asked for, else the page's, the browser's, the tenant's, English. */
export const choose = (asked, languages) =>
  [asked, document.documentElement.lang, ...(navigator.languages ?? [])].map(known).find((each) => languages.includes(each)) ??
  known(languages[0]) ?? "en";

export const words = (locale) => WORDS[locale] ?? EN;

const format = (locale, at, options) => new Intl.DateTimeFormat(locale === "en" ? "en-GB" : locale, options).format(new Date(at));
export const time = (locale, at) => format(locale, at, { hour: "2-digit", minute: "2-digit" });
export const date = (locale, at) => {
  const year = new Date(at).getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return format(locale, at, { weekday: "long", day: "numeric", month: "long", year });
};
