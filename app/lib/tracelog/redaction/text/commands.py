"""Secrets in commands as people type them: options, arguments and settings."""

import re
from typing import Final

from app.lib.tracelog.redaction.keys.judge import KeyJudge
from app.lib.tracelog.redaction.keys.rules import Rule
from app.lib.tracelog.redaction.keys.values import looks_chosen, looks_random, mixes
from app.lib.tracelog.redaction.keys.words import words
from app.lib.tracelog.redaction.plain import MARKER

_USER_FLAG: Final = re.compile(
    r"((?<!\S)(?:-u|--user|--proxy-user|--cert)[ =]{1,2}(?![0-9]{1,7}:[0-9]{1,7}(?:\s|\Z))"
    r"[\"']?[^\s:\"']{0,64}:)(?!//|\$\{?[A-Z_]{0,24}(?:PASS|PASSWORD|PWD|SECRET|TOKEN|KEY)\}?(?:[\s\"']|\Z))"
    r"[^\s\"']++"
)
_ECHO: Final = (
    r"\b(?:echo|printf)\s+(?:-n\s+|[\"']?%s(?:\\n)?[\"']?\s+)?(?=[^\n|]{1,200}\|[^\n]{0,200}"
)
_MIXED_WORD: Final = r"(?:-\S{1,64}\s+){0,4}(?=[A-Za-z_.\-]{0,60}[0-9])(?=[\w.\-]{8})"
# Programs whose short options hold secrets: (name, what stands before the value).
_PROGRAMS: Final = (
    ("mysql", r"\bmysql[a-z]*\b[^\n|;&]{0,200}?\s-p"),
    ("mariadb", r"\bmariadb[a-z\-]*\b[^\n|;&]{0,200}?\s-p"),
    ("sshpass", r"\bsshpass\s+-p\s*"),
    ("redis-cli", r"\bredis-cli\b[^\n|;&]{0,200}?\s-a\s+"),
    (
        "login",
        r"\b(?:docker|podman|helm|npm|oc|az)\b[^\n|;&]{0,100}?\blogin\b[^\n|;&]{0,200}?\s-p\s+",
    ),
    ("openssl", r"\bopenssl\b[^\n|;&]{0,200}?\s-(?:k|K|pass|passin|passout)\s+"),
    ("twine", r"\btwine\b[^\n|;&]{0,200}?\s-p\s+"),
    ("supabase", r"\bsupabase\b[^\n|;&]{0,200}?\s-p\s+"),
    ("zip", r"\b(?:un)?zip\b[^\n|;&]{0,200}?\s-P\s*"),
    ("7z", r"\b7z[ar]?\b[^\n|;&]{0,200}?\s-p"),
    ("mongo", r"\bmongo(?:sh|dump|restore|export|import)?\b[^\n|;&]{0,200}?\s-p\s*"),
    (
        "security ",
        r"\bsecurity\s+(?:add|set|unlock)-[a-z\-]{4,30}\b[^\n|;&]{0,200}?\s-[wp]\s+",
    ),
    ("sqlcmd", r"\bsqlcmd\b[^\n|;&]{0,200}?\s-P\s*"),
    ("ssh-keygen", r"\bssh-keygen\b[^\n|;&]{0,200}?\s-[NP]\s+"),
    (
        "passwd",
        r"\b(?:ht|mosquitto_)passwd\s+-[a-zA-Z]{0,8}b[a-zA-Z]{0,8}\s+\S{1,200}\s+\S{1,64}\s+",
    ),
    ("http", r"\bhttps?\s[^\n|;&]{0,200}?(?<=\s)(?:-a|--auth)[ =]{1,3}[^\s:]{0,64}:"),
    ("earer ", r"\s(?:-A|--auth-type)[ =]bearer\s+(?:-a|--auth)[ =]{1,3}"),
    ("chpasswd", r"\bchpasswd\s{0,3}<<<\s{0,3}[\"']?[\w.\-]{1,64}:"),
    ("chpasswd", r"\becho\s+[\"']?[\w.\-]{1,64}:(?=[^\n|]{1,200}\|[^\n]{0,40}chpasswd)"),
    ("ConvertTo-SecureString", r"\bConvertTo-SecureString\s+(?:-String\s+)?"),
    ("mc ", r"\bmc\s(?:alias\sset|config\shost\sadd)\s\S{1,64}\s\S{1,200}\s\S{1,128}\s"),
    ("rclone", r"\brclone\s[^\n|;&]{0,200}?\s(?:pass|password)\s"),
    ("net use", r"\bnet use\b[^\n]{0,200}?/user:\S{1,64}\s+(?!/)"),
    ("net use", r"\bnet use\s+(?:\w:\s+)?\\\\\S{1,200}\s+(?=\S{1,128}\s+/user:)"),
    ("PASS ", r"(?<!\S)USER [^\r\n]{1,64}\r?\n(?:[^\r\n]{0,200}\r?\n)?PASS "),
    (
        "AUTH ",
        r"(?m:^)(?:(?:C:|[\w.:\[\]()\-]{0,40}>{1,3}) ?)?(?:HELLO [23] )?"
        r"AUTH (?:(?:PLAIN|XOAUTH2"
        r"|(?!ok |fail|succe|error)[a-z][\w.\-]{0,31}) "
        r"|LOGIN\r?\n(?:334 \S{0,64}\r?\n)?(?:[A-Za-z0-9+/=]{4,128}\r?\n(?:334 \S{0,64}\r?\n)?"
        r"(?=[A-Za-z0-9+/=]{4,128}\r?(?:\n|\Z)))?)?(?=\S*[0-9])",
    ),
    (
        "AUTH ",
        r"(?<![^\s'\">:])AUTH "
        r"(?:(?:PLAIN|LOGIN|XOAUTH2) (?=[a-z0-9+/]{0,64}[A-Z])(?=[A-Z0-9+/]{0,64}[a-z])"
        r"(?=[A-Za-z0-9+/]{8,2000}+={0,2}(?:[\s\\'\"]|\Z))"
        r"|(?:(?!fail|ok|succe|error|required|for |from |by )[a-z][\w.\-]{0,31} )?(?!oauth)"
        r"(?=[A-Za-z!-/]{0,64}[0-9])(?=[0-9!-/]{0,64}[A-Za-z])(?=[^\s=:]{6,128}(?:\s|['\"]|\Z)))",
    ),
    (
        " LOGIN ",
        r"(?<=[\s'\">])[A-Za-z]{1,6}[0-9]{1,6} LOGIN (?!fail|succe|ok |error)\S{1,128} "
        r"(?=[\"']|\S{0,64}[0-9!#$%]|[^\s\\'\"]{4,64}+(?:\\r|['\"]|\s{0,4}\Z))(?![0-9.]{7,15}(?:\s|\Z))",
    ),
    (
        " LOGIN ",
        r"(?m:^)(?=[A-Za-z.]{0,7}[0-9])[A-Za-z0-9.]{1,8} LOGIN (?!fail|succe|ok |error)\S{1,128} ",
    ),
    ("echo", rf"{_ECHO}(?:--password-stdin|--with-token|\bsudo\s[^\n|]{{0,40}}-S\b))"),
    ("printf", rf"{_ECHO}(?:--password-stdin|--with-token|\bsudo\s[^\n|]{{0,40}}-S\b))"),
    (
        "<<<",
        r"(?:--with-token|--password-stdin|\bsudo\s[^\n|;&<]{0,40}-S|\bsecrets?\s[^\n|;&<]{1,100}?"
        r"|\benv\s+add\s[^\n|;&<]{1,80}?)"
        r"\s{0,3}<<<\s{0,3}",
    ),
    ("secret", r"\bsecrets?\s+set\s[^\n|;&]{0,100}?(?<=\s)(?:--body|-b)[ =]{1,2}"),
    ("vault", rf"\bvault\s+login\s+{_MIXED_WORD}"),
    ("cargo", rf"\bcargo\s+login\s+{_MIXED_WORD}"),
    ("snyk", rf"\bsnyk\s+auth\s+{_MIXED_WORD}"),
    (
        "bw ",
        r"\bbw\s+(?:unlock|login\s+\S{1,128}@\S{1,128})\s+(?:--raw\s+)?(?=[\"']|\S{0,64}[0-9])(?!-)",
    ),
    (
        "wpa_passphrase",
        r"\bwpa_passphrase\s+(?:\"[^\"\n]{1,64}\"|'[^'\n]{1,64}'|[^\s\"']{1,64})\s+(?=\S{8}|[\"'])",
    ),
    (
        "IDENTIFY ",
        r"(?<![^\s:'\">/])IDENTIFY\s(?:[^\s'\"]{1,64}\s)?(?=[\"'\w!-/:-@]{0,64}[0-9!#$%&*@])"
        r"(?=[^\s'\"]{5})",
    ),
    (
        "ickServ",
        r"\b(?i:NickServ)(?:@[\w.\-]{1,64})?\s:?(?i:identify|register|login|ghost|recover"
        r"|set\spassword)\s(?:[^\s'\"]{1,64}\s(?=[^\s'\"]{3}))?",
    ),
    (
        "smtp auth ",
        r"\bsmtp auth (?:user )?[\w.@+\-]{1,64} (?=[\w.\-]{0,64}[0-9])(?![0-9.:]{1,40}(?:\s|\Z))",
    ),
    (
        "imap login ",
        r"\b(?:imap|pop3) login (?:user )?[\w.@+\-]{1,64} (?=[\w.\-]{0,64}[0-9])"
        r"(?![0-9.:]{1,40}(?:\s|\Z))",
    ),
    ("snmp", r"\bsnmp[a-z]{1,12}\b[^\n|;&]{0,100}?\s-[cAX]\s+(?!public\b|private\b)"),
    (
        "community",
        r"\b(?:snmp-server\s(?:community|host\s\S{1,64})|r[ow]community6?)\s+(?!default\b)",
    ),
    ("ssm", r"\bssm\s[^\n]{0,300}?--value[ =](?![^\n]{1,400}--type String\b)"),
    ("community", r"\bsnmp\scommunity\s+(?=\S{0,64}[0-9])"),
    ("openssl", r"\bopenssl\s+passwd\s+(?:-\S{1,24}\s+){0,4}(?!-)"),
    ("htpasswd", r"\bhtpasswd\s+-[a-zA-Z]{0,8}(?:nb|bn)[a-zA-Z]{0,8}\s+\S{1,64}\s+"),
    ("vncpasswd", r"\bvncpasswd\s+(?=\S{0,64}[0-9])(?!-)"),
    (
        "<(",
        r"(?i:pass|secret|token|key)[^\n]{0,60}?<\(\s{0,2}(?:echo|printf)\s+(?:-n\s+)?"
        r"(?=[^\s()]{4,128}\))",
    ),
    (
        "poetry config",
        r"\bpoetry\sconfig\s(?:http-basic\.\S{1,64}\s\S{1,64}\s|pypi-token\.\S{1,64}\s)",
    ),
    (
        "rabbitmqctl",
        r"\brabbitmqctl\s[^\n|;&]{0,80}?\b(?:add_user|change_password|authenticate_user)\s"
        r"\S{1,64}\s",
    ),
    ("ldap", r"\bldap[a-z]{3,9}\b[^\n|;&]{0,300}?\s-w\s*"),
    ("ab ", r"\bab\s[^\n|;&]{0,200}?-[AP]\s+[^\s:]{1,64}:"),
    ("net user", r"\bnet user\s+[\w.\-]{1,64}\s+(?![/*])(?=\S{0,64}[0-9!@#$%])"),
    ("/p:", r"(?<!\S)(?:/u:\S{1,64}\s[^\n]{0,100}?|xfreerdp\s[^\n]{0,200}?\s)/p:"),
    ("-U", r"(?<!\S)-U\s?[\"']?[\w.\\\-]{1,64}%"),
    ("SETUSER", r"\bSETUSER\s\S{1,64}\s(?:[^\s>]\S{0,64}\s){0,10}>"),
    (
        '"requirepass"',
        r"\"(?:requirepass|masterauth)\"\s(?=\"[^\"\n]{1,200}\"\s{0,4}(?:\n|\Z))",
    ),
    ('"auth"', r"\"auth\"(?:\s\"[^\"\n]{1,64}\")?\s(?=\"[^\"\n]{1,200}\"\s{0,4}(?:\n|\Z))"),
    ('"AUTH"', r"\"AUTH\"(?:\s\"[^\"\n]{1,64}\")?\s(?=\"[^\"\n]{1,200}\"\s{0,4}(?:\n|\Z))"),
)
_COMMANDS: Final = tuple(
    (name, re.compile(rf"({before})(?!\s|\[redacted\])(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']+)"))
    for name, before in _PROGRAMS
)
_ARGV: Final = words(
    """
    7z 7za ab az bw curl docker helm htpasswd http https ldapadd ldapmodify ldapsearch ldapwhoami
    mariadb mariadb-dump mongo mongodump mongoexport mongoimport mongorestore mongosh mysql
    mysqladmin mysqldump mysqlimport net oc openssl podman redis-cli smbclient sqlcmd ssh-keygen
    sshpass unzip vault wpa_passphrase xfreerdp zip
    """
)
_LIST: Final = re.compile(
    r"\[[\"'](?P<program>[\w./\-]{1,64})[\"'](?:, ?[\"'][^\"'\n\[\]]{0,400}[\"']){1,60}"
    r"(?:\]|,? ?(?:[\"'][^\"'\n\[\]]{0,400})?\Z)"
)
_ITEM: Final = re.compile(r"(?<=[\"'])[^\"'\n]*(?=[\"'](?:, ?[\"']|\]|,? ?\Z))")
_SECRETS: Final = re.compile(
    r"\b(?:secrets?\s+(?:set|put|create|add)|create\s+secret)\s[^\n|;&]{1,400}"
)
_SECRETS_PAIR: Final = re.compile(
    r"((?<=\s)(?:--from-literal[= ])?[\"']?[A-Za-z_][\w.\-]{0,63}=)(?P<value>\"[^\"\n]*\""
    r"|'[^'\n]*'|[^\s\"']+)"
)
_SETTING: Final = re.compile(
    r"(?P<head>(?<!\S)(?:ENV|setx|setenv|(?:config[ \t])?set|config)[ \t]{1,3})"
    r"(?P<where>(?://\S{1,100}:)?)(?P<name>[A-Za-z_][\w.\-]{2,64})(?P<gap>[ \t]{1,3})"
    r"(?P<value>\"[^\"\n]++\"|'[^'\n]++'|[^\s\"']++)"
)
_LISTED: Final = re.compile(
    r"(?P<head>(?P<quote>[\"'])--?(?P<flag>[A-Za-z][\w.\-]{1,48})(?P=quote),[ \t]{0,4}[\"'])"
    r"(?P<value>[^\"'\n]++)"
)
_USER_AND_PASSWORD: Final = re.compile(
    r"(?P<head>(?<!\S)(?:-[uU] ?|--?user(?:name)?[ =]|user ?add )[^\s,]{1,64}"
    r"(?:[ ](?!-[pP][ ])-\S{1,32}){0,3}(?:[ ]-[pP][ ]|,))"
    r"(?P<value>[^\s\"']{6,128}+)"
)
"""Of any program: `-u hana -p hunter2x`, but not `-u 1000 -p 8080:80`."""
_TOKEN_AS_USER: Final = re.compile(
    r"(?P<head>(?<!\S)(?:-u|--user)[ =][\"']?)(?P<value>[^\s:\"'$]{16,128}+)(?=:[\"']?(?:\s|\Z))"
)
_POP: Final = re.compile(
    r"(?m)^(?P<head>(?:[<>] ?)?(?:PASS|(?:LOGIN|OPER) [\w.@+\-]{1,64}) )"
    r"(?P<value>[^\s/.]{4,128}+)(?=\r?$)"
)
"""A line of POP, FTP or a chat."""
_FLAG: Final = re.compile(
    r"(?<!\S)(?P<flag>--?[A-Za-z][\w.\-]{1,48})(?P<gap>[ \t]{1,3})"
    r"(?P<value>\"[^\"]*+\"?|'[^']*+'?|[^\s\-<>|&;][^\s]*+)"
)


