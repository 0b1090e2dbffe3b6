import type { Reason } from '../../api/types'

const reasons: Record<Reason, string> = {
  host_unknown: 'Kein Server heißt so. Prüfen Sie, wie der IMAP-Server geschrieben wird.',
  address_refused: 'Diese Adresse oder dieser Port ist hier nicht erlaubt. Nehmen Sie den öffentlichen Namen des Mailservers und Port 993 oder 143.',
  connection_refused: 'An diesem Port antwortet nichts. Prüfen Sie Servername und Port; IMAP mit TLS ist meist 993.',
  timed_out: 'Der Server hat nicht rechtzeitig geantwortet. Prüfen Sie Servername und Port und versuchen Sie es später noch einmal.',
  tls_untrusted: 'Dem Zertifikat des Servers ist unter diesem Namen nicht zu trauen. Nehmen Sie den Namen, den Ihr Anbieter für IMAP nennt.',
  tls_unavailable: 'Der Server bietet hier keine Verschlüsselung an. Nehmen Sie Port 993 mit TLS oder 143 mit STARTTLS.',
  plain_refused: 'Mailtide schickt kein Kennwort ohne Verschlüsselung. Wählen Sie TLS oder STARTTLS.',
  not_imap: 'Was hier antwortet, ist kein IMAP-Server. Prüfen Sie den Port; IMAP mit TLS ist meist 993.',
  login_refused: 'Der Server hat Benutzername oder Kennwort abgelehnt. Viele Anbieter verlangen ein App-Kennwort aus ihren Sicherheitseinstellungen.',
  login_unsupported: 'Der Server nimmt diese Art der Anmeldung nicht an. Nehmen Sie ein App-Kennwort oder, wenn Ihr Anbieter es verlangt, ein Zugriffstoken.',
  access_lost: 'Das Konto lässt sich nicht mehr öffnen. Geben Sie die Zugangsdaten noch einmal ein.',
  connection_lost: 'Die Verbindung ist abgebrochen. Mailtide verbindet sich von selbst neu.',
  busy: 'Der Server ist ausgelastet. Mailtide versucht es von selbst noch einmal.',
  throttled: 'Der Server hat um eine Pause gebeten. Mailtide macht von selbst weiter.',
  same_account: 'Quelle und Ziel sind dasselbe Postfach. Wählen Sie zwei verschiedene Konten.',
  folder_gone: 'Den Ordner gibt es nicht mehr. Wurde er umbenannt, starten Sie den Umzug noch einmal.',
  folder_refused: 'Der Server wollte diesen Ordner nicht anlegen oder öffnen. Legen Sie ihn dort von Hand an oder lassen Sie ihn weg.',
  folder_failing: 'Der Server kann diesen Ordner wegen eines eigenen Fehlers nicht öffnen oder anlegen. Sagen Sie es seinem Anbieter und versuchen Sie es dann erneut.',
  no_permission: 'Das Konto darf diesen Ordner nicht lesen oder beschreiben. Fragen Sie die Verwaltung oder lassen Sie ihn weg.',
  folder_unstable: 'Der Server hat diesen Ordner immer wieder neu nummeriert. Versuchen Sie es später.',
  message_refused: 'Das Ziel hat diese Nachricht abgelehnt. Sichern Sie sie von Hand, wenn Sie sie brauchen.',
  message_too_large: 'Die Nachricht ist größer, als das Ziel annimmt. Sichern Sie sie von Hand.',
  over_quota: 'Das Ziel ist voll. Schaffen Sie Platz oder vergrößern Sie es und versuchen Sie es noch einmal.',
  message_unreadable: 'Die Quelle hat diese Nachricht nicht herausgegeben. Öffnen Sie sie dort und versuchen Sie es noch einmal.',
  unconfirmed: 'Sie ist vielleicht schon am Ziel, und nichts verrät es: Sie wurde gesendet und nie bestätigt, oder eine Nachricht dort ist nicht lesbar. Kopiert wäre sie vielleicht doppelt. Suchen Sie sie dort.',
  removed_at_destination: 'Sie kam an und wurde am Ziel von jemand anderem entfernt. Sie wird nicht zurückgeholt.',
  rewritten: 'Das Ziel hat diese Nachricht beim Speichern verändert.',
  flags_dropped: 'Das Ziel hat einige Kennzeichen dieser Nachricht abgelehnt; sie kam ohne diese an.',
  date_dropped: 'Das Ziel hat das Datum dieser Nachricht abgelehnt; sie kam an und trägt den Tag des Umzugs.',
  merged: 'Das Ziel bewahrt gleiche Nachrichten nur einmal auf: Eine, die schon da war, steht für diese.',
  surplus: 'Am Ziel liegt diese Nachricht einmal zu oft. Löschen Sie eine von Hand, wenn Sie das stört.',
  agent_failed: 'Sein Agent hat aufgegeben. Was er dazu sagte, steht bei den Fehlern; fangen Sie mit einem neuen Auftrag wieder an.',
  item_failed: 'Der Agent konnte dies nicht übertragen. Warum, sagen seine eigenen Worte.',
  protocol: 'Der Server hat etwas geantwortet, das kein IMAP ist. Versuchen Sie es noch einmal; bleibt es so, sagen Sie es dem Anbieter.',
  internal: 'Mailtide kam hier nicht weiter. Versuchen Sie es noch einmal.',
}

export const texts = { reasons }

// What goes wrong is loaded as one.
export { notices } from './notices'
export { problems } from './problems'
