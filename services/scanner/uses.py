"""What a folder is for: by the attribute its server gives it (RFC 6154), else by its name in many languages. Pure."""

from collections.abc import Mapping, Sequence

from libs.mailbox.port import Folder, Namespace

SENT, DRAFTS, JUNK, TRASH, ARCHIVE = "\\Sent", "\\Drafts", "\\Junk", "\\Trash", "\\Archive"
MAPPED = (SENT, DRAFTS, JUNK, TRASH, ARCHIVE)
ALL = "\\All"
VIEWS = frozenset({"\\Flagged", "\\Important"})  # show mail that lies in other folders

# By language, in the order of MAPPED. The first name is the one that is given to a folder that is missing.
_LANGUAGES: tuple[tuple[Sequence[str], ...], ...] = (
    (
        ("Sent", "Sent Items", "Sent Messages", "Sent Mail"),
        ("Drafts", "Draft"),
        ("Junk", "Spam", "Junk E-mail", "Junk Email", "Junk Mail", "Bulk Mail", "Bulk"),
        ("Trash", "Deleted Items", "Deleted Messages", "Deleted", "Bin"),
        ("Archive", "Archives"),
    ),
    (
        ("Gesendet", "Gesendete Elemente", "Gesendete Objekte", "Gesendete Nachrichten"),
        ("Entwürfe", "Entwurf"),
        ("Junk-E-Mail", "Spamverdacht", "Unerwünscht"),
        ("Papierkorb", "Gelöschte Elemente", "Gelöschte Objekte", "Gelöschte Nachrichten", "Gelöscht"),
        ("Archiv",),
    ),
    (
        ("Éléments envoyés", "Envoyés", "Messages envoyés", "Courrier envoyé", "Objets envoyés"),
        ("Brouillons", "Brouillon"),
        ("Indésirables", "Courrier indésirable", "Pourriel"),
        ("Corbeille", "Éléments supprimés", "Messages supprimés"),
        ("Archives", "Archivage"),
    ),
    (
        ("Enviados", "Elementos enviados", "Mensajes enviados", "Correo enviado"),
        ("Borradores", "Borrador"),
        ("Correo no deseado", "Correo basura"),
        ("Papelera", "Elementos eliminados", "Mensajes eliminados"),
        ("Archivo", "Archivados"),
    ),
    (
        ("Inviati", "Posta inviata", "Messaggi inviati"),
        ("Bozze", "Bozza"),
        ("Posta indesiderata", "Indesiderata"),
        ("Cestino", "Posta eliminata", "Eliminati"),
        ("Archivio", "Archiviati"),
    ),
    (
        ("Itens enviados", "Mensagens enviadas", "Correio enviado"),
        ("Rascunhos", "Rascunho"),
        ("Lixo eletrônico", "Lixo eletrónico", "Correio eletrônico não solicitado"),
        ("Lixeira", "Lixo", "Itens excluídos", "Itens eliminados", "Reciclagem"),
        ("Arquivo", "Arquivados"),
    ),
    (
        ("Verzonden", "Verzonden items", "Verzonden berichten"),
        ("Concepten", "Concept"),
        ("Ongewenste e-mail", "Ongewenst"),
        ("Prullenbak", "Verwijderde items", "Verwijderde berichten"),
        ("Archief",),
    ),
    (
        ("Wysłane", "Elementy wysłane", "Wysłane wiadomości"),
        ("Szkice", "Kopie robocze", "Wersje robocze", "Robocze"),
        ("Wiadomości-śmieci", "Niechciana poczta"),
        ("Kosz", "Elementy usunięte", "Usunięte"),
        ("Archiwum",),
    ),
    (
        ("Odeslané", "Odeslaná pošta", "Odeslaná", "Odoslané", "Odoslaná pošta"),
        ("Koncepty", "Rozepsané", "Rozpísané"),
        ("Nevyžádaná pošta", "Nevyžiadaná pošta"),
        ("Koš", "Odstraněná pošta", "Kôš", "Odstránená pošta"),
        ("Archív",),
    ),
    (
        ("Elküldött", "Elküldött elemek", "Elküldött levelek"),
        ("Piszkozatok", "Piszkozat"),
        ("Levélszemét",),
        ("Lomtár", "Törölt elemek", "Kuka"),
        ("Archívum",),
    ),
    (
        ("Skickat", "Skickade objekt", "Skickade meddelanden", "Sendt", "Sendte elementer", "Sendt post", "Sendte"),
        ("Utkast", "Kladder", "Kladde"),
        ("Skräppost", "Søppelpost", "Uønsket e-post", "Uønsket mail", "Uønsket post"),
        ("Papperskorgen", "Borttaget", "Papirkurv", "Slettet post", "Slettede elementer", "Slettet"),
        ("Arkiv",),
    ),
    (
        ("Lähetetyt", "Lähetetyt viestit"),
        ("Luonnokset", "Luonnos"),
        ("Roskaposti",),
        ("Roskakori", "Poistetut"),
        ("Arkisto",),
    ),
    (
        ("Отправленные", "Отправленное", "Надіслані", "Відправлені"),
        ("Черновики", "Чернетки"),
        ("Спам", "Нежелательная почта", "Небажана пошта"),
        ("Корзина", "Удаленные", "Удалённые", "Кошик", "Видалені"),
        ("Архив", "Архів"),
    ),
    (
        ("Gönderilmiş Öğeler", "Gönderilenler", "Gönderilmiş"),
        ("Taslaklar", "Taslak"),
        ("Önemsiz", "Gereksiz", "İstenmeyen"),
        ("Çöp Kutusu", "Çöp", "Silinmiş Öğeler"),
        ("Arşiv",),
    ),
    (
        ("Απεσταλμένα",),
        ("Πρόχειρα",),
        ("Ανεπιθύμητα", "Ανεπιθύμητη αλληλογραφία"),
        ("Κάδος", "Διαγραμμένα", "Κάδος απορριμμάτων"),
        ("Αρχειοθήκη", "Αρχείο"),
    ),
    (
        ("Trimise", "Elemente trimise"),
        ("Ciorne", "Schițe"),
        ("Mesaje nedorite", "E-mail nedorit"),
        ("Coș de gunoi", "Elemente șterse", "Șterse"),
        ("Arhivă", "Arhiva"),
    ),
    (
        ("送信済み", "送信済みトレイ", "送信済みアイテム"),
        ("下書き",),
        ("迷惑メール",),
        ("ゴミ箱", "削除済みアイテム"),
        ("アーカイブ",),
    ),
    (
        ("已发送", "已发送邮件", "已傳送郵件", "寄件備份"),
        ("草稿", "草稿箱", "草稿匣"),
        ("垃圾邮件", "垃圾郵件"),
        ("已删除", "已删除邮件", "垃圾桶", "刪除的郵件"),
        ("存档", "归档", "封存"),
    ),
    (
        ("보낸 편지함", "보낸메일함", "보낸 메일함"),
        ("임시 보관함", "임시보관함"),
        ("정크 메일", "스팸메일함", "스팸함"),
        ("휴지통", "지운 편지함"),
        ("보관함",),
    ),
)