_NO_VALUES: Final = frozenset(
    {MARKER} | words("and as by can cannot flag for from in invalid is may must option or to via")
)
"""What follows an option that is only spoken of: `Using --password via the CLI`."""
_SENT: Final = re.compile(
    r"(?i)((?:password|passphrase|passcode|pin|otp)[^\"'\n]{0,40}[\"']\)?[;\s]{1,8}[a-z_.]{0,20}?"
    r"send(?:line)?[ (]{1,2}(?:-- )?(?P<quote>[\"']))(?:(?!(?P=quote))[^\\\n]|\\.)++"
)
"""What a script types where it waits for a question: `expect "Password:" send "…"`."""


def hide_commands(text: str, judge: KeyJudge) -> str:
    """Text without the secret values of commands: `--api-key abc`, `ENV API_KEY abc`."""

    def hide(match: re.Match[str]) -> str:
        flag = match["flag"].lstrip("-")
        if judge(flag) is not Rule.HIDE or match["value"] in _NO_VALUES:
            return match[0]
        if flag == "secret-id" and not looks_random(match["value"]):
            return match[0]  # what AWS calls a secret
        return f"{match['flag']}{match['gap']}{MARKER}"

    def hide_setting(match: re.Match[str]) -> str:
        value = match["value"].strip("\"'")
        if judge(match["name"]) is not Rule.HIDE or not (mixes(value) or looks_random(value)):
            return match[0]
        return f"{match['head']}{match['where']}{match['name']}{match['gap']}{MARKER}"

    def hide_listed(match: re.Match[str]) -> str:
        return f"{match['head']}{MARKER}" if judge(match["flag"]) is Rule.HIDE else match[0]

    if "', '-" in text or '", "-' in text:
        text = _LIST.sub(lambda match: _hide_listed_words(match, judge), text)
    for program, pattern in _COMMANDS:
        if program in text:
            text = pattern.sub(rf"\g<1>{MARKER}", text)
    if "PASS " in text or "LOGIN " in text:
        text = _POP.sub(_hide_chosen, text)
    if "send" in text:
        text = _SENT.sub(rf"\g<1>{MARKER}", text)
    if "secret" in text:
        text = _SECRETS.sub(lambda match: _SECRETS_PAIR.sub(_hide_mixed, match[0]), text)
    if "ENV " in text or "set" in text or "config " in text:
        text = _SETTING.sub(hide_setting, text)
    if "'-" in text or '"-' in text:
        text = _LISTED.sub(hide_listed, text)
    if " -" not in text and "\n-" not in text and not text.startswith("-"):
        return text
    text = _TOKEN_AS_USER.sub(_hide_random, text)
    text = _USER_AND_PASSWORD.sub(_hide_chosen, text)
    return _USER_FLAG.sub(rf"\g<1>{MARKER}", _FLAG.sub(hide, text))


