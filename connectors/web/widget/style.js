// The widget's look, in a constructed style sheet: no inline style, so that a strict content security policy holds.
export const CSS = `
:host{all:initial;--a:#0b5d57;--on:#fff;--bg:#fff;--soft:#f2f5f4;--ink:#16211f;--dim:#5a6765;--line:#dbe2e0;--mine:#0b5d57;--head:#0b5d57;--bad:#a4262c;
position:fixed;inset:auto 0 0 auto;z-index:2147483000;font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:var(--ink)}
:host([data-theme=dark]){--a:#5fd0c0;--on:#06211d;--bg:#141a19;--soft:#1f2726;--ink:#e9efed;--dim:#a3b1ae;--line:#33403d;--mine:#1d5a52;--head:#174a43;--bad:#ff9b9b;color-scheme:dark}
*{box-sizing:border-box}button{font:inherit;color:inherit;cursor:pointer}
:focus-visible{outline:3px solid var(--a);outline-offset:2px}
.launch{position:fixed;right:max(20px,env(safe-area-inset-right));bottom:max(20px,env(safe-area-inset-bottom));width:60px;height:60px;border:0;border-radius:50%;background:var(--a);color:var(--on);box-shadow:0 6px 24px #0004;display:grid;place-items:center;transition:transform .15s}
.launch:hover{transform:scale(1.05)}svg{width:18px;height:18px;vertical-align:-3px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}.launch svg{width:28px;height:28px}
.badge{position:absolute;top:-2px;right:-2px;min-width:22px;height:22px;border-radius:11px;background:#b3261e;color:#fff;font-size:13px;line-height:22px;text-align:center;padding:0 6px}
.panel{position:fixed;right:max(20px,env(safe-area-inset-right));bottom:calc(max(20px,env(safe-area-inset-bottom)) + 74px);width:400px;height:min(660px,calc(100dvh - 120px));background:var(--bg);border:1px solid var(--line);border-radius:18px;box-shadow:0 18px 60px #0003;display:flex;flex-direction:column;overflow:hidden;animation:in .18s ease-out}
@keyframes in{from{opacity:0;transform:translateY(12px)}}
[hidden]{display:none!important}
header{display:flex;align-items:center;gap:12px;padding:14px 16px;background:var(--head);color:#fff}
header .mark{width:38px;height:38px;border-radius:50%;background:#fff3;display:grid;place-items:center;font-weight:700}
header h2{margin:0;font-size:16px;line-height:1.25;font-weight:650}header p{margin:0;font-size:13px}
header div{flex:1}header button{border:0;background:none;border-radius:8px;width:36px;height:36px;font-size:22px;line-height:1}header :focus-visible{outline-color:currentColor}
.note{padding:8px 16px;background:var(--soft);font-size:13px;color:var(--dim);border-bottom:1px solid var(--line)}
.scroll{flex:1;overflow-y:auto;padding:16px;overscroll-behavior:contain;display:flex;flex-direction:column;gap:10px}
[role=log],.live{display:flex;flex-direction:column;gap:10px}
.m{max-width:88%;align-self:flex-start}.m .b{background:var(--soft);border-radius:4px 16px 16px 16px;padding:10px 14px;overflow-wrap:anywhere}
.m.me{align-self:flex-end}.m.me .b{background:var(--mine);color:#fff;border-radius:16px 4px 16px 16px;white-space:pre-wrap}
.m.bad .b{background:none;border:1px solid var(--bad);color:var(--ink)}.meta{font-size:12px;color:var(--dim);margin:3px 4px 0;display:flex;gap:8px;flex-wrap:wrap;align-items:center}.me .meta{justify-content:flex-end}.bad .meta{color:var(--bad)}
.b p{margin:0 0 8px}.b>:last-child,.b div>:last-child{margin-bottom:0}.b ul,.b ol{margin:0 0 8px;padding-left:20px}.b a,.src a{color:var(--a);text-underline-offset:2px}
.table{overflow-x:auto;margin:0 -6px 8px}table{border-collapse:collapse;font-size:13.5px;width:100%}th,td{text-align:left;padding:6px 8px;border-bottom:1px solid var(--line);vertical-align:top}th{font-weight:650}
.src{margin-top:8px;padding-top:8px;border-top:1px solid var(--line);font-size:13px;display:flex;flex-wrap:wrap;gap:4px 10px}.src span{color:var(--dim)}
.acts{display:flex;gap:6px;margin:6px 2px 0;flex-wrap:wrap;align-items:center;font-size:13px;color:var(--dim)}.acts button,.chips button{border:1px solid var(--line);background:var(--bg);border-radius:16px;padding:4px 12px;min-height:32px}
.acts button:hover,.chips button:hover{border-color:var(--a)}.acts button[aria-pressed=true]{background:var(--a);color:var(--on);border-color:var(--a)}
.chips{display:flex;flex-wrap:wrap;gap:8px}.chips button{padding:6px 14px;text-align:left}
.sys{align-self:center;font-size:13px;color:var(--dim);text-align:center}
.dots{display:inline-flex;gap:4px;padding:4px 0}.dots i{width:7px;height:7px;border-radius:50%;background:var(--dim);animation:dot 1.2s infinite}.dots i:nth-child(2){animation-delay:.2s}.dots i:nth-child(3){animation-delay:.4s}
@keyframes dot{0%,60%,100%{opacity:.3}30%{opacity:1}}
.new{position:absolute;left:50%;translate:-50%;bottom:110px;border:1px solid var(--line);background:var(--bg);border-radius:16px;padding:5px 14px;box-shadow:0 4px 14px #0002}
form{display:flex;gap:8px;align-items:flex-end;padding:12px 12px 6px;border-top:1px solid var(--line)}
textarea{flex:1;font:inherit;color:inherit;background:var(--soft);border:1px solid var(--line);border-radius:14px;padding:9px 12px;resize:none;max-height:130px;field-sizing:content;min-height:42px}
textarea::placeholder{color:var(--dim);opacity:1}
form button{border:0;border-radius:14px;background:var(--a);color:var(--on);height:42px;padding:0 16px;font-weight:650}form button:disabled{opacity:.45;cursor:default}
.foot{padding:0 16px 10px;font-size:12px;color:var(--dim);display:flex;justify-content:space-between;gap:8px}.over{color:var(--bad)}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(max-width:520px){.panel{inset:0;width:auto;height:auto;border:0;border-radius:0;padding-bottom:env(safe-area-inset-bottom)}.panel:not([hidden])~.launch{display:none}}
@media(prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}
`;
