"""Zones of mail in eighteen languages, by the words of the programs that write it."""

import re

import pytest

from rl_emails_assets.mail.zones import split_zones

ATTRIBUTIONS = """
On Mon, Mar 3, 2031 at 9:30 AM Ann Example <ann@x.test> wrote:
On Mon, 3 Mar 2031 at 09:30, Ann Example <ann@x.test> wrote:
On Mar 3, 2031, at 9:30 AM, Ann Example <ann@x.test> wrote:
On 3 Mar 2031, at 09:30, Ann Example <ann@x.test> wrote:
On 3/3/31 09:30, Ann Example wrote:
On 2031-03-03 09:30, Ann Example wrote:
On 3/3/2031 9:30 AM, Ann Example wrote:
On Monday, March 3, 2031 at 09:30:12 AM GMT+1, Ann Example <ann@x.test> wrote:
On Monday, March 3rd, 2031 at 9:30 AM, Ann Example <ann@x.test> wrote:
On Monday, 3 March 2031, 9:30, Ann Example via list <list@x.test> wrote:
At 09:30 03/03/2031, Ann Example wrote:
Ann Example <ann@x.test> wrote on 03/03/2031 09:30:12 AM:
In a message dated 3/3/2031 9:30:12 A.M. Eastern Standard Time, ann@x.test writes:
2031-03-03 9:30 GMT+01:00 Ann Example <ann@x.test>:
Am Mo., 3. März 2031 um 09:30 Uhr schrieb Ann Beispiel <ann@x.test>:
Am 03.03.2031 um 09:30 schrieb Ann Beispiel <ann@x.test>:
Am 03.03.31 um 09:30 schrieb Ann Beispiel:
Am Montag, 3. März 2031 um 09:30:12 MEZ hat Ann Beispiel <ann@x.test> Folgendes geschrieben:
Am Montag, 3. März 2031 um 09:30, Ann Beispiel <ann@x.test> schrieb:
Gesendet: Montag, 3. März 2031 um 09:30 Uhr schrieb Ann Beispiel <ann@x.test>:
Le lun. 3 mars 2031 à 09:30, Ann Exemple <ann@x.test> a écrit :
Le 3 mars 2031 à 09:30, Ann Exemple <ann@x.test> a écrit :
Le 03/03/2031 à 09:30, Ann Exemple a écrit :
Le lundi 3 mars 2031 à 09:30:12 UTC+1, Ann Exemple <ann@x.test> a écrit :
El lun, 3 mar 2031 a las 9:30, Ana Ejemplo (<ana@x.test>) escribió:
El 3 mar 2031, a las 9:30, Ana Ejemplo <ana@x.test> escribió:
El 3/3/31 a las 9:30, Ana Ejemplo escribió:
En lunes, 3 de marzo de 2031, 9:30:12 CET, Ana Ejemplo <ana@x.test> escribió:
Em seg., 3 de mar. de 2031 às 09:30, Ana Exemplo <ana@x.test> escreveu:
Em 3 de mar. de 2031, à(s) 09:30, Ana Exemplo <ana@x.test> escreveu:
No dia 3/03/2031, às 09:30, Ana Exemplo <ana@x.test> escreveu:
Às 09:30 de 03/03/2031, Ana Exemplo escreveu:
Em segunda-feira, 3 de março de 2031 09:30:12 BRT, Ana Exemplo <ana@x.test> escreveu:
Il giorno lun 3 mar 2031 alle ore 09:30 Anna Esempio <anna@x.test> ha scritto:
Il giorno 3 mar 2031, alle ore 09:30, Anna Esempio <anna@x.test> ha scritto:
Il 03/03/31 09:30, Anna Esempio ha scritto:
Il lunedì 3 marzo 2031 alle ore 09:30:12 CET, Anna Esempio <anna@x.test> ha scritto:
Op ma 3 mrt 2031 om 09:30 schreef Anna Voorbeeld <anna@x.test>:
Op 3 mrt. 2031, om 09:30 heeft Anna Voorbeeld <anna@x.test> het volgende geschreven:
Op 3-3-2031 om 09:30 schreef Anna Voorbeeld:
Op maandag 3 maart 2031 09:30:12 CET schreef Anna Voorbeeld <anna@x.test>:
pon., 3 mar 2031 o 09:30 Anna Przykład <anna@x.test> napisał(a):
Wiadomość napisana przez Anna Przykład <anna@x.test> w dniu 3 mar 2031, o godz. 09:30:
W dniu 3.03.2031 o 09:30, Anna Przykład pisze:
Dnia 3 marca 2031 09:30 Anna Przykład <anna@x.test> napisał(a):
пн, 3 мар. 2031 г. в 09:30, Анна Пример <anna@x.test>:
3 марта 2031 г., в 09:30, Анна Пример <anna@x.test> написал(а):
03.03.2031 9:30, Анна Пример пишет:
Понедельник, 3 марта 2031, 9:30 +03:00 от Анна Пример <anna@x.test>:
Den mån 3 mars 2031 kl 09:30 skrev Anna Exempel <anna@x.test>:
3 mars 2031 kl. 09:30 skrev Anna Exempel <anna@x.test>:
Den 2031-03-03 kl. 09:30, skrev Anna Exempel:
Den man. 3. mar. 2031 kl. 09.30 skrev Anna Eksempel <anna@x.test>:
Den 3. mar. 2031 kl. 09.30 skrev Anna Eksempel <anna@x.test>:
Den 03.03.2031 kl. 09.30 skrev Anna Eksempel:
man. 3. mars 2031 kl. 09:30 skrev Anna Eksempel <anna@x.test>:
3. mars 2031 kl. 09:30 skrev Anna Eksempel <anna@x.test>:
På 3. mars 2031 på 09:30:12, Anna Eksempel (anna@x.test) skrev:
ma 3. maalisk. 2031 klo 9.30 Anna Esimerkki (anna@x.test) kirjoitti:
Anna Esimerkki <anna@x.test> kirjoitti 3.3.2031 kello 9.30:
po 3. 3. 2031 v 9:30 odesílatel Anna Vzorová <anna@x.test> napsal:
Dne 03. 03. 31 v 9:30 Anna Vzorová napsal(a):
Anna Örnek <anna@x.test>, 3 Mar 2031 Pzt, 09:30 tarihinde şunu yazdı:
Anna Örnek <anna@x.test> şunları yazdı (3 Mar 2031 09:30):
3.03.2031 09:30 tarihinde Anna Örnek yazdı:
2031年3月3日(月) 9:30 例 安 <anna@x.test>:
2031/03/03 9:30、例 安 <anna@x.test>のメール:
2031/03/03 9:30、例 安 <anna@x.test>のメッセージ:
On 2031/03/03 9:30, 例 安 wrote:
例安 <anna@x.test> 于2031年3月3日周一 09:30写道：
例安 <anna@x.test> 於 2031年3月3日 週一 上午9:30寫道：
在 2031年3月3日，上午9:30，例安 <anna@x.test> 写道：
在 2031/3/3 9:30, 例安 写道:
2031년 3월 3일 (월) 오전 9:30, 안나 <anna@x.test>님이 작성:
2031. 3. 3. 오전 9:30, 안나 <anna@x.test> 작성:
2031-03-03 오전 9:30에 안나 이(가) 쓴 글:
пн, 3 бер. 2031 р. о 09:30 Анна Приклад <anna@x.test> пише:
3 березня 2031 р. о 09:30 <anna@x.test> написав:
""".strip().split("\n")
"""Gmail, Apple Mail, Thunderbird, Yahoo, Proton Mail, Lotus Notes and older programs."""

