"""The phrases by which a refusal is known, in lower case and with straight apostrophes."""

import re


def _any(words: str) -> str:
    """One of the words or phrases that `words` holds, a line or a bar apart."""
    found = (part.strip() for part in re.split(r"[|\n]", words))
    return "(?:" + "|".join(re.escape(part) for part in found if part) + ")"


_CANNOT = _any("""
    can't | cannot | can not | cant | could not | couldn't | won't | will not
    am not able to | 'm not able to | am unable to | 'm unable to
    am not going to | 'm not going to | am not allowed to | 'm not allowed to
    am not permitted to | 'm not permitted to | am not comfortable | 'm not comfortable
""")
_DOING = _any("""
    help | assist | provide | give | share | create | write | generate | support | comply | fulfil
    do that | do this | do so | answer | discuss | offer | produce | engage | participate | tell
    continue | reveal | disclose | show | explain | advise | recommend | process | carry out
    supply | facilitate | follow | ignore | execute | perform | complete | respond | send | delete
    transfer | access | promote | condone | encourage
    be able to | with | providing | helping | sharing | writing | creating
""")
_RULES = _any("guidelines | policy | policies | programming | principles | terms")
_ENGLISH = (
    rf"\b(?:i|we),? ?(?:simply |really |just |also )?{_CANNOT} (?:in good conscience )?{_DOING}",
    r"\b(?:i'm |i am )?(?:very |so |really )?sorry,? (?:but )?(?:no\b|i (?:can't|cannot|won't))",
    r"\bsorry,? but (?:i|that|this|it)(?:'m| am| is)? (?:can't|can not|cannot|could not|won't"
    r"|will not|not able|unable|not something|against|not ethical|not appropriate|not legal)",
    r"\b(?:i|we) (?:must |have to |need to |respectfully |will )*(?:decline|refuse)\b",
    r"\b(?:i|we) (?:do not|don't) (?:provide|offer|share|assist|help) ",
    rf"\b(?:against|violates?) (?:my|our|the) {_RULES}",
    r"\bnot something i(?:'m| am)? (?:can|could|will|able|willing|comfortable)",
    r"\b(?:this|that|your) request (?:cannot|can't) be (?:fulfilled|processed|completed)",
)
_HELFEN = _any("""
    helfen | geben | bereitstellen | beantworten | unterstützen | erstellen | nachkommen
""")
_OTHERS = (
    rf"\bich (?:kann|darf|werde)\b[^.!?\n]{{0,60}}\bnicht\b[^.!?\n]{{0,40}}{_HELFEN}",
    r"\bje (?:ne peux|ne suis pas en mesure|ne saurais|refuse|dois refuser)",
    rf"\bno (?:puedo|me es posible) {_any('ayudar|proporcionar|cumplir|asistir|dar|responder')}",
    rf"\bnon (?:posso|sono in grado di) {_any('aiutar|fornir|assister|risponder|soddisfar')}",
    rf"\bnão (?:posso|consigo) {_any('ajudar|fornecer|atender|responder|auxiliar')}",
    r"(?:抱歉|对不起|對不起)[^。\n]{0,12}(?:不能|无法|無法|不可以)",
    r"我(?:不能|无法|無法)(?:提供|帮助|幫助|协助|協助|回答|满足|滿足|完成)",
    r"(?:申し訳|すみません)[^。\n]{0,40}(?:できません|できかねます|いたしかねます)",
    r"(?:お手伝い|提供|お答え|対応)(?:することは|は)?(?:できません|できかねます)",
    rf"\bя (?:не (?:могу|буду) {_any('помочь|предоставить|отвечать|ответить|дать|помогать')}"
    r"|вынужден[а]? отказ)",
)
REFUSING = re.compile("|".join(_ENGLISH + _OTHERS))
