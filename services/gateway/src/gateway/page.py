"""The page at `/` where no Studio is built: what runs here, how the Studio is built, and where the API is."""

from __future__ import annotations

import kargah

PAGE_HEADERS = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'", "cache-control": "no-cache"}
PAGE = f"""<!doctype html>
<html lang="fa" dir="rtl">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>کارگاه · Kargah</title>
<style>
:root {{ color-scheme: light dark; font: 1.05rem/1.8 system-ui, sans-serif }}
body {{ max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem }}
section[lang=en] {{ margin-top: 2.5rem }}
code {{ direction: ltr; unicode-bidi: isolate }}
</style>
<main>
<section>
<h1>کارگاه</h1>
<p>دروازهٔ کارگاه، سامانهٔ آموزش تکمیلی مدل‌های زبانی روی دستگاه خودتان، اینجا در حال کار است
(نسخهٔ {kargah.__version__}).</p>
<p>استودیو، رابط کارگاه در مرورگر، هنوز ساخته نشده است: <code>make up</code> آن را می‌سازد و همه‌چیز را راه می‌اندازد؛
<code>make studio</code> تنها آن را می‌سازد. سپس دروازه را از نو آغاز کنید.</p>
<ul>
<li><a href="/openapi.json">شرح کامل API</a></li>
<li><a href="/api/status">وضعیت سرویس‌ها</a></li>
<li><a href="/api/train/jobs">کارهای آموزش</a></li>
</ul>
<p>از خط فرمان: <code>kargah jobs</code></p>
</section>
<section lang="en" dir="ltr">
<h2>Kargah</h2>
<p>The gateway of Kargah, a self-hosted fine-tuning platform, is running here (version {kargah.__version__}).</p>
<p>The Studio, Kargah in the browser, is not built yet: <code>make up</code> builds it and starts everything;
<code>make studio</code> builds it alone. Start the gateway anew then.</p>
<ul>
<li><a href="/openapi.json">The API, described</a></li>
<li><a href="/api/status">State of the services</a></li>
<li><a href="/api/train/jobs">Training jobs</a></li>
</ul>
<p>On the command line: <code>kargah jobs</code></p>
</section>
</main>
</html>
"""