HEADER_WORDS = """
From|Sent|To|Subject
From|Date|To|Subject
Von|Gesendet|An|Betreff
Von|Datum|An|Betreff
De|Envoyé|À|Objet
De|Date|À|Objet
De|Enviado|Para|Asunto
De|Enviado el|Para|Asunto
De|Fecha|Para|Asunto
De|Enviada em|Para|Assunto
De|Data|Para|Assunto
Da|Inviato|A|Oggetto
Da|Data|A|Oggetto
Van|Verzonden|Aan|Onderwerp
Van|Datum|Aan|Onderwerp
Od|Wysłano|Do|Temat
Od|Data|Do|Temat
От|Отправлено|Кому|Тема
От|Дата|Кому|Тема
Från|Skickat|Till|Ämne
Från|Datum|Till|Ämne
Fra|Sendt|Til|Emne
Fra|Dato|Til|Emne
Lähettäjä|Lähetetty|Vastaanottaja|Aihe
Lähettäjä|Päiväys|Vastaanottaja|Aihe
Od|Odesláno|Komu|Předmět
Od|Datum|Komu|Předmět
Kimden|Gönderildi|Kime|Konu
Gönderen|Tarih|Alıcı|Konu
差出人|送信日時|宛先|件名
送信者|日付|宛先|件名
发件人|发送时间|收件人|主题
发件人|日期|收件人|主题
寄件者|寄件日期|收件者|主旨
보낸 사람|보낸 날짜|받는 사람|제목
보낸사람|날짜|받는사람|제목
Від|Відправлено|Кому|Тема
""".strip().split("\n")
"""The words of Outlook, Apple Mail, Gmail and Samsung for sender, time, recipient and subject."""

