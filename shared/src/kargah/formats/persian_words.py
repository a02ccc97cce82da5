"""Words that tell a cut-off prefix or suffix from a word that stands alone: «می رود» from «می ناب»."""

from __future__ import annotations

from typing import Final


def _words(spaced: str) -> frozenset[str]:
    return frozenset(spaced.split())


PRESENT_STEMS: Final = _words(
    """
    کن شو رو آی آور گوی گو گیر ده دار زن خور بر دان توان خواه بین باش رس رسان گذار گذر یاب نویس خوان
    ساز پذیر مان پرداز افت انداز کش نشین ایست خواب خند ترس پرس شنو شناس فروش خر پوش آموز آزمای پیوند
    پرور پز شوی جوی گرد گردان نمای افزای فهم کوش چین باف بند لرز سوز دوز ریز انگیز آمیز سنج شمار فرست
    نوش بخش گنج چرخ تاب روی دو چسب کاه شکن رقص جنگ میر زی پسند طلب دزد لنگ
    """
)
"""Stems that make a verb only with a personal ending: «می‌کنم», not «می‌کن»."""

PAST_STEMS: Final = _words(
    """
    کرد شد رفت آمد آورد گفت گرفت داد داشت زد خورد برد دانست توانست خواست دید رسید رساند گذاشت گذشت یافت
    نوشت خواند ساخت پذیرفت ماند پرداخت افتاد انداخت کشید نشست ایستاد خوابید خندید ترسید پرسید شنید شناخت
    فروخت خرید پوشید آموخت آزمود پیوست پخت شست جست گردید نمود افزود فهمید کوشید کاشت چید بافت بست لرزید
    سوخت دوخت ریخت انگیخت آمیخت سنجید شمرد فرستاد نوشید بخشید زیست چرخید تابید دوید شکست جنگید
    """
)
"""Stems that make a verb with or without an ending: «می‌رفت», «می‌رفتم»."""

WHOLE_VERBS: Final = _words("توان بایست بایستی شه شن گه گن کنه کنن ره رن خواد خوام خوای دونه دونم تونه تونم زنه")
"""Impersonal and spoken forms that take no further ending."""

PLURAL_SUFFIXES: Final = _words("ها های هایی هایم هایت هایش هایمان هایتان هایشان")

NOT_BEFORE_PLURAL: Final = _words(
    "و یا از به با در که را تا هم نیز بر برای چون اگر است بود پسوند نشانه نشانهٔ علامت جمع حرف واژه واژهٔ ها های"
)
"""Words after which «ها» is spoken of, or is a cry («های‌های»), and so is no cut-off suffix."""
