/**
 * The page's style sheet: light and dark by the reader's setting, or forced by `data-theme` on the root element.
 * The colours `--c0` … `--c7` belong to conditions: 0 is the undefended model.
 */
export function styleSheet(fontFamily: string): string {
  return `${themes}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ${fontFamily};font-kerning:normal}
.top,main{max-width:1080px;margin:0 auto;padding:0 32px}
.top{padding-top:56px}
.kicker{margin:0;color:var(--muted);font-size:14px;letter-spacing:.02em}
h1{margin:2px 0 4px;font-size:34px;line-height:1.15;letter-spacing:-.018em;font-weight:680;overflow-wrap:anywhere}
h2{margin:0 0 16px;font-size:22px;line-height:1.25;letter-spacing:-.01em;font-weight:650}
h3{margin:28px 0 10px;font-size:16px;font-weight:650}
p{margin:0 0 14px;max-width:70ch}
small{display:block;color:var(--muted);font-size:.86em}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px}
code{overflow-wrap:anywhere}
.quiet{color:var(--muted);font-size:14px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
nav{display:flex;flex-wrap:wrap;gap:4px 18px;margin-top:20px;padding:12px 0;border-top:1px solid var(--line);border-bottom:1px solid var(--line);font-size:14px}
nav a{color:var(--muted);text-decoration:none}
nav a:hover,nav a:focus-visible{color:var(--ink);text-decoration:underline;text-underline-offset:3px}
section{padding:40px 0 8px;scroll-margin-top:8px}
section+section{border-top:1px solid var(--line);margin-top:32px}
main{padding-bottom:80px}
.finding header{display:flex;flex-wrap:wrap;align-items:baseline;gap:6px 12px;margin:0 0 8px}
.finding h3{margin:0}
.finding+.finding{margin-top:28px}
.lead{font-size:19px;line-height:1.5;max-width:66ch;font-variant-numeric:tabular-nums}
.chip{border:1px solid var(--line);border-radius:999px;padding:1px 10px;font-size:13px;color:var(--muted)}
.chip::before{content:"";display:inline-block;width:7px;height:7px;margin-right:7px;border-radius:50%;background:var(--muted);vertical-align:1px}
.chip.good::before{background:var(--good)}.chip.bad::before{background:var(--bad)}.chip.warn::before{background:var(--warn)}
.findings{margin:0 0 14px;padding:0 0 0 20px;max-width:74ch;font-variant-numeric:tabular-nums}
.findings li{margin-bottom:8px}
.limits{margin:20px 0 0;padding:0;list-style:none;max-width:76ch;color:var(--muted);font-size:14px}
.limits li{padding:6px 0 6px 16px;border-left:2px solid var(--line)}
.note{padding-left:14px;border-left:2px solid var(--line);color:var(--muted);font-size:14px}
figure{margin:0}
figure+figure{margin-top:20px}
.pair figure,.multiples figure{margin-top:0}
figcaption{font-size:14px;font-weight:600}
.chart svg{display:block;max-width:100%;height:auto}
.narrow{display:none}
figure+p,figure+.narrow+p{margin-top:16px}
.beside{display:grid;grid-template-columns:minmax(0,680px) minmax(220px,1fr);gap:32px;align-items:start;margin-bottom:28px}
.aside{padding-top:26px}
.aside p{font-size:14px;color:var(--muted)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 10px;padding:0;list-style:none;font-size:14px}
.aside .legend{flex-direction:column;margin-bottom:16px}
.aside li:not(.attack)+.attack{margin-top:8px}
.key{margin-right:7px;vertical-align:-2px;overflow:visible;flex:none}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:24px 40px;margin:14px 0}
.multiples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,290px),1fr));gap:28px 24px}
.small .legend{font-size:12.5px;color:var(--muted);margin:2px 0 4px}
.scroll{overflow-x:auto;margin:14px 0;-webkit-overflow-scrolling:touch}
.scroll:focus-visible{outline:2px solid var(--c1);outline-offset:2px}
table{border-collapse:collapse;font-size:14px;line-height:1.35;font-variant-numeric:tabular-nums}
caption{text-align:left;padding-bottom:8px}
th,td{padding:8px 10px 8px 0;vertical-align:top;text-align:left;font-weight:400;border-bottom:1px solid var(--line)}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--muted);font-size:13px;vertical-align:bottom;max-width:84px}
.num{text-align:right;white-space:nowrap}
thead .num{white-space:normal}
td.txt{white-space:nowrap}
.prose td.txt{white-space:normal;overflow-wrap:anywhere}
tbody tr:last-child>*{border-bottom:0}
tbody th{white-space:nowrap;position:sticky;left:0;background:var(--paper)}
.part th,.part td{color:var(--muted)}
.whole th,.whole td{font-weight:600}.whole small{font-weight:400}
.measures tbody th{white-space:normal;min-width:132px}
.mark{margin-right:6px;font-size:11px}.mark.good{color:var(--good)}.mark.bad{color:var(--bad)}
.bar{display:inline-block;min-width:1px;height:9px;border-radius:1px;background:var(--muted);vertical-align:1px}
.bar.old{background:var(--line)}
#gate td.txt{white-space:nowrap}#gate td:last-child{white-space:normal;min-width:260px}
#timings table{width:100%;max-width:760px}#timings td:nth-child(2){width:45%}
details{margin:12px 0}
summary{cursor:pointer;color:var(--muted);font-size:14px;padding:4px 0}
summary:hover{color:var(--ink)}
details caption,.prose caption,#timings caption{display:none}
.sheet{width:100%;max-width:calc(110px + var(--columns)*390px)}
.sheet td{padding:6px 18px 6px 0;min-width:320px}
.sheet th,.sheet td{vertical-align:middle}
.sheet td.reference{min-width:0;width:82px}
.sheet thead th{max-width:none}
.strip{display:inline-block;vertical-align:middle;background-size:100% auto;background-repeat:no-repeat;background-color:var(--well);print-color-adjust:exact;-webkit-print-color-adjust:exact}
.sheet td{white-space:nowrap}
.sheet .strip{width:calc(100% - 66px)}
.reference .strip{width:64px}
.hit{display:inline-block;width:58px;line-height:1.25;margin-left:8px;color:var(--muted);font-size:13px;text-align:right;vertical-align:middle}
.who{display:none}
.absent{display:inline-block;width:calc(100% - 66px);padding:8px 10px;border:1px dashed var(--line);color:var(--muted);font-size:13px;vertical-align:middle}
.terms{display:grid;grid-template-columns:200px minmax(0,70ch);gap:14px 24px;margin:0;font-size:15px}
dt{font-weight:600}dd{margin:0;color:var(--soft)}
pre{margin:0;padding:16px 18px;background:var(--well);border-radius:4px;width:max-content;min-width:100%;line-height:1.5}
@media (max-width:760px){
.top,main{padding-left:18px;padding-right:18px}.top{padding-top:32px}
h1{font-size:27px}.lead{font-size:17px}
nav{gap:4px 16px}
.wide{display:none}.narrow{display:block}
.beside{grid-template-columns:minmax(0,1fr);gap:16px}
.terms{grid-template-columns:minmax(0,1fr);gap:2px}dd{margin-bottom:14px}
.sheet,.sheet tbody,.sheet tr,.sheet td,.sheet tbody th{display:block}
.sheet thead{display:none}
.sheet tr{padding:10px 0;border-bottom:1px solid var(--line)}
.sheet td,.sheet tbody th{border:0;padding:2px 0;width:auto;min-width:0}
.sheet tbody th{font-weight:600}
.sheet td.reference{width:auto}
#timings td:nth-child(2),#timings th:nth-child(2){display:none}
.who{display:block;font-size:13px;color:var(--muted)}
}
@media print{nav{display:none}section{break-inside:auto}figure,tr{break-inside:avoid}}
`;
}

const LIGHT =
  "color-scheme:light;--paper:#fdfdfb;--well:#f3f3f0;--ink:#1b1c1f;--soft:#3f4147;--muted:#62656d;--line:#e0e0db;" +
  "--c0:#c14a19;--c1:#1d6aae;--c2:#2b8558;--c3:#8a4bb3;--c4:#a0740f;--c5:#0e8593;--c6:#bd3b74;--c7:#5f6b7a;" +
  "--good:#2b8558;--bad:#c23030;--warn:#b87a08";
const DARK =
  "color-scheme:dark;--paper:#141518;--well:#1c1e22;--ink:#e7e7e9;--soft:#c6c7cc;--muted:#9a9da6;--line:#2e3036;" +
  "--c0:#f08a5d;--c1:#6bb1ee;--c2:#63c595;--c3:#c495ea;--c4:#d9b04c;--c5:#55c3cf;--c6:#ee86b2;--c7:#a6b0bf;" +
  "--good:#63c595;--bad:#f07575;--warn:#e2b04a";

/** The colours of both themes, as custom properties. */
export const themes = `:root{${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
:root[data-theme=light]{${LIGHT}}
:root[data-theme=dark]{${DARK}}`;
