// A constructed style sheet: no inline style. Important rules of a shadow host win over the page's. Text is in em of the
// reader's own size.
export const CSS = `
:host{all:initial!important;direction:ltr!important}
.w{--a:#0b5d57;--on:#fff;--bg:#fff;--soft:#f1f5f4;--ink:#16211f;--dim:#56635f;--line:#dae2e0;--mine:#0b5d57;--head:#0b5d57;--bad:#a4262c;
position:fixed;top:0;left:0;z-index:2147483000;color:var(--ink);font:.9375em/1.5 system-ui,"Segoe UI",Roboto,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
.w[data-theme=dark]{--a:#5fd0c0;--on:#06211d;--bg:#141a19;--soft:#1f2726;--ink:#e9efed;--dim:#a3b1ae;--line:#33403d;--mine:#1d5a52;--head:#174a43;--bad:#ff9b9b;color-scheme:dark}
*{box-sizing:border-box}button{font:inherit;color:inherit;cursor:pointer;background:none;border:0}
:focus-visible{outline:2px solid var(--a);outline-offset:2px}[hidden]{display:none!important}
svg{width:1.25em;height:1.25em;display:block;fill:none;stroke:currentColor;stroke-width:1.9;stroke-linecap:round;stroke-linejoin:round}.down svg{transform:scaleY(-1)}
.launch,.head button,.form button,.rate,.mark{display:grid;place-items:center;flex:none}
.launch{position:fixed;right:max(20px,env(safe-area-inset-right));bottom:max(20px,env(safe-area-inset-bottom));width:60px;height:60px;border-radius:50%;background:var(--a);color:var(--on);box-shadow:0 6px 20px #0003,0 1px 4px #0003}
.launch:focus-visible{outline:3px solid var(--on);outline-offset:-7px}.launch svg{width:28px;height:28px}
.launch[aria-expanded=true] svg:first-child,.launch[aria-expanded=false] svg+svg{display:none}
.badge{position:absolute;top:-3px;right:-3px;min-width:22px;border-radius:11px;background:#b3261e;color:#fff;font-size:13px;font-weight:650;line-height:22px;padding:0 6px;box-shadow:0 0 0 2px var(--bg)}
.panel{position:fixed;right:max(20px,env(safe-area-inset-right));bottom:calc(max(20px,env(safe-area-inset-bottom)) + 74px);width:min(27em,100vw - 40px);height:min(45em,100dvh - 114px);background:var(--bg);border:1px solid var(--line);border-radius:18px;box-shadow:0 18px 60px #0003,0 2px 8px #0001;display:flex;flex-direction:column;overflow:hidden;animation:in .18s ease-out}
@keyframes in{from{opacity:0;transform:translateY(12px)}}
.head{display:flex;align-items:center;gap:12px;padding:14px 10px 14px 16px;background:var(--head);color:#fff}.head div{flex:1;min-width:0}
.mark{width:2.6em;height:2.6em;border-radius:50%;background:#ffffff26;font-weight:650}
h2{margin:0;font-size:1.07em;line-height:1.3;font-weight:650}.head p{margin:0;font-size:.87em}
.head button{width:44px;height:44px;border-radius:10px}.head button:hover{background:#ffffff1f}.head :focus-visible{outline-color:#fff;outline-offset:-4px}
.note{padding:8px 16px;background:var(--soft);font-size:.87em;color:var(--dim);border-bottom:1px solid var(--line)}
.middle{flex:1;min-height:0;position:relative;display:flex}
.scroll{flex:1;min-width:0;overflow-y:auto;position:relative;padding:16px;overscroll-behavior:contain;overflow-anchor:none;scrollbar-width:thin}.scroll:focus-visible{outline-offset:-3px}
.more{mask-image:linear-gradient(#000 calc(100% - 32px),#0003)}
.scroll,[role=log],.live{display:flex;flex-direction:column;gap:14px}.live:empty{display:none}
.m{max-width:min(88%,42em);display:flex;flex-direction:column;align-items:start}.m:has(table){max-width:100%}.m.me{align-self:end;align-items:end}
.b{background:var(--soft);border-radius:4px 16px 16px 16px;padding:10px 14px;overflow-wrap:anywhere;max-width:100%}
.me .b{background:var(--mine);color:#fff;border-radius:16px 4px 16px 16px;white-space:pre-wrap}.wait .b{opacity:.85}
.bad .b{background:none;box-shadow:inset 0 0 0 1px var(--bad);color:var(--ink)}
.meta{font-size:.8em;color:var(--dim);margin:4px 2px 0;display:flex;gap:2px 8px;flex-wrap:wrap;align-items:center}.bad .meta{color:var(--bad)}
.rate{min-width:2.4em;height:2.4em;margin:-3px -4px;border-radius:8px}.rate:hover{background:var(--soft)}.rate[aria-pressed=true]{color:var(--a)}.rate[aria-pressed=true] svg{fill:currentColor;fill-opacity:.25}
.ask,.chips button,.new{border:1px solid var(--line);background:var(--bg);color:var(--a);border-radius:20px;padding:6px 14px;min-height:2.4em;text-align:start}.ask:hover,.chips button:hover,.new:hover{border-color:var(--a);background:var(--soft)}
.ask{font-size:1.15em;margin-top:4px}
.chips{display:flex;flex-wrap:wrap;gap:8px}
.b p{margin:0 0 8px}.b>:last-child,.b div>:last-child{margin-bottom:0}.b ul,.b ol{margin:0 0 8px;padding-inline-start:1.4em}.b a{color:var(--a);text-underline-offset:3px}
.table{overflow-x:auto;overflow-wrap:normal;margin:2px -6px 8px;scrollbar-width:thin}table{border-collapse:collapse;font-size:.9em;min-width:100%}th,td{text-align:start;padding:7px 8px;border-bottom:1px solid var(--line);vertical-align:top;min-width:5.5em}th{font-weight:650}tr:last-child td{border-bottom:0}.num{white-space:nowrap;min-width:0}
.src{margin-top:8px;padding-top:8px;border-top:1px solid var(--line);font-size:.87em;display:flex;flex-wrap:wrap;gap:2px 10px}.src span{color:var(--dim)}
.sys,.day{align-self:center;font-size:.87em;color:var(--dim);text-align:center}.day{display:flex;gap:12px;align-items:center;align-self:stretch}.day:before,.day:after{content:"";flex:1;border-top:1px solid var(--line)}
.dots{display:flex;gap:5px;padding:14px}.dots i{width:7px;height:7px;border-radius:50%;background:var(--dim);animation:dot 1.2s infinite}.dots i:nth-child(2){animation-delay:.2s}.dots i:nth-child(3){animation-delay:.4s}
@keyframes dot{0%,60%,100%{opacity:.3}30%{opacity:1}}
.new{position:absolute;left:50%;translate:-50%;bottom:10px;box-shadow:0 4px 14px #0002}
.form{display:flex;gap:8px;align-items:end;padding:12px 12px 8px;border-top:1px solid var(--line)}
textarea{flex:1;min-width:0;font:inherit;font-size:max(1em,16px);line-height:1.4;color:inherit;background:var(--bg);border:1px solid #7a8985;border-radius:14px;padding:9px 12px;resize:none;min-height:44px;max-height:8em}textarea:focus-visible{outline-offset:-2px}
textarea::placeholder{color:var(--dim);opacity:1}
.form button{border-radius:14px;background:var(--a);color:var(--on);width:44px;height:44px}.form :disabled{background:var(--soft);color:var(--dim);cursor:default}
.foot{padding:0 16px 10px;font-size:.8em;color:var(--dim);display:flex;justify-content:space-between;gap:8px}.over{color:var(--bad)}
@media(max-width:32.5em),(max-height:30em){.panel{inset:0;width:auto;height:auto;border:0;border-radius:0;padding:0 env(safe-area-inset-right) env(safe-area-inset-bottom) env(safe-area-inset-left)}.launch[aria-expanded=true]{display:none}}
@media(max-height:30em){.head{padding-block:4px}.mark,.foot :first-child{display:none}.form{padding-block:6px}.foot{padding-bottom:4px}}
@media(prefers-reduced-motion:reduce){*{animation:none!important}}
`;