def components(folder: Folder, namespace: Namespace) -> list[str]:
    """The parts of a name without the namespace's prefix."""
    name = folder.name
    if namespace.prefix and name.startswith(namespace.prefix):
        name = name[len(namespace.prefix) :]
    return name.split(folder.delimiter) if folder.delimiter else [name]


def of_folders(folders: Sequence[Folder], namespace: Namespace) -> dict[str, Folder]:
    """The folder of each use of MAPPED. A name is believed only where no folder has the attribute."""
    found: dict[str, Folder] = {}
    for folder in folders:
        if folder.selectable and folder.special_use in MAPPED:
            found.setdefault(folder.special_use, folder)
    named: dict[str, Folder] = {}
    for folder in folders:
        parts = components(folder, namespace)
        if folder.selectable and folder.special_use is None and len(parts) == 1:
            named.setdefault(parts[0].casefold(), folder)
    for index, use in enumerate(MAPPED):
        names = (name for language in _LANGUAGES for name in language[index])
        if use not in found and (folder := next((named[n] for n in map(str.casefold, names) if n in named), None)):
            found[use] = folder
    return found


def customary_name(use: str, others: Mapping[str, Folder], namespace: Namespace) -> str:
    """What a folder of this use is called beside the special folders that are there: in their language, or English."""
    there = {components(folder, namespace)[-1].casefold() for folder in others.values()}
    language = max(_LANGUAGES, key=lambda one: sum(name.casefold() in there for names in one for name in names))
    return language[MAPPED.index(use)][0]
