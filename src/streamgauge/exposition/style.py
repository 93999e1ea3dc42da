"""The status page's one style sheet, and the policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

STYLE = """
:root{color-scheme:light dark;--bg:#f6f8fa;--card:#fff;--text:#17212b;--soft:#5b6b7b;--line:#dfe5ec;
--blue:#0b6bcb;--red:#c2261c;--redbg:#fdecea;--amber:#8a5a00;--amberbg:#fdf3dc;--green:#1a7f4b;
--greenbg:#e4f5ec;--greybg:#eceff3}
@media(prefers-color-scheme:dark){:root{--bg:#0f151b;--card:#171f28;--text:#e4eaf0;--soft:#93a3b3;
--line:#28333f;--blue:#5aaefc;--red:#ff8a80;--redbg:#3b1a1a;--amber:#f3c36b;--amberbg:#37290f;
--green:#6fd6a0;--greenbg:#12301f;--greybg:#232d38}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header{max-width:1180px;margin:0 auto;padding:0 24px}
header{display:flex;align-items:center;gap:12px;padding-top:24px;padding-bottom:8px}
header svg{flex:none}h1{font-size:20px;margin:0;letter-spacing:-.01em}
header p{margin:0 0 0 auto;color:var(--soft);font-size:13px;text-align:right}
h2{font-size:13px;font-weight:600;color:var(--soft);margin:28px 0 8px;text-transform:uppercase;
letter-spacing:.06em}
a{color:var(--blue);text-decoration:none}a:hover{text-decoration:underline}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;
margin-top:12px}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:10px}
.tile{padding:12px 16px}.tile b{display:block;font-size:26px;line-height:1.2;font-weight:600;
font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:13px}
.tile.bad b{color:var(--red)}
.card{overflow-x:auto}.pad{padding:16px 20px}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th{font-size:12px;font-weight:600;color:var(--soft);text-align:left;padding:10px 14px;
border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:11px 14px;border-bottom:1px solid var(--line);vertical-align:middle}
tr:last-child td{border-bottom:0}
th.n,td.n{text-align:right}td.n{white-space:nowrap}
.name{font-weight:600;max-width:240px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;
display:block}
.soft{color:var(--soft)}.small{font-size:13px}.nowrap{white-space:nowrap}
.badge{display:inline-flex;align-items:center;gap:6px;border-radius:99px;padding:2px 10px 2px 8px;
font-size:13px;font-weight:600;white-space:nowrap;background:var(--greybg);color:var(--soft)}
.red{background:var(--redbg);color:var(--red)}.amber{background:var(--amberbg);color:var(--amber)}
.green{background:var(--greenbg);color:var(--green)}
.why{display:block;max-width:180px;color:var(--soft);font-size:12px;margin-top:2px}
.bar{display:block;margin-top:4px}.track{fill:var(--greybg)}.fill{fill:var(--green)}
.fill.over{fill:var(--red)}.mark{fill:var(--soft)}
.note{border-left:4px solid var(--amber);background:var(--amberbg);color:var(--amber);
padding:10px 16px;border-radius:6px;margin-top:12px}
.note.stop{border-color:var(--red);background:var(--redbg);color:var(--red)}
ul.alarms{list-style:none;margin:0;padding:0}ul.alarms li{padding:12px 16px;
border-bottom:1px solid var(--line)}ul.alarms li:last-child{border-bottom:0}
pre{background:var(--bg);border:1px solid var(--line);border-radius:8px;padding:14px 16px;
overflow-x:auto;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
margin:8px 0 16px}
footer{max-width:1180px;margin:24px auto;padding:0 24px 24px;color:var(--soft);font-size:13px}
"""


@cache
def policy() -> str:
    """The content security policy: this style sheet, and not one thing more."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
