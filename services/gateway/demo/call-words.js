// Every word that the page's scripts say.
const EN = {
  customer: "Customer", human_agent: "Agent", bot: "Assistant",
  notBegun: "Choose a call and press Play. What is said appears here.",
  noHelp: "Help appears here while the customer speaks.",
  listening: "Listening…", noAnswer: "A suggestion appears as soon as the customer asks something.", noneMade: "None was made in time.",
  lastTurn: "The customer's last turn", suggested: "Suggested answer", suggestedElse: "Suggested answer to an earlier turn", nothingFound: "The articles say nothing about this.", sources: "Sources", next: "Next best articles",
  careful: "Risks", noRisks: "None so far", noIntent: "No intent recognised", sure: "sure", copy: "Copy", copied: "Copied", notCopied: "Not copied",
  showHelp: "Help", toLatest: "Back to the latest help",
  hold: "On hold", resumed: "Back from hold", muted: "Muted", unmuted: "No longer muted", incomplete: "The call came to nothing",
  joinedCustomer: "The customer is on the line", joinedAgent: "The agent is on the line", transfer: "Transferred to",
  ended: "The call has ended",
  preparing: "The results are being prepared…", summary: "Summary", topics: "Topics", promises: "Promises and follow-ups", checks: "Compliance", sentiment: "The customer's mood",
  none: "None", due: "by", noDue: "no date", show: "Show", showTurn: "Show where it was said", passed: "said", failed: "not said",
  good: "positive", bad: "negative", neutral: "neutral", mood: (began, ended, whole) => `Began ${began}, ended ${ended}; on the whole ${whole}.`,
  reconnecting: "Connecting again…", gone: "This call is no longer to be had.", refused: "The call could not be started.",
  brokenOff: "The call broke off. Press Restart to play it again.",
  refusals: {
    404: "There is no such example any more: load the page again.",
    429: "Too many calls are playing at once: try again in a few seconds.",
    unreachable: "The server cannot be reached: look at your connection and try again.",
    other: "The server would not take it: try again.",
  },
  quote: (text) => `“${text}”`,
  risks: {
    fraud: "Fraud", dispute: "Dispute", complaint: "Complaint", hardship: "Hardship", self_harm: "Self-harm", legal: "Legal matter",
    human: "Asks for somebody else",
  },
  named: {
    greeting: "Greeting", identification: "Identification", disclosure: "Recording announced", farewell: "Farewell",
    amount: "Amount", currency: "Currency", rate: "Rate", date: "Date", order_number: "Order", reference_number: "Reference", last_digits: "Last digits",
  },
};
const ZH = {
  customer: "客户", human_agent: "坐席", bot: "助手",
  notBegun: "请选择一通电话并点击“播放”，通话内容会显示在这里。",
  noHelp: "客户说话时，协助内容会显示在这里。",
  listening: "正在聆听…", noAnswer: "客户一提问，这里就会给出建议。", noneMade: "未及时生成建议。",
  lastTurn: "客户刚才说", suggested: "建议回答", suggestedElse: "针对先前发言的建议回答", nothingFound: "文章中没有相关内容。", sources: "来源", next: "相关文章",
  careful: "风险提示", noRisks: "暂无", noIntent: "未识别出意图", sure: "把握", copy: "复制", copied: "已复制", notCopied: "未能复制",
  showHelp: "协助", toLatest: "回到最新协助",
  hold: "通话保持中", resumed: "恢复通话", muted: "已静音", unmuted: "取消静音", incomplete: "通话未接通",
  joinedCustomer: "客户已接入", joinedAgent: "坐席已接入", transfer: "已转接给",
  ended: "通话已结束",
  preparing: "正在整理通话结果…", summary: "摘要", topics: "主题", promises: "承诺与跟进", checks: "合规检查", sentiment: "客户情绪",
  none: "无", due: "截止", noDue: "无日期", show: "查看", showTurn: "查看原话", passed: "已说明", failed: "未说明",
  good: "积极", bad: "消极", neutral: "平稳", mood: (began, ended, whole) => `开始时${began}，结束时${ended}；总体${whole}。`,
  reconnecting: "正在重新连接…", gone: "该通话已无法查看。", refused: "通话未能开始。",
  brokenOff: "通话已中断，请点击“重新开始”再次播放。",
  refusals: {
    404: "该示例已不存在，请刷新页面。",
    429: "同时播放的通话过多，请稍后几秒再试。",
    unreachable: "无法连接服务器，请检查网络后重试。",
    other: "服务器未接受请求，请重试。",
  },
  quote: (text) => `“${text}”`,
  risks: {
    fraud: "欺诈风险", dispute: "交易争议", complaint: "投诉", hardship: "经济困难", self_harm: "自伤风险", legal: "法律事务",
    human: "要求换人接听",
  },
  named: {
    greeting: "问候", identification: "身份核实", disclosure: "录音告知", farewell: "道别",
    amount: "金额", currency: "币种", rate: "利率", date: "日期", order_number: "订单号", reference_number: "编号", last_digits: "尾号",
  },
};
const LANGUAGE = document.documentElement.lang;
const CHECKS = JSON.parse(document.querySelector(".desk").dataset.checks);

export const words = { en: EN, zh: ZH }[LANGUAGE] ?? EN;

/** `change_details` as people read it. */
const plain = (id) => `${id}`.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());

export const riskName = (kind) => words.risks[kind] ?? plain(kind);
export const entityName = (kind) => words.named[kind] ?? plain(kind);
/** The tenant's own title, else ours. */
export const checkName = (id) => CHECKS[id] ?? entityName(id);
export const sideName = (side) => words[side] ?? plain(side);
export const intentName = ({ intent, title }) => (typeof title === "object" && title ? title[LANGUAGE] ?? Object.values(title)[0] : title) || plain(intent);
export const day = (date) =>
  new Intl.DateTimeFormat(words === ZH ? "zh" : "en-GB", { weekday: "short", day: "numeric", month: "long", timeZone: "UTC" }).format(new Date(`${date}T00:00:00Z`));