DIVIDERS = """
-----Original Message-----
-------- Original message --------
------- Original Message -------
---------- Forwarded message ---------
-------- Forwarded Message --------
-----Ursprüngliche Nachricht-----
-------- Ursprüngliche Nachricht --------
-------- Weitergeleitete Nachricht --------
-----Message d'origine-----
-------- Message d’origine --------
-------- Message transféré --------
-----Mensaje original-----
---------- Mensaje reenviado ---------
-----Mensagem original-----
---------- Mensagem encaminhada ---------
-----Messaggio originale-----
-------- Messaggio Inoltrato --------
-----Oorspronkelijk bericht-----
-------- Doorgestuurd bericht --------
-----Wiadomość oryginalna-----
-------- Oryginalna wiadomość --------
-------- Wiadomość przekazana dalej --------
-----Исходное сообщение-----
-------- Исходное сообщение --------
-------- Перенаправленное сообщение --------
-----Ursprungligt meddelande-----
-------- Originalmeddelande --------
-------- Vidarebefordrat meddelande --------
-----Oprindelig meddelelse-----
-------- Oprindelig besked --------
-------- Videresendt besked --------
-----Opprinnelig melding-----
---------- Videresendt melding ---------
-----Alkuperäinen viesti-----
-------- Välitetty viesti --------
-----Původní zpráva-----
-------- Přeposlaná zpráva --------
-----Orijinal Mesaj-----
-------- Orijinal mesaj --------
-------- İletilmiş İleti --------
-----元のメッセージ-----
-------- 転送メッセージ --------
-----邮件原件-----
-------- 原始邮件 --------
-------- 转发的邮件 --------
-----原始郵件-----
-----원본 메시지-----
-------- 원본 이메일 --------
-------- 전달된 메시지 --------
----- Forwarded by Ann Example/HOU/X on 03/03/2031 09:30 AM -----
----- Weitergeleitet von Ann Beispiel/X am 03.03.2031 09:30 -----
""".strip().split("\n")

FORWARD_STARTS = """
Begin forwarded message:
Anfang der weitergeleiteten Nachricht:
Début du message réexpédié :
Inicio del mensaje reenviado:
Início da mensagem reencaminhada:
Inizio messaggio inoltrato:
Begin doorgestuurd bericht:
Początek przekazanej wiadomości:
Начало переадресованного сообщения:
Vidarebefordrat brev:
Start på videresendt besked:
Videresendt melding:
Välitetty viesti alkaa:
Začátek přeposlané zprávy:
İletilen ileti başlangıcı:
転送されたメッセージ:
开始转发的邮件：
전달된 메시지 시작:
""".strip().split("\n")
"""Apple Mail."""

