import type { Formats } from '../../numbers/format'
import type { NoticeTexts } from '../en/notices'
import { listed, say, type Sentence } from '../sentence'

const zahl = (n: number, eins: string, viele: string): string => (n === 1 ? eins : viele)
const nachrichten = (n: number, f: Formats): string => `${f.number(n)} ${zahl(n, 'Nachricht', 'Nachrichten')}`
const zitiert = (name: string): Sentence => ['„', { name }, '“']
const liste = (genannt: readonly Sentence[], mehr: number, f: Formats): Sentence => listed('de', mehr > 0 ? [...genannt, [`noch ${f.number(mehr)}`]] : genannt)
const erkannt = 'werden sie erkannt und überprüft.'

export const notices: NoticeTexts = {
  notices: {
    messages_too_large: (n, f) =>
      say`${nachrichten(n.messages, f)} aus ${zitiert(n.folder)} ${zahl(n.messages, 'lässt', 'lassen')} sich nicht kopieren: Das Ziel nimmt keine Nachricht an, die größer ist als ${f.bytes(n.limit_bytes)}.`,
    folder_refused: (n, f) => [
      ...say`Das Ziel wollte den Ordner ${zitiert(n.folder)} nicht anlegen. ${n.messages > 0 ? `${nachrichten(n.messages, f)} ${zahl(n.messages, 'lässt', 'lassen')} sich nicht kopieren.` : 'Es ist keine Post darin.'}`,
      ...(n.server_text === '' ? [] : say` Der Server sagte: ${{ said: n.server_text }}`),
    ],
    folders_gone: (n, f) =>
      say`Nicht mehr in der Quelle, als ${zahl(n.folders.length, 'er an der Reihe war', 'sie an der Reihe waren')}, und nicht kopiert: ${liste(n.folders.map(zitiert), n.more, f)}. Wurde ein Ordner umbenannt, starten Sie den Umzug noch einmal.`,
    source_folder_gone: (n) =>
      say`Der Ordner ${zitiert(n.folder)} der Quelle wurde inzwischen umbenannt oder gelöscht; was von ihm übrig war, wird übersprungen. Wurde er umbenannt, starten Sie den Umzug noch einmal.`,
    keywords_lost: (n, f) => say`Das Ziel bewahrt in ${zitiert(n.folder)} keine neuen Schlagwörter auf. Nicht übernommen: ${liste(n.keywords.map((name) => [{ name }]), n.more, f)}.`,
    destination_too_small: (n, f) =>
      say`Die Quelle gibt an, ${f.bytes(n.bytes_used)} zu belegen, und das Ziel fasst im Ganzen ${f.bytes(n.bytes_whole)}. Vergrößern Sie es oder lassen Sie Ordner weg, sonst ist es vielleicht voll, bevor alles angekommen ist.`,
    too_little_room: (n, f) =>
      say`Am Ziel sind noch ${f.bytes(n.bytes_free)} frei, und ${f.bytes(n.bytes_planned)} sollen kopiert werden. Schaffen Sie Platz oder vergrößern Sie es, sonst ist es voll, bevor alles angekommen ist.`,
    too_many_messages: (n, f) =>
      say`Das Ziel nimmt noch ${nachrichten(n.messages_free, f)} an, und ${f.number(n.messages_planned)} sollen kopiert werden. Schaffen Sie Platz oder erhöhen Sie diese Grenze, sonst kommt nicht alles an.`,
    shared_left_out: (n, f) => say`Nicht kopiert, weil sie geteilt sind oder anderen gehören: ${liste(n.folders.map(zitiert), n.more, f)}.`,
    names_changed: (n, f) =>
      say`Manche Ordnernamen kann das Ziel nicht so aufnehmen, wie sie sind. Sie kommen verändert an: ${liste(n.renamed.map((one) => say`${zitiert(one.source)} als ${zitiert(one.destination)}`), n.more, f)}.`,
    name_not_taken: (n) => say`Das Ziel nimmt den Namen ${zitiert(n.folder)} nicht an: Dort heißt der Ordner ${zitiert(n.destination)}.`,
    folders_joined: (n, f) =>
      say`${f.number(n.sources.length + n.more)} Ordner der Quelle kommen in einen Ordner am Ziel, ${zitiert(n.folder)}: ${liste(n.sources.map(zitiert), n.more, f)}.`,
    dry_run_blind: () => [
      'Ein Probelauf kann nicht wissen, ob das Ziel die Namen neuer Ordner annimmt, und oft auch nicht, ob es Schlagwörter aufbewahrt: Die meisten Server verraten das erst, wenn etwas geschrieben wird.',
    ],
    messages_rewritten: (n) => [
      {
        size: `Das Ziel verändert Nachrichten beim Speichern, aber nicht ihre wichtigsten Kopfzeilen und ihre Größe. Daran ${erkannt}`,
        headers: `Das Ziel verändert Nachrichten beim Speichern, aber nicht ihre wichtigsten Kopfzeilen. Daran ${erkannt}`,
        message_id: `Das Ziel verändert Nachrichten beim Speichern, aber nicht ihre Message-ID. Allein daran ${erkannt}`,
        none: 'Das Ziel verändert Nachrichten bis zur Unkenntlichkeit, sogar ihre Message-ID. Sie lassen sich nicht überprüfen; was zweifelhaft ist, steht als unbestätigt in der Liste und wird nicht noch einmal gesendet.',
      }[n.survives],
    ],
    sizes_wrong: () => ['Das Ziel nennt falsche Größen. Nachrichten werden an ihren Kopfzeilen erkannt.'],
    dates_lost: () => ['Das Ziel bewahrt das Datum der Nachrichten nicht auf.'],
    gone_at_once: (n, f) =>
      say`Von den ersten ${nachrichten(n.of, f)}, die nach ${zitiert(n.folder)} geliefert wurden, ${zahl(n.messages, 'war', 'waren')} ${f.number(n.messages)} sofort wieder weg. Gibt es am Ziel einen Filter oder eine Regel?`,
  },
}