def is_program(word: str) -> bool:
    """Whether a list that begins with this word is a command whose options may hold secrets."""
    return word.rpartition("/")[2] in _ARGV


def hidden_words(argv: list[str], judge: KeyJudge) -> list[str]:
    """The words of such a command without secrets: `["sshpass", "-p", "…"]`."""
    whole = ["_".join(word.split()) or "_" for word in argv]
    shown = hide_commands(" ".join(whole), judge).split(" ")
    if len(shown) != len(whole):
        return argv
    return [
        word if after == before else after
        for word, before, after in zip(argv, whole, shown, strict=True)
    ]


def hidden_login(word: str) -> str:
    """`hana:…`, as it stands behind `-u`; but not `1000:1000`."""
    user, _, password = word.partition(":")
    return f"{user}:{MARKER}" if mixes(password) else word


def _hide_listed_words(match: re.Match[str], judge: KeyJudge) -> str:
    if not is_program(match["program"]):
        return match[0]
    shown = iter(hidden_words(_ITEM.findall(match[0]), judge))
    return _ITEM.sub(lambda item: next(shown, item[0]), match[0])


def _hide_chosen(match: re.Match[str]) -> str:
    return match["head"] + MARKER if looks_chosen(match["value"]) else match[0]


def _hide_random(match: re.Match[str]) -> str:
    return match["head"] + MARKER if looks_random(match["value"]) else match[0]


def _hide_mixed(match: re.Match[str]) -> str:
    return match[1] + MARKER if mixes(match["value"]) else match[0]