PHONE_LINES = """
Sent from my iPhone
Sent from my Galaxy
Sent from Outlook for iOS
Get Outlook for Android
Sent from Proton Mail for iOS
Sent with Proton Mail secure email.
Sent from Yahoo Mail on Android
Sent from Mail for Windows
Von meinem iPhone gesendet
Gesendet mit der mobilen Mail App
Outlook für iOS beziehen
Holen Sie sich Outlook für Android
Von meinem Samsung Galaxy Smartphone gesendet.
Envoyé de mon iPhone
Envoyé à partir de Outlook pour iOS
Télécharger Outlook pour Android
Obtenir Outlook pour iOS
Enviado desde mi iPhone
Obtener Outlook para iOS
Enviado do meu iPhone
Obter o Outlook para iOS
Inviato da iPhone
Inviato dal mio dispositivo
Ottieni Outlook per iOS
Verstuurd vanaf mijn iPhone
Verzonden vanaf mijn iPhone
Outlook voor iOS downloaden
Wysłane z iPhone’a
Pobierz program Outlook dla systemu iOS
Отправлено с iPhone
Получите Outlook для iOS
Skickat från min iPhone
Hämta Outlook för iOS
Sendt fra min iPhone
Hent Outlook til iOS
Last ned Outlook for iOS
Lähetetty iPhonesta
Hanki Outlook for iOS
Odesláno z iPhonu
Získat Outlook pro iOS
iPhone’umdan gönderildi
iOS için Outlook uygulamasını edinin
iPhoneから送信
iOS 版 Outlook を入手
发自我的iPhone
從我的 iPhone 傳送
获取 Outlook for iOS
나의 iPhone에서 보냄
iOS용 Outlook 다운로드
""".strip().split("\n")

SIGN_OFFS = """
Best regards,
Kind regards
Many thanks,
Cheers,
Yours sincerely,
Mit freundlichen Grüßen
Viele Grüße
Liebe Grüße
MfG
Cordialement,
Bien à vous,
Bonne journée,
Sincères salutations,
Saludos cordiales,
Un saludo,
Atentamente,
Muchas gracias,
Atenciosamente,
Com os melhores cumprimentos,
Abraço,
Obrigada,
Cordiali saluti,
Distinti saluti
Grazie mille,
A presto,
Met vriendelijke groet,
Hartelijke groeten,
Mvg,
Z poważaniem
Pozdrawiam,
С уважением,
Спасибо,
Med vänlig hälsning
Hälsningar
Med venlig hilsen
Vennlig hilsen
Mvh
Ystävällisin terveisin
Terveisin,
S pozdravem
Děkuji,
Saygılarımla,
İyi çalışmalar,
よろしくお願いいたします。
此致
谢谢
감사합니다.
""".strip().split("\n")

GREETINGS = """
Hi Ann,
Hello,
Dear Ms. Example,
Dear all
Good morning Ann -
Hey!
Ann,
To whom it may concern:
Hallo Ann,
Sehr geehrte Frau Beispiel,
Liebe Ann,
Guten Tag Frau Beispiel
Bonjour Ann,
Chère Madame,
Madame, Monsieur,
Hola Ana:
Estimada Sra. Ejemplo:
Buenos días,
Olá Ana,
Prezada Ana,
Bom dia!
Ciao Anna,
Gentile Dott.ssa Esempio,
Buongiorno,
Beste Anna,
Geachte mevrouw Voorbeeld,
Hoi Anna,
Cześć Anna,
Szanowna Pani,
Dzień dobry,
Здравствуйте, Анна!
Уважаемая Анна,
Добрый день!
Hej Anna,
Hejsan!
Kære Anna
Kjære Anna,
Hei Anna,
Hyvä Anna,
Dobrý den,
Vážená paní Vzorová,
Merhaba Anna,
Sayın Anna Örnek,
例様
お世話になっております。
您好，
尊敬的例女士：
안녕하세요.
안나 님께
""".strip().split("\n")

DISCLAIMERS = """
CONFIDENTIALITY NOTICE: This message is for the addressee.
This e-mail and any attachments are confidential and intended solely for the addressee.
If you are not the intended recipient, please delete this message.
Diese E-Mail enthält vertrauliche Informationen.
Ce message est confidentiel.
Este mensaje es confidencial.
Esta mensagem é confidencial e destina-se exclusivamente ao destinatário.
Questo messaggio è riservato.
Dit bericht is vertrouwelijk.
Ta wiadomość jest poufna i przeznaczona wyłącznie dla adresata.
Это сообщение является конфиденциальным.
Detta meddelande är konfidentiellt.
Denne e-mail er fortrolig.
Denne e-posten er konfidensiell.
Tämä viesti on luottamuksellinen.
Tato zpráva je důvěrná.
Bu e-posta gizlidir.
このメールには機密情報が含まれています。
本邮件包含机密信息。
본 메일은 기밀 정보를 포함하고 있습니다.
Please consider the environment before printing this e-mail.
To unsubscribe from this group, write to the list.
Virus-free. www.x.test
""".strip().split("\n")

FORWARD_DIVIDERS = [
    line
    for line in DIVIDERS
    if re.search(
        "forward|weitergel|transf|reenv|encam|inolt|doorg|przekaz|перен|vidareb|videres|välit|přepos|iletil|転送|转发|전달",
        line.lower().replace("i̇", "i"),
    )
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("mark", ["> ", ""])
def test_attribution(attribution: str, mark: str) -> None:
    """A quoted request would be read as the sender's own, or the sender's words as quoted."""
    quote = f"{attribution}\n\n{mark}Please send the plan.\n{mark}Today"
    zones = split_zones(f"I agree with it.\n\n{quote}")
    assert (zones.new_text, zones.quoted_text) == ("I agree with it.", quote)


@pytest.mark.parametrize("words", HEADER_WORDS)
@pytest.mark.parametrize("colon", [": ", " : ", "："])
@pytest.mark.parametrize("rule", ["", "________________________________\n"])
def test_header_block(words: str, colon: str, rule: str) -> None:
    """The mail below an Outlook header would be read as the sender's own."""
    values = ("Ann <ann@x.test>", "3.3.2031 9:30", "Bob <bob@x.test>", "Plan")
    block = "\n".join(f"{word}{colon}{value}" for word, value in zip(words.split("|"), values, strict=True))
    quote = f"{rule}{block}\n\nPlease send the plan."
    zones = split_zones(f"I agree with it.\n\n{quote}")
    assert (zones.new_text, zones.quoted_text) == ("I agree with it.", quote)
    bold = f"{rule}*{block}"
    assert split_zones(f"I agree with it.\n\n{bold}").new_text == "I agree with it."


@pytest.mark.parametrize("divider", [*DIVIDERS, *FORWARD_STARTS])
def test_divider(divider: str) -> None:
    """What stands below a telephone's divider would be read as the sender's own."""
    quote = f"{divider}\nFrom: Ann\n\nPlease send the plan."
    zones = split_zones(f"I agree with it.\n\n{quote}")
    assert (zones.new_text, zones.quoted_text) == ("I agree with it.", quote)


@pytest.mark.parametrize("divider", [*FORWARD_DIVIDERS, *FORWARD_STARTS])
def test_forwarded(divider: str) -> None:
    """A forwarded mail would look like one that is answered."""
    mail = f"{divider}\n\nPlease send the plan."
    zones = split_zones(f"For you.\n\n{mail}")
    assert zones.forwarded == zones.quoted_text == mail


@pytest.mark.parametrize("divider", sorted(set(DIVIDERS) - set(FORWARD_DIVIDERS)))
def test_answered_is_not_forwarded(divider: str) -> None:
    """An answered mail would look like a forwarded one."""
    assert split_zones(f"For you.\n\n{divider}\n\nPlease send the plan.").forwarded == ""


@pytest.mark.parametrize("line", PHONE_LINES)
def test_what_a_telephone_adds(line: str) -> None:
    """It would count as something that the sender says."""
    zones = split_zones(f"See you there.\n\n{line}")
    assert (zones.new_text, zones.signature, zones.disclaimer) == ("See you there.", line, "")


@pytest.mark.parametrize("sign_off", SIGN_OFFS)
def test_sign_off(sign_off: str) -> None:
    """A name and a title would count as content."""
    zones = split_zones(f"See you there.\n\n{sign_off}\nAnn Example")
    assert (zones.new_text, zones.signature) == ("See you there.", f"{sign_off}\nAnn Example")


@pytest.mark.parametrize("greeting", GREETINGS)
def test_greeting(greeting: str) -> None:
    """The reader's name would be taken for somebody who is written about."""
    text = f"{greeting}\n\nWe will be there at nine. Please bring the plan."
    zones = split_zones(text)
    assert (zones.greeting, zones.new_text) == (greeting, text)


@pytest.mark.parametrize("disclaimer", DISCLAIMERS)
def test_disclaimer(disclaimer: str) -> None:
    """What an office's server adds would be the signature of a person."""
    zones = split_zones(f"See you there.\n\nAnn\n\n{disclaimer}")
    assert (zones.new_text, zones.signature) == ("See you there.", f"Ann\n\n{disclaimer}")
    assert zones.disclaimer == disclaimer
